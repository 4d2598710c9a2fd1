import type { TrialRow } from '../trial.ts';
import type { ClaimId, Evidence, Finding, Verdict } from './claim.ts';
import { claims } from './claims.ts';
import { elsewhereLines, verdictText } from './words.ts';

/** What a claim is found to be of this evidence, and of nothing else. */
export function measure(id: ClaimId, evidence: Partial<Evidence>): Finding {
  return claims
    .find((claim) => claim.id === id)!
    .measure({ rows: [], gradients: [], networks: [], surfaces: [], stepRatios: [], ...evidence });
}

/** The kind of its verdict, of rows alone. */
export function kindOf(id: ClaimId, rows: readonly TrialRow[]): Verdict['kind'] {
  return measure(id, { rows }).verdict.kind;
}

/** All that is said of a verdict: on the protocol that decides, then on others. */
export function saidOf(verdict: Verdict): string[] {
  return [verdictText(verdict), ...elsewhereLines(verdict)];
}
