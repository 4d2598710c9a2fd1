import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { collapseToLayer, expandToUnits } from '../transform.ts';
import { learning } from './derived.ts';

export const sumOfUnits: Law = {
  id: 'sharing/sum-of-units',
  statement: "the gradient of a shared alpha is the sum of its units' gradients",
  source: 'spec §1, §4',
  finiteCases: true,
  longSums: true,
  async check(c, trial) {
    const drawn = learning(c);
    // Where nothing is shared there is nothing to sum.
    const isShared = drawn.alpha.length < expandToUnits(drawn).alpha.length;
    const shared = await trial.askAbout(isShared ? drawn : collapseToLayer(drawn));
    const own = await trial.askAbout(expandToUnits(shared.input));
    const { count, units, of } = positionsOf(shared.input.pool, shared.input.shape);
    const members: number[][] = Array.from({ length: count }, () => []);
    for (let unit = 0; unit < units; unit++) members[of(unit)].push(unit);
    trial.equate(shared, 'dalpha', (i) => {
      const row = Math.floor(i / count);
      return members[i % count].map((unit) => ({ of: own, at: row * units + unit }));
    });
  },
};

export const writtenOut: Law = {
  id: 'sharing/written-out',
  statement: 'a shared alpha gives the y and dx of the same alpha written out for each unit',
  source: 'spec §1',
  finiteCases: true,
  async check(c, trial) {
    const shared = await trial.askAbout(c);
    const own = await trial.askAbout(expandToUnits(c));
    for (const name of ['y', 'dx'] as const) trial.equate(shared, name, (at) => [{ of: own, at }]);
  },
};

export const anyShape: Law = {
  id: 'sharing/layer-any-shape',
  statement: 'under sharing by layer the shape does not matter: the flattened Case has the same answer',
  source: 'spec §1',
  finiteCases: true,
  async check(c, trial) {
    const shaped = await trial.askAbout(collapseToLayer(learning(c)));
    const flat = await trial.askAbout({ ...shaped.input, shape: [shaped.input.x.length] });
    for (const name of ['y', 'dx', 'dalpha'] as const) trial.equate(shaped, name, (at) => [{ of: flat, at }]);
  },
};
