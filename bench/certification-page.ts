import { type Run, ranOn } from './run.ts';
import { table } from './table.ts';

/** Whole certifications of one subject: all vectors, and so many fresh Cases, each forward and backward. */
export interface CertificationRow {
  readonly subject: string;
  readonly version: string;
  readonly requests: number;
  /** Quartiles and median, in seconds. */
  readonly seconds: readonly [number, number, number];
}

/** `docs/benchmarks/certification.json`. */
export interface CertificationFigures extends Run {
  readonly rounds: number;
  readonly runs: number;
  readonly rows: readonly CertificationRow[];
}

/** The section on certification. */
export function certificationSection(figures: CertificationFigures): string {
  const { rounds, runs, rows } = figures;
  return `## Certification

Seconds, median and quartiles, of \`poolproof certify\`: all vectors that the subject supports, ${runs} fresh cases forward and
backward, and all other checks; runner and subject each have a core.

${table(
  ['subject', 'requests', 'seconds', 'requests a second'],
  rows.map(({ subject, version, requests, seconds: [low, median, high] }) => [
    `${subject} ${version}`,
    `${requests}`,
    `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`,
    `${Math.round(requests / median)}`,
  ]),
)}

${rounds} rounds, all by turns; ${ranOn(figures)}`;
}
