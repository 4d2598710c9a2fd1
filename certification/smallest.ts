import { decodeCase } from '../fixtures/case.ts';
import { shrinkCase } from '../properties/shrink.ts';
import type { Case } from '../reference/case.ts';
import type { Answers } from './answers.ts';
import { type Curve, curveCase, curveOf } from './curve.ts';
import type { CheckFailure, Trouble } from './report.ts';
import { lackOf } from './serve.ts';
import { type Session, SessionEnded } from './session.ts';
import type { FirstFailure } from './tally.ts';
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
 * The failure of a check, asked alone of fresh processes, on the smallest Case that is found; `undefined` if the subject is
 * right when it is asked nothing else.
 *
 * @throws SessionEnded if no process can be started
 */
export async function smallestFailure(
  open: () => Promise<Session>,
  first: FirstFailure,
  answers: Answers,
): Promise<Smallest | undefined> {
  const found: Smallest[] = [];
  await within(open, async (session) => {
    for await (const smaller of smallerFailures(session, first, answers)) found.push(smaller);
  });
  const smallest = found.at(-1);
  const unshrunk = found[1] ?? smallest;
  if (smallest === unshrunk) return smallest;
  // What shrinking asked before is a past too: a Case that does not fail without it is no counterexample.
  let trouble: Trouble | undefined;
  await within(open, async (session) => {
    const c = decodeCase(smallest!.failure.case!);
    trouble = answers.judge({ case: c }, await session.ask(first.check.op, c));
  });
  return trouble === undefined ? unshrunk : smallest;
}

/** Asks in a process of its own, to its end or that of the session. */
async function within(open: () => Promise<Session>, ask: (session: Session) => Promise<void>): Promise<void> {
  const session = await open();
  try {
    await ask(session);
  } catch (error) {
    if (!(error instanceof SessionEnded)) throw error;
  } finally {
    session.kill();
  }
}

/** The failure of a check, then on ever smaller Cases, as the subject answers them; nothing if it does not fail. */
async function* smallerFailures(
  session: Session,
  { check, group }: FirstFailure,
  answers: Answers,
): AsyncGenerator<Smallest> {
  const { capabilities } = session.announcement;
  const troubleWith = async (c: Case) => answers.judge({ case: c }, await session.ask(check.op, c));
  const trouble = await troubleWith(check.case);
  if (trouble === undefined) return;
  yield { failure: failureOf(group, check, trouble), curve: undefined };
  // Each further Case that breaks the subject would take a process, and the third ends the session.
  if (trouble.code === 'fault') return;
  // With the coefficients as they were: the smallest are often 0.
  const curve = await drawCurve(session, check.case, trouble);
  yield { failure: failureOf(group, check, trouble), curve };
  let smallest = check.case;
  let left = shrinkingRequests;
  for (let isSmaller = true; isSmaller && left > 0; ) {
    isSmaller = false;
    for (const candidate of shrinkCase(smallest)) {
      if (left-- <= 0) break;
      if (lackOf(capabilities, check.op, candidate) !== undefined) continue;
      const other = await troubleWith(candidate);
      if (other === undefined || other.code === 'fault') continue;
      yield { failure: failureOf(group, { ...check, case: candidate }, other), curve };
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
}

async function drawCurve(session: Session, input: Case, trouble: Trouble): Promise<Curve | undefined> {
  if (input.x.length === 0 || trouble.code !== 'outside') return undefined;
  const { quantity, index } = trouble;
  const flat = quantity === 'dalpha' ? 0 : index.reduce((at, i, axis) => at * input.shape[axis] + i, 0);
  const c = curveCase(input, flat);
  const { capabilities } = session.announcement;
  const tensorOf = async (op: Op, name: 'y' | 'dx') => {
    if (lackOf(capabilities, op, c) !== undefined) return undefined;
    const outcome = await session.ask(op, c);
    return 'tensors' in outcome ? outcome.tensors.get(name) : undefined;
  };
  return curveOf(c, capabilities.facets, await tensorOf('forward', 'y'), await tensorOf('vjp', 'dx'));
}
