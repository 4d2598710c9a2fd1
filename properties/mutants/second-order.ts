import type { Case, GradientCotangents, SecondOrder } from '../../reference/case.ts';
import { doubleVjp } from '../../reference/pool.ts';
import { coefficient, inGroup, type Mutant, right, rowsNamed } from './mutant.ts';

const mutant = inGroup('second-order');

/** Right gradients with this double backward. */
function twice(id: string, bug: string, answer: (c: Case, cotangents: GradientCotangents) => SecondOrder): Mutant {
  return mutant(id, bug, right, { doubleVjp: answer });
}

/** What `extra(x)` adds to the second derivative of every branch of this name. */
function wrongCurvature(id: string, bug: string, name: string, extra: (x: number) => number): Mutant {
  return twice(id, bug, (c, cotangents) => {
    const answer = doubleVjp(c, cotangents);
    const add = (i: number) =>
      rowsNamed(c, name).reduce(
        (sum, k) => sum + coefficient(c, k)(i) * extra(c.x[i]) * c.dy[i] * cotangents.ddx[i],
        0,
      );
    return { ...answer, toX: answer.toX.map((v, i) => v + add(i)) };
  });
}

const tanhCurvature = (x: number) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2);

export const secondOrder: readonly Mutant[] = [
  twice('second-order-is-zero', 'double backward answers 0 to alpha', (c, cotangents) => {
    const answer = doubleVjp(c, cotangents);
    return { ...answer, toAlpha: answer.toAlpha.map(() => 0) };
  }),
  wrongCurvature('tanh-curvature-sign', "tanh'' has the wrong sign", 'tanh', (x) => -2 * tanhCurvature(x)),
  wrongCurvature('softplus-curvature-missing', "softplus'' is 0", 'softplus', (x) => {
    const s = 1 / (1 + Math.exp(-x));
    return -s * (1 - s);
  }),
  wrongCurvature('half-square-no-curvature', "halfSquare'' is 0", 'halfSquare', (x) => (x > 0 ? -1 : 0)),
  twice('second-order-drops-ddalpha', 'double backward leaves ddalpha out of the gradient to x', (c, cotangents) => ({
    ...doubleVjp(c, cotangents),
    toX: doubleVjp(c, { ...cotangents, ddalpha: cotangents.ddalpha.map(() => 0) }).toX,
  })),
  twice('second-order-nan-is-zero', 'double backward answers 0 to dy for NaN', (c, cotangents) => {
    const answer = doubleVjp(c, cotangents);
    return { ...answer, toDy: answer.toDy.map((v) => (Number.isNaN(v) ? 0 : v)) };
  }),
  twice('second-order-nan-spreads', 'a NaN in ddalpha spreads over the whole gradient to dy', (c, cotangents) => {
    const answer = doubleVjp(c, cotangents);
    return { ...answer, toDy: answer.toDy.map((v) => (cotangents.ddalpha.some(Number.isNaN) ? NaN : v)) };
  }),
  twice('softmax-curvature-missing', 'double backward takes the Jacobian of softmax for constant', (c, cotangents) => {
    const answer = doubleVjp(c, cotangents);
    if (c.pool.constraint.kind !== 'softmax') return answer;
    return { ...answer, toAlpha: doubleVjp(c, { ...cotangents, ddalpha: c.alpha.map(() => 0) }).toAlpha };
  }),
];
