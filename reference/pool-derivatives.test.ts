import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Constraint, Pool, Sharing } from './case.ts';
import { parameterLayout } from './parameters.ts';
import { doubleVjp, forward, jvp, vjp } from './pool.ts';
import { sizeOf } from './shape.ts';

const shape = [2, 2, 3];
const sharings: readonly Sharing[] = ['unit', 'channel', 'layer', { sharedAxes: [1] }, { sharedAxes: [2] }];
const constraints: readonly Constraint[] = [
  { kind: 'free' },
  { kind: 'sumToOne' },
  { kind: 'softmax' },
  { kind: 'clip', bounds: [0.75, 4, 4] },
];
const h = 2 ** -17;
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** So many numbers in ±[0.25, 2), away from every bound of the constraints by more than the steps. */
const floats = (length: number) =>
  fc
    .array(
      fc.tuple(fc.double({ min: 0.25, max: 2, noNaN: true }), fc.boolean()).map(([v, up]) => (up ? v : -v)),
      { minLength: length, maxLength: length },
    )
    .filter((values) => values.every((v) => Math.abs(Math.abs(v) - 0.75) > 4 * h))
    .map((values) => Float64Array.from(values));

it.each(sharings.flatMap((sharing) => constraints.map((constraint) => [sharing, constraint] as const)))(
  'shared %j, %j: jvp, vjp and doubleVjp are the derivatives of forward, jvp and vjp',
  (sharing, constraint) => {
    const pool: Pool = { branches: ['tanh', 'softplus', 'sigmoid'], sharing, constraint };
    const [n, rows] = [sizeOf(shape), sizeOf(parameterLayout(pool, shape).alphaShape)];
    fc.assert(
      fc.property(floats(n), floats(rows), floats(n), floats(n), floats(rows), (x, alpha, dy, tx, talpha) => {
        const at = (step: number) => ({
          pool,
          shape,
          x: x.map((v, i) => v + step * tx[i]),
          alpha: alpha.map((v, i) => v + step * talpha[i]),
        });
        // Off by h² times a third derivative below 100, and by rounding of 1e-15 / h.
        const along = (f: (step: number) => number) => (f(h) - f(-h)) / (2 * h);
        const tangents = { tx, talpha };
        const ty = jvp(at(0), tangents);
        expect(Math.abs(along((step) => dot(forward(at(step)), dy)) - dot(ty, dy))).toBeLessThan(1e-7);
        const { dx, dalpha } = vjp({ ...at(0), dy });
        expect(Math.abs(dot(ty, dy) - dot(dx, tx) - dot(dalpha, talpha))).toBeLessThan(1e-12);
        const { toX, toAlpha, toDy } = doubleVjp({ ...at(0), dy }, { ddx: tx, ddalpha: talpha });
        const inner = (step: number) => {
          const gradients = vjp({ ...at(step), dy });
          return dot(gradients.dx, tx) + dot(gradients.dalpha, talpha);
        };
        expect(Math.abs(along(inner) - dot(toX, tx) - dot(toAlpha, talpha))).toBeLessThan(1e-6);
        expect(toDy).toEqual(ty);
      }),
      { numRuns: 20 },
    );
  },
);
