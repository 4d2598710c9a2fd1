import { shrinkCase } from '../properties/shrink.ts';
import type { Case } from '../reference/case.ts';
import type { Answers } from './answers.ts';
import { type Curve, curveCase, curveOf } from './curve.ts';
import type { Check } from './plan.ts';
import type { CheckFailure, Kind, Trouble } from './report.ts';
import { lackOf } from './serve.ts';
import type { Session } from './session.ts';
import { failureOf } from './trouble.ts';
import type { Op } from './wire.ts';

/** Requests that shrinking one Case may take. */
const shrinkingRequests = 300;

/** A failure on the smallest Case that fails, and the curve around it. */
export interface Smallest {
  readonly failure: CheckFailure;
  readonly curve: Curve | undefined;
}

/**
 * The failure of a check, then on ever smaller Cases, as the subject answers them; nothing if it does not fail again. One
 * after another, since the subject may end on any of them.
 */
export async function* smallerFailures(
  session: Session,
  { check, kind }: { readonly check: Check; readonly kind: Kind },
  answers: Answers,
): AsyncGenerator<Smallest> {
  const { capabilities } = session.announcement;
  const troubleWith = async (c: Case) => answers.judge({ case: c }, await session.ask(check.op, c));
  const trouble = await troubleWith(check.case);
  if (trouble === undefined) return;
  yield { failure: failureOf(kind, check, trouble), curve: undefined };
  // With the coefficients as they were: the smallest are often 0.
  const curve = await drawCurve(session, check.case, trouble);
  yield { failure: failureOf(kind, check, trouble), curve };
  let smallest = check.case;
  let left = shrinkingRequests;
  for (let isSmaller = true; isSmaller && left > 0; ) {
    isSmaller = false;
    for (const candidate of shrinkCase(smallest)) {
      if (left-- <= 0) break;
      if (lackOf(capabilities, check.op, candidate) !== undefined) continue;
      const other = await troubleWith(candidate);
      if (other === undefined) continue;
      yield { failure: failureOf(kind, { ...check, case: candidate }, other), curve };
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
}

async function drawCurve(session: Session, input: Case, trouble: Trouble): Promise<Curve | undefined> {
  if (input.x.length === 0 || trouble.code !== 'outside') return undefined;
  const { quantity, index } = trouble;
  const flat = quantity === 'dalpha' ? 0 : index.reduce((at, i, axis) => at * input.shape[axis]! + i, 0);
  const c = curveCase(input, flat);
  const { capabilities } = session.announcement;
  const tensorOf = async (op: Op, name: 'y' | 'dx') => {
    if (lackOf(capabilities, op, c) !== undefined) return undefined;
    const outcome = await session.ask(op, c);
    return 'tensors' in outcome ? outcome.tensors.get(name) : undefined;
  };
  return curveOf(c, capabilities.facets, await tensorOf('forward', 'y'), await tensorOf('vjp', 'dx'));
}
