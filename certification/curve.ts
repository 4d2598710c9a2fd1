import { encodeTensor, type Tensor } from '../fixtures/tensor.ts';
import { formats } from '../properties/dtypes.ts';
import { expectation } from '../properties/interval.ts';
import { positionsOf } from '../properties/positions.ts';
import { range } from '../properties/transform.ts';
import type { Case } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';

/** A pool of one unit over x, as the subject computes it and as it should be: four tensors of the length of x. */
export interface Curve {
  readonly pool: string;
  readonly x: Tensor;
  readonly y?: Tensor;
  readonly dx?: Tensor;
  readonly expectedY: Tensor;
  readonly expectedDx: Tensor;
}

/** Points of a curve on each side. */
const half = 40;

/** The Case of the curve: the unit of element `flat` alone, dy = 1, x evenly around its value, with 0 and its neighbours. */
export function curveCase(input: Case, flat: number): Case {
  const { dtype, pool, shape, x, alpha } = input;
  const { rows, count, units, of } = positionsOf(pool, shape);
  const { round, etaExponent } = formats[dtype];
  const smallest = 2 ** etaExponent;
  const at = of(flat % units);
  const value = x[flat];
  const centre = Number.isFinite(value) && Math.abs(value) < 1e6 ? value : 0;
  const reach = Math.max(1.5, 1.5 * Math.abs(centre));
  const around = range(2 * half + 1).map((k) => round(((k - half) / half) * reach));
  const points = [...new Set([...around, -smallest, 0, smallest, round(centre)])].sort((a, b) => a - b);
  return {
    dtype,
    // Of rank 2 every sharing has one coefficient a branch.
    pool: typeof pool.sharing === 'string' ? pool : { ...pool, sharing: { sharedAxes: [1] } },
    shape: [points.length, 1],
    x: Float64Array.from(points),
    alpha: Float64Array.from(range(rows), (row) => alpha[row * count + at]),
    dy: new Float64Array(points.length).fill(1),
  };
}

export function curveOf(input: Case, facets: readonly Facet[], y?: Float64Array, dx?: Float64Array): Curve {
  const { dtype, x, pool } = input;
  const { y: expectedY, dx: expectedDx } = expectation(input, facets);
  const tensor = (values: Float64Array) => encodeTensor('curve', { dtype, shape: [values.length], values });
  const names = pool.branches.map((ref) => (typeof ref === 'string' ? ref : ref.name));
  return {
    pool: `[${names.join(', ')}], ${pool.constraint.kind}, alpha [${[...input.alpha].join(', ')}], ${dtype}`,
    x: tensor(x),
    ...(y && { y: tensor(y) }),
    ...(dx && { dx: tensor(dx) }),
    expectedY: tensor(Float64Array.from(expectedY, ({ exact }) => exact)),
    expectedDx: tensor(Float64Array.from(expectedDx, ({ exact }) => exact)),
  };
}
