import type { Answer } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { range, takeAxis } from '../transform.ts';
import type { Answered, Trial } from '../trial.ts';
import { learning, mapTensor } from './derived.ts';

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
    if (c.x.length > 4096) await manyTimes(whole, trial);
  },
};

/**
 * The batch 16 times over, of which dy takes the last: more than 65,536 elements, which 16 bits cannot count. Where the
 * point rule holds for the batch, it holds here, since all other terms are 0.
 */
async function manyTimes({ input, answer, allowed }: Answered, trial: Trial): Promise<void> {
  const rows = range(input.shape[0]);
  const tiled = takeAxis(
    input,
    0,
    range(16).flatMap(() => rows),
  );
  const { length } = input.x;
  const isLast = (i: number) => i >= 15 * length;
  const many = mapTensor(tiled, 'dy', (d, i) => (isLast(i) ? d : 0));
  const { y, dx, dalpha } = await trial.ask(many);
  const same = (name: keyof Answer, actual: Float64Array, expected: (i: number) => number) =>
    trial.same(many, name, actual, expected, (i) => allowed[name][i % answer[name].length].point);
  same('y', y, (i) => answer.y[i % length]);
  same('dx', dx, (i) => (isLast(i) ? answer.dx[i % length] : 0));
  same('dalpha', dalpha, (k) => answer.dalpha[k]);
}
