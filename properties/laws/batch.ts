import type { Law } from '../law.ts';
import { range, takeAxis } from '../transform.ts';
import { learning } from './derived.ts';

export const independence: Law = {
  id: 'batch/independence',
  statement:
    'rows do not see each other: two parts of a batch give the y and dx of the whole, and their dalphas add up',
  source: 'spec §1, §4',
  finite: true,
  longSums: true,
  async check(c, trial) {
    const rows = range(c.shape[0]!);
    if (rows.length < 2) return;
    const whole = await trial.askAbout(learning(c));
    const cut = Math.ceil(rows.length / 2);
    const upper = await trial.askAbout(takeAxis(whole.input, 0, rows.slice(0, cut)));
    const lower = await trial.askAbout(takeAxis(whole.input, 0, rows.slice(cut)));
    const boundary = upper.input.x.length;
    for (const name of ['y', 'dx'] as const) {
      trial.equate(whole, name, (i) => [i < boundary ? { of: upper, at: i } : { of: lower, at: i - boundary }]);
    }
    trial.equate(whole, 'dalpha', (at) => [
      { of: upper, at },
      { of: lower, at },
    ]);
  },
};

export const permutation: Law = {
  id: 'batch/permutation',
  statement: 'permuting the rows of a batch permutes y and dx and leaves dalpha',
  source: 'spec §1, §4',
  finite: true,
  longSums: true,
  async check(c, trial) {
    const whole = await trial.askAbout(learning(c));
    const rows = range(c.shape[0]!);
    const turned = [...rows.slice(1), ...rows.slice(0, 1)].toReversed();
    const other = await trial.askAbout(takeAxis(whole.input, 0, turned));
    const units = c.shape.slice(1).reduce((a, b) => a * b, 1);
    for (const name of ['y', 'dx'] as const) {
      trial.equate(other, name, (i) => [{ of: whole, at: turned[Math.floor(i / units)]! * units + (i % units) }]);
    }
    trial.equate(other, 'dalpha', (at) => [{ of: whole, at }]);
  },
};
