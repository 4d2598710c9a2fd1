import type { Case } from '../../reference/case.ts';
import { positionsOf } from '../positions.ts';
import { addToBranch, addToSlope, change, inGroup, isFree, type Mutant, right, rowsNamed } from './mutant.ts';

const mutant = inGroup('kink');

const isFaint = (c: Case) => c.x.length >= 6 && c.x.every((x) => Math.abs(x) <= 1 / 8);

/** What `extra(x)·dy` adds to the dalpha of every branch of this name, of pools without a constraint. */
function addToDalpha(c: Case, name: string, extra: (x: number) => number) {
  const { count, units, of } = positionsOf(c.pool, c.shape);
  const rows = c.pool.constraint.kind === 'free' ? rowsNamed(c, name) : [];
  const more = new Float64Array(c.alpha.length);
  for (const [i, x] of c.x.entries()) for (const k of rows) more[k * count + of(i % units)] += extra(x) * c.dy[i];
  return change(c, 'dalpha', (d, k) => (more[k] === 0 ? d : d + more[k]));
}

export const kink: readonly Mutant[] = [
  mutant('step-at-zero-is-one', 'step(0) = 1', (c) => addToBranch(c, 'step', (x) => (x === 0 ? 1 : 0))),
  mutant('step-with-margin', 'step starts at 0.01', (c) =>
    addToBranch(c, 'step', (x) => (x > 0 && x <= 0.01 ? -1 : 0)),
  ),
  mutant('step-surrogate-gradient', "step's derivative is a box of width 1", (c) =>
    addToSlope(c, 'step', (x) => (Math.abs(x) < 0.5 ? 1 : 0)),
  ),
  mutant('relu-slope-at-zero-is-one', "relu'(0) = 1", (c) => addToSlope(c, 'relu', (x) => (x === 0 ? 1 : 0))),
  mutant('relu-slope-at-zero-is-half', "relu'(0) = 1/2", (c) => addToSlope(c, 'relu', (x) => (x === 0 ? 0.5 : 0))),
  mutant('step-half-at-zero', 'step(0) = 1/2, as NumPy has heaviside', (c) =>
    addToBranch(c, 'step', (x) => (x === 0 ? 0.5 : 0)),
  ),
  mutant('negative-slope-at-zero', "negative'(0) = 1: the mask is x ≤ 0", (c) =>
    addToSlope(c, 'negative', (x) => (x === 0 ? 1 : 0)),
  ),
  mutant('step-of-minus-zero', 'step tests the sign bit of -x: step(-0) = 1', (c) =>
    addToBranch(c, 'step', (x) => (Object.is(x, -0) ? 1 : 0)),
  ),
  mutant('step-counts-zero-in-dalpha', 'dalpha of step counts x = 0: the mask is x ≥ 0', (c) =>
    addToDalpha(c, 'step', (x) => (x === 0 ? 1 : 0)),
  ),
  mutant('sign-for-step', 'step is (1 + sign(x))/2 in dalpha', (c) =>
    addToDalpha(c, 'step', (x) => (x === 0 ? 0.5 : 0)),
  ),
  mutant('kink-at-epsilon', 'relu starts at 2⁻⁴⁰', (c) =>
    addToBranch(c, 'relu', (x) => (x > 0 && x <= 2 ** -40 ? -x : 0)),
  ),
  mutant('half-square-slope-two-sided', "halfSquare' is x on both sides", (c) =>
    addToSlope(c, 'halfSquare', (x) => Math.min(x, 0)),
  ),
  mutant('step-jumps-from-the-left', 'step is 1 from -2⁻³⁰ on', (c) =>
    addToBranch(c, 'step', (x) => (x <= 0 && x > -(2 ** -30) ? 1 : 0)),
  ),
  mutant('constant-negative-inactive', 'a tensor of one negative number is taken for inactive: y = f(0)', (c) =>
    c.x.length >= 3 && c.x.every((x) => x === c.x[0] && x < 0)
      ? { ...right(c), y: right({ ...c, x: c.x.map(() => 0) }).y }
      : right(c),
  ),
  mutant('faint-relu-is-off', 'one relu is 0 on a tensor with no |x| above 1/8', (c) =>
    isFree(c, 'relu') && isFaint(c) ? change(c, 'y', () => 0) : right(c),
  ),
  mutant('faint-step-is-off', 'one step is 0 on a tensor with no |x| above 1/8', (c) =>
    isFree(c, 'step') && isFaint(c) ? change(c, 'y', () => 0) : right(c),
  ),
];
