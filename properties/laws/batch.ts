import type { Case } from '../../reference/case.ts';
import { exactBranchOf } from '../exact-branches.ts';
import type { Law } from '../law.ts';
import { collapseToLayer, range, takeAxis } from '../transform.ts';
import type { Answered, Trial } from '../trial.ts';
import { isQuartered, learning, mapTensor } from './derived.ts';

export const independence: Law = {
  id: 'batch/independence',
  statement:
    'rows do not see each other: permuted, and in two parts, they give the y and dx of the whole, and the dalphas add up',
  source: 'spec §1, §4',
  finiteCases: true,
  longSums: true,
  async check(c, trial) {
    const rows = range(c.shape[0]);
    if (rows.length < 2) return;
    const whole = await trial.askAbout(learning(c));
    const permuted = [...rows.slice(1), 0].toReversed();
    const cut = Math.ceil(rows.length / 2);
    const parts = [permuted.slice(0, cut), permuted.slice(cut)];
    const units = whole.input.x.length / rows.length;
    const answers: Answered[] = [];
    for (const part of parts) {
      const asked = await trial.askAbout(takeAxis(whole.input, 0, part));
      answers.push(asked);
      for (const name of ['y', 'dx'] as const) {
        trial.equate(asked, name, (i) => [{ of: whole, at: part[Math.floor(i / units)] * units + (i % units) }]);
      }
    }
    trial.equate(whole, 'dalpha', (at) => answers.map((of) => ({ of, at })));
    if (c.x.length > 4096 && c.x.length <= 8192) await manyTimes(whole.input, trial);
  },
};

/**
 * A batch of 4,097 to 8,192 elements many times over, the last time without its first row: sums of more products than
 * 16 bits can count, or a kernel takes in one pass. With ±1 as dy both sums of `sumToOne`, of x up to 8 in quarters,
 * stay below 2²⁴ quarters, exact in float32.
 */
async function manyTimes(c: Case, trial: Trial): Promise<void> {
  const input = mapTensor(c, 'dy', (d) => (d < 0 ? -1 : 1));
  const isLinear = input.pool.branches.every((ref) => typeof ref === 'string' && !exactBranchOf(ref).squares);
  if (trial.format.p < 24 || !isLinear || !isQuartered(input)) return;
  await repeated(input, 3, trial);
  // Above 0 few products are 0, so that one that is missing shows.
  const positive = mapTensor(input, 'x', Math.abs);
  await repeated(positive, 10, trial);
  await repeated(collapseToLayer(positive), 30, trial);
}

async function repeated(input: Case, times: number, trial: Trial): Promise<void> {
  const rows = range(input.shape[0]);
  const once = await trial.ask(input);
  const first = await trial.ask(takeAxis(input, 0, [0]));
  const before = range(times - 1).flatMap(() => rows);
  const many = takeAxis(input, 0, [...before, ...rows.slice(1)]);
  const { y, dx, dalpha } = await trial.ask(many);
  const { length } = input.x;
  const at = (i: number) => (i < (times - 1) * length ? i % length : (i + length / rows.length) % length);
  trial.same(many, 'y', y, (i) => once.y[at(i)]);
  trial.same(many, 'dx', dx, (i) => once.dx[at(i)]);
  trial.same(many, 'dalpha', dalpha, (k) => times * once.dalpha[k] - first.dalpha[k]);
}
