import type { Case, Tangents } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { jvp } from '../../reference/pool.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { coefficient, free, inGroup, type Mutant, right, rowsNamed } from './mutant.ts';

const mutant = inGroup('forward');

/** A right reverse mode with this forward mode. */
function forwardMode(id: string, bug: string, tangent: (c: Case, t: Tangents) => Float64Array): Mutant {
  return mutant(id, bug, right, { jvp: tangent });
}

const none = (t: Float64Array) => t.map(() => 0);
const withoutNaN = (t: Float64Array) => t.map((v) => (Number.isNaN(v) ? 0 : v));

/** The softmax coefficients at one position. */
function softmaxAt({ pool, shape, alpha }: Case, s: number): readonly number[] {
  const { n, count } = positionsOf(pool, shape);
  return kappa(
    pool.constraint,
    range(n).map((k) => alpha[k * count + s]),
    n,
  ).c;
}

export const forward: readonly Mutant[] = [
  forwardMode('jvp-forgets-alpha', 'forward mode leaves talpha out', (c, { tx, talpha }) =>
    jvp(c, { tx, talpha: none(talpha) }),
  ),
  forwardMode('jvp-forgets-x', 'forward mode leaves tx out', (c, { tx, talpha }) => jvp(c, { tx: none(tx), talpha })),
  forwardMode('jvp-clip-open', 'forward mode masks talpha on the bound of clip', (c, { tx, talpha }) => {
    const { constraint } = c.pool;
    if (constraint.kind !== 'clip') return jvp(c, { tx, talpha });
    const { count } = positionsOf(c.pool, c.shape);
    const isOn = (k: number) => Math.abs(c.alpha[k]) === constraint.bounds[Math.floor(k / count)];
    return jvp(c, { tx, talpha: talpha.map((t, k) => (isOn(k) ? 0 : t)) });
  }),
  forwardMode('jvp-clip-not-masked', 'forward mode does not mask talpha beyond the bounds', (c, { tx, talpha }) => {
    if (c.pool.constraint.kind !== 'clip') return jvp(c, { tx, talpha });
    const values = jvp({ ...c, pool: { ...c.pool, constraint: { kind: 'free' } } }, { tx: none(tx), talpha });
    return jvp(c, { tx, talpha: none(talpha) }).map((t, i) => t + values[i]);
  }),
  forwardMode('jvp-sum-to-one-forgets-last', 'tcₙ of sumToOne is 0', (c, { tx, talpha }) => {
    const { constraint, branches } = c.pool;
    if (constraint.kind !== 'sumToOne' || talpha.length === 0) return jvp(c, { tx, talpha });
    const last = positionsOf(c.pool, c.shape);
    const pool = { ...c.pool, branches, constraint: { kind: 'free' } } as const;
    const padded = (t: Float64Array) => Float64Array.of(...t, ...new Float64Array(last.count));
    const values = jvp({ ...c, pool, alpha: padded(c.alpha) }, { tx: none(tx), talpha: padded(talpha) });
    return jvp(c, { tx, talpha: none(talpha) }).map((t, i) => t + values[i]);
  }),
  forwardMode(
    'jvp-softmax-diagonal',
    'forward mode takes the diagonal of the Jacobian of softmax only',
    (c, { tx, talpha }) => {
      if (c.pool.constraint.kind !== 'softmax') return jvp(c, { tx, talpha });
      const { n, count } = positionsOf(c.pool, c.shape);
      const alpha = Float64Array.from(range(n).flatMap((k) => range(count).map((s) => softmaxAt(c, s)[k])));
      return jvp({ ...free(c), alpha }, { tx, talpha: talpha.map((t, i) => t * alpha[i] * (1 - alpha[i])) });
    },
  ),
  forwardMode('jvp-step-surrogate', 'forward mode has a surrogate slope for step', (c, tangents) =>
    jvp(c, tangents).map((ty, i) =>
      rowsNamed(c, 'step').reduce(
        (sum, k) => sum + (Math.abs(c.x[i]) < 0.5 ? coefficient(c, k)(i) * tangents.tx[i] : 0),
        ty,
      ),
    ),
  ),
  forwardMode('jvp-swallows-nan', 'forward mode answers 0 where x is NaN', (c, tangents) =>
    jvp(c, tangents).map((ty) => (Number.isNaN(ty) ? 0 : ty)),
  ),
  forwardMode('jvp-nan-tangent-is-zero', 'forward mode reads a NaN in tx as 0', (c, { tx, talpha }) =>
    jvp(c, { tx: withoutNaN(tx), talpha }),
  ),
  forwardMode('jvp-nan-tangent-spreads', 'a NaN in talpha spreads over all of ty', (c, tangents) =>
    jvp(c, tangents).map((ty) => (tangents.talpha.some(Number.isNaN) ? NaN : ty)),
  ),
  forwardMode('jvp-mask-by-product', 'forward mode has x·(x > 0) for relu, NaN at -∞', (c, tangents) =>
    jvp(c, tangents).map((ty, i) => (c.x[i] === -Infinity && rowsNamed(c, 'relu').length > 0 ? NaN : ty)),
  ),
  forwardMode('jvp-in-float32', 'forward mode is rounded to float32', (c, tangents) =>
    jvp(c, tangents).map(Math.fround),
  ),
];
