import type { Answer, Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { copyCase } from '../transform.ts';
import type { Trial } from '../trial.ts';
import { freely, mapTensor } from './derived.ts';

function repeats(input: Case, trial: Trial, first: Answer, again: Answer): void {
  trial.same(input, 'y', again.y, (i) => first.y[i]);
  trial.same(input, 'dx', again.dx, (i) => first.dx[i]);
  if (input.pool.constraint.kind !== 'fixed') trial.same(input, 'dalpha', again.dalpha, (i) => first.dalpha[i]);
}

function copyOf({ y, dx, dalpha }: Answer): Answer {
  return { y: y.slice(), dx: dx.slice(), dalpha: (dalpha ?? new Float64Array(0)).slice() };
}

/** Directions for forward mode and double backward. */
interface Directions {
  readonly x: Float64Array;
  readonly alpha: Float64Array;
}

/** The answer, and forward mode and double backward of a Subject that has them. */
async function askEverything(c: Case, { x, alpha }: Directions, trial: Trial): Promise<Answer> {
  const { subject } = trial;
  const answer = await trial.ask(c);
  if (subject.jvp) await trial.jvp(c, { tx: x, talpha: alpha });
  if (subject.doubleVjp) await trial.doubleVjp(c, { ddx: x, ddalpha: alpha });
  return answer;
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
    const first = copyOf(answer);
    repeats(c, trial, first, await trial.ask(c));
    repeats(c, trial, first, answer);
  },
};

export const interleaved: Law = {
  id: 'state/interleaved',
  statement: 'an answer does not depend on the Cases asked in between',
  source: 'spec §6',
  async check(c, trial) {
    const first = copyOf(await trial.ask(c));
    await trial.ask(mapTensor(c, 'dy', (d) => 1 - d / 2));
    await trial.ask(
      freely(
        mapTensor(c, 'x', (x) => 1 - x),
        ['step', 'relu', 'identity'],
      ),
    );
    repeats(c, trial, first, await trial.ask(c));
  },
};

export const inputsKept: Law = {
  id: 'state/inputs-kept',
  statement: 'the inputs are not changed, nor the pool, nor the shape, and answers lie in memory of their own',
  source: 'spec §6',
  async check(c, trial) {
    const given = copyCase(c);
    const directions = { x: c.dy.slice(), alpha: c.alpha.slice() };
    const answer = await askEverything(given, directions, trial);
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
      await askEverything(c, { x: c.dy.slice(), alpha: c.alpha.slice() }, trial);
    }
    const tensors = (await trial.liveTensors(c)) - before;
    trial.counts.compared++;
    if (tensors !== 0) trial.broken({ code: 'leaked', tensors, calls }, c);
  },
};
