import { encodeCase } from '../fixtures/case.ts';
import { decodeFinding } from '../fixtures/finding.ts';
import { describeFinding } from '../properties/failure.ts';
import type { Case } from '../reference/case.ts';
import type { Check } from './plan.ts';
import type { CheckFailure, CheckGroup, Trouble } from './report.ts';
import type { Outcome } from './session.ts';
import type { Op } from './wire.ts';

/** A check that failed, in words and as data. */
export function failureOf(
  group: CheckGroup,
  { id, note, op, case: c }: Omit<Check, 'case'> & { case?: Case },
  trouble: Trouble,
): CheckFailure {
  return {
    kind: group,
    id,
    note,
    op,
    law: lawOf(group, op, trouble),
    trouble,
    description: troubleText(trouble),
    ...(c && { case: encodeCase(c) }),
  };
}

/** The law of `properties/` that a failed check breaks. */
function lawOf(group: CheckGroup, op: Op, trouble: Trouble): string {
  if (trouble.code === 'differs') return 'state/deterministic';
  if (group === 'invalid' || trouble.code === 'unsupported' || trouble.code === 'refused') return 'pool-harness/1';
  if (trouble.code === 'fault' || trouble.code === 'error') return 'pool-harness/1';
  if ('quantity' in trouble) return `agreement/${trouble.quantity}`;
  return op === 'forward' ? 'agreement/y' : 'agreement/dx';
}

/** One sentence: what came, and what was expected. */
function troubleText(trouble: Trouble): string {
  switch (trouble.code) {
    case 'refused':
      return `a valid request was refused: ${trouble.why}`;
    case 'unsupported':
      return `unsupported, though announced: ${trouble.why}`;
    case 'error':
      return `the subject says that it broke: ${trouble.why}`;
    case 'answered':
      return `expected to be refused: ${trouble.why}`;
    case 'differs':
      return `${trouble.quantity} is another ${trouble.why}: the subject is not deterministic`;
    case 'digest':
      return `expected the digest ${trouble.expected}, got ${trouble.actual}`;
    case 'fault':
      return `the protocol was broken: ${trouble.why}`;
    default:
      return describeFinding(decodeFinding(trouble));
  }
}

/** What is wrong where no tensors came. */
export function troubleOf(outcome: Exclude<Outcome, { readonly tensors: unknown }>): Trouble {
  if ('fault' in outcome) return { code: 'fault', why: outcome.fault };
  if ('refused' in outcome) return { code: 'refused', why: outcome.refused };
  if ('error' in outcome) return { code: 'error', why: outcome.error };
  return { code: 'unsupported', why: outcome.unsupported };
}

/** Another reply than to the same request before. */
export function differing(op: Op, why: string): Trouble {
  return { code: 'differs', quantity: op === 'forward' ? 'y' : 'dx, dalpha', why };
}
