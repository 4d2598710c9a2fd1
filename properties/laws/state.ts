import type { Answer, Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import type { Trial } from '../trial.ts';
import { freely, mapTensor } from './derived.ts';

function repeats(input: Case, trial: Trial, first: Answer, again: Answer): void {
  trial.same(input, 'y', again.y, (i) => first.y[i]!);
  trial.same(input, 'dx', again.dx, (i) => first.dx[i]!);
  if (input.pool.constraint.kind !== 'fixed') trial.same(input, 'dalpha', again.dalpha, (i) => first.dalpha[i]!);
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
async function askEverything(c: Case, { x, alpha }: Directions, trial: Trial): Promise<void> {
  const { subject } = trial;
  await trial.ask(c);
  if (subject.jvp) await trial.run(c, () => subject.jvp!(c, { tx: x, talpha: alpha }));
  if (subject.doubleVjp) await trial.run(c, () => subject.doubleVjp!(c, { ddx: x, ddalpha: alpha }));
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
  statement: 'the inputs are not changed',
  source: 'spec §6',
  async check(c, trial) {
    const directions = { x: c.dy.slice(), alpha: c.alpha.slice() };
    const given = {
      x: c.x,
      alpha: c.alpha,
      dy: c.dy,
      'direction in x': directions.x,
      'direction in alpha': directions.alpha,
    };
    const kept = Object.entries(given).map(([name, tensor]) => [name, tensor, tensor.slice()] as const);
    await askEverything(c, directions, trial);
    for (const [quantity, tensor, before] of kept) {
      const at = tensor.findIndex((v, i) => !Object.is(v, before[i]));
      trial.counts.checked += tensor.length;
      if (at < 0) continue;
      // What is reported is what was given.
      for (const [, changed, original] of kept) changed.set(original);
      trial.broken({ code: 'mutated', quantity, index: [at] }, c);
    }
  },
};

export const noLeak: Law = {
  id: 'state/no-leak',
  statement: 'no tensor is left alive by a call',
  source: 'spec §6',
  needs: 'liveTensors',
  async check(c, trial) {
    const before = trial.subject.liveTensors!();
    const calls = 3;
    for (let call = 0; call < calls; call++) {
      await askEverything(c, { x: c.dy.slice(), alpha: c.alpha.slice() }, trial);
    }
    const tensors = trial.subject.liveTensors!() - before;
    trial.counts.checked++;
    if (tensors !== 0) trial.broken({ code: 'leaked', tensors, calls }, c);
  },
};
