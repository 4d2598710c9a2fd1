import type { Answer, Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { copyCase } from '../transform.ts';
import type { Trial } from '../trial.ts';
import { freely, mapTensor } from './derived.ts';

/** Directions for forward mode and double backward. */
interface Directions {
  readonly x: Float64Array;
  readonly alpha: Float64Array;
}

/** The answer, and forward mode and double backward of a Subject that has them, by the names of their tensors. */
interface Everything {
  readonly answer: Answer;
  readonly others: Readonly<Record<string, Float64Array>>;
}

/** Asks for them in this order, or the other way round. */
async function askEverything(
  c: Case,
  { x, alpha }: Directions,
  trial: Trial,
  order: 'forth' | 'back' = 'forth',
): Promise<Everything> {
  const { subject } = trial;
  const others: Record<string, Float64Array> = {};
  let answer: Answer | undefined;
  const questions = [
    async () => {
      answer = await trial.ask(c);
    },
    async () => {
      if (subject.jvp) others.ty = await trial.jvp(c, { tx: x, talpha: alpha });
    },
    async () => {
      if (!subject.doubleVjp) return;
      const { toX, toDy, toAlpha } = await trial.doubleVjp(c, { ddx: x, ddalpha: alpha });
      Object.assign(others, { toX, toDy, 'dalpha (toAlpha)': toAlpha });
    },
  ];
  for (const ask of order === 'forth' ? questions : questions.toReversed()) await ask();
  return { answer: answer!, others };
}

function copyOf({ answer: { y, dx, dalpha }, others }: Everything): Everything {
  return {
    answer: { y: y.slice(), dx: dx.slice(), dalpha: (dalpha ?? new Float64Array(0)).slice() },
    others: Object.fromEntries(Object.entries(others).map(([name, tensor]) => [name, tensor.slice()])),
  };
}

/** `again` is `first`, bit for bit. */
function repeats(c: Case, trial: Trial, first: Answer, again: Answer): void {
  trial.same(c, 'y', again.y, (i) => first.y[i]);
  trial.same(c, 'dx', again.dx, (i) => first.dx[i]);
  if (c.pool.constraint.kind !== 'fixed') trial.same(c, 'dalpha', again.dalpha, (i) => first.dalpha[i]);
}

function repeatsEverything(c: Case, trial: Trial, first: Everything, again: Everything): void {
  repeats(c, trial, first.answer, again.answer);
  for (const [name, tensor] of Object.entries(again.others)) trial.same(c, name, tensor, (i) => first.others[name][i]);
}

/** Along the own dy and alpha. */
const directionsOf = (c: Case): Directions => ({ x: c.dy.slice(), alpha: c.alpha.slice() });

/** Cases that share with a Case all but dy, and no more than shape, sharing and dtype. */
function unlike(c: Case): readonly [Case, Case] {
  const other = freely(
    mapTensor(c, 'x', (x) => 1 - x),
    ['step', 'relu', 'identity'],
  );
  return [mapTensor(c, 'dy', (d) => 1 - d / 2), other];
}

/** Whether two tensors share a byte. */
function overlap(a: Float64Array, b: Float64Array): boolean {
  const isApart = a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset;
  return a.buffer === b.buffer && a.length > 0 && b.length > 0 && !isApart;
}

export const deterministic: Law = {
  id: 'state/deterministic',
  statement: 'the same Case has the same answer again, bit for bit, and the first answer stays as it was',
  source: 'spec §6',
  async check(c, trial) {
    const answer = await trial.ask(c);
    const first = copyOf({ answer, others: {} }).answer;
    repeats(c, trial, first, await trial.ask(c));
    repeats(c, trial, first, answer);
  },
};

export const interleaved: Law = {
  id: 'state/interleaved',
  statement:
    'answers, forward mode and double backward do not depend on the Cases and modes asked in between, nor change by them',
  source: 'spec §6',
  async check(c, trial) {
    const asked = await askEverything(c, directionsOf(c), trial);
    const first = copyOf(asked);
    for (const other of unlike(c)) await askEverything(other, directionsOf(other), trial);
    // Before it is asked again, which may write the same over it.
    repeatsEverything(c, trial, first, asked);
    repeatsEverything(c, trial, first, await askEverything(c, directionsOf(c), trial, 'back'));
  },
};

export const overlapping: Law = {
  id: 'state/overlapping',
  statement: 'Cases asked before earlier ones are answered have the answers that they have one after the other',
  source: 'spec §6, §7: a Subject may answer by a promise, and answers go with their Cases',
  async check(c, trial) {
    const cases = [c, ...unlike(c)];
    const together = await Promise.all(cases.map((one) => trial.ask(one)));
    for (const [k, one] of cases.entries()) repeats(one, trial, await trial.ask(one), together[k]);
  },
};

export const inputsKept: Law = {
  id: 'state/inputs-kept',
  statement: 'the inputs are not changed, nor the pool, nor the shape, and answers lie in memory of their own',
  source: 'spec §6',
  async check(c, trial) {
    const given = copyCase(c);
    const directions = directionsOf(c);
    const { answer } = await askEverything(given, directions, trial);
    for (const [quantity, tensor, before] of [
      ['x', given.x, c.x],
      ['alpha', given.alpha, c.alpha],
      ['dy', given.dy, c.dy],
      ['direction in x', directions.x, c.dy],
      ['direction in alpha', directions.alpha, c.alpha],
    ] as const) {
      const at = tensor.findIndex((v, i) => !Object.is(v, before[i]));
      trial.counts.compared += tensor.length;
      if (at >= 0) trial.broken({ code: 'mutated', quantity, index: [at] }, c);
    }
    const answered = (['y', 'dx', 'dalpha'] as const).filter((name) => answer[name] !== undefined);
    for (const [k, name] of answered.entries()) {
      const others: [string, Float64Array][] = [
        ...(['x', 'alpha', 'dy'] as const).map((input): [string, Float64Array] => [input, given[input]]),
        ...answered.slice(0, k).map((other): [string, Float64Array] => [other, answer[other]]),
      ];
      const shared = others.find(([, tensor]) => overlap(answer[name], tensor));
      if (shared !== undefined) trial.broken({ code: 'aliased', quantity: name, with: shared[0] }, c);
    }
    for (const name of ['pool', 'shape', 'dtype'] as const) {
      if (text(given[name]) !== text(c[name])) trial.broken({ code: 'mutated', quantity: name, index: [] }, c);
    }
  },
};

/** JSON, but with ∞, which a bound may be. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, v) => (typeof v === 'number' ? String(v) : v));
}

export const noLeak: Law = {
  id: 'state/no-leak',
  statement: 'no tensor is left alive by a call',
  source: 'spec §6',
  needs: 'liveTensors',
  async check(c, trial) {
    const before = await trial.liveTensors(c);
    const calls = 3;
    for (let call = 0; call < calls; call++) {
      await askEverything(c, directionsOf(c), trial);
    }
    const tensors = (await trial.liveTensors(c)) - before;
    trial.counts.compared++;
    if (tensors !== 0) trial.broken({ code: 'leaked', tensors, calls }, c);
  },
};
