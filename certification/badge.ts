import { whyUncertified } from './certificate.ts';
import type { CertificationReport, Outcome } from './report.ts';

/** What shields.io and others make a badge of. */
export interface Badge {
  readonly schemaVersion: 1;
  readonly label: string;
  readonly message: string;
  readonly color: string;
}

const colors: Readonly<Record<Outcome, string>> = {
  conforms: 'brightgreen',
  fails: 'red',
  'broke the protocol': 'red',
  'not started': 'lightgrey',
  'too little was run': 'lightgrey',
};

/** Of a report: green for what can be certified, red for what does not conform, grey for all that says less. */
export function badgeOf(report: CertificationReport): Badge {
  const { outcome } = report;
  const isConforming = outcome === 'conforms';
  return {
    schemaVersion: 1,
    label: 'poolproof',
    message: isConforming ? claimOf(report) : outcome,
    color: isConforming && whyUncertified(report) !== undefined ? 'lightgrey' : colors[outcome],
  };
}

/** What was asked: `training 1.3.0, 10,000 fresh cases`. */
function claimOf({ profile, suite, runs, only, knownFailing }: CertificationReport): string {
  if (only !== undefined) return 'a part of it alone';
  const vectors = suite.own ? ', own vectors' : ` ${suite.version}`;
  const fresh = `${runs.toLocaleString('en')} fresh ${runs === 1 ? 'case' : 'cases'}`;
  const known = knownFailing.length > 0 ? `, ${knownFailing.length} known to fail` : '';
  return `${profile}${vectors}, ${fresh}${known}`;
}
