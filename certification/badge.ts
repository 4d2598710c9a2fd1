import type { CertificationReport } from './report.ts';

/** What shields.io and others make a badge of. */
export interface Badge {
  readonly schemaVersion: 1;
  readonly label: string;
  readonly message: string;
  readonly color: string;
}

/** Of a report: green if it conforms, red if it does not, grey if nobody knows. */
export function badgeOf({ outcome, profile, suite }: CertificationReport): Badge {
  const color = {
    conforms: 'brightgreen',
    fails: 'red',
    'broke the protocol': 'red',
    'too little was run': 'lightgrey',
  };
  return {
    schemaVersion: 1,
    label: 'poolproof',
    message: outcome === 'conforms' ? `${profile} ${suite.version}` : outcome,
    color: color[outcome],
  };
}
