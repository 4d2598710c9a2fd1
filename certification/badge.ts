import type { CertificationReport } from './report.ts';

/** What shields.io and others make a badge of. */
export interface Badge {
  readonly schemaVersion: 1;
  readonly label: string;
  readonly message: string;
  readonly color: string;
}

/** Of a report: green if it conforms, red if it does not, grey if nobody knows. */
export function badgeOf({ outcome, profile, suite, only }: CertificationReport): Badge {
  const color = {
    conforms: 'brightgreen',
    fails: 'red',
    'broke the protocol': 'red',
    'too little was run': 'lightgrey',
  };
  const isPart = outcome === 'conforms' && only !== undefined;
  return {
    schemaVersion: 1,
    label: 'poolproof',
    message: isPart ? 'a part of it alone' : outcome === 'conforms' ? `${profile} ${suite.version}` : outcome,
    color: isPart ? 'lightgrey' : color[outcome],
  };
}
