import type { Law } from '../law.ts';
import { range, takeAxis } from '../transform.ts';
import type { Asked } from '../trial.ts';
import { learning } from './derived.ts';

export const independence: Law = {
  id: 'batch/independence',
  statement:
    'rows do not see each other: permuted, and in two parts, they give the y and dx of the whole, and the dalphas add up',
  source: 'spec §1, §4',
  finite: true,
  longSums: true,
  async check(c, trial) {
    const rows = range(c.shape[0]!);
    if (rows.length < 2) return;
    const whole = await trial.askAbout(learning(c));
    const permuted = [...rows.slice(1), 0].toReversed();
    const cut = Math.ceil(rows.length / 2);
    const parts = [permuted.slice(0, cut), permuted.slice(cut)];
    const units = whole.input.x.length / rows.length;
    const answers: Asked[] = [];
    for (const part of parts) {
      const asked = await trial.askAbout(takeAxis(whole.input, 0, part));
      answers.push(asked);
      for (const name of ['y', 'dx'] as const) {
        trial.equate(asked, name, (i) => [{ of: whole, at: part[Math.floor(i / units)]! * units + (i % units) }]);
      }
    }
    trial.equate(whole, 'dalpha', (at) => answers.map((of) => ({ of, at })));
  },
};
