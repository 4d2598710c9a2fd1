import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Case } from '../reference/case.ts';
import { jvp } from '../reference/pool.ts';
import { permits } from './allowed.ts';
import { cases } from './cases.ts';
import { caseText } from './failure-text.ts';
import { tangentExpectation } from './interval.ts';
import { legalStyles, legalSubject, narrowStyles } from './legal.ts';

/** Cases of each kind for each style; more by the environment, for a longer attack. */
const runs = Number(process.env.POOLPROOF_ATTACK ?? 2);

const tangentsOf = ({ x, alpha }: Case) => ({ tx: x.toReversed(), talpha: alpha.toReversed() });

it('permits every legal evaluation', { timeout: 600_000 }, async () => {
  for (const [s, style] of [...legalStyles, ...narrowStyles].entries()) {
    const subject = legalSubject(style);
    for (const kind of ['dyadic', 'general'] as const) {
      const drawn = fc.sample(cases({ dtype: style.dtype, kind, finite: s % 2 === 0 }), { seed: s, numRuns: runs });
      for (const c of drawn.filter(({ pool }) => pool.constraint.kind !== 'softmax')) {
        const ty = await subject.jvp!(c, tangentsOf(c));
        for (const [i, allowed] of tangentExpectation(c, tangentsOf(c), subject.facets).entries()) {
          expect(permits(allowed, ty[i]), `${subject.name}, ${caseText(c)}: ty[${i}] is ${ty[i]}`).toBe(true);
        }
      }
    }
  }
});

it('is around the exact tangent, within some ulps of its terms', () => {
  for (const constraint of [{ kind: 'free' }, { kind: 'sumToOne' }, { kind: 'clip', bounds: [0.5, 2] }] as const) {
    const c: Case = {
      dtype: 'f64',
      pool: { branches: ['relu', 'halfSquare'], sharing: 'layer', constraint },
      shape: [3],
      x: Float64Array.of(0.3, 1.7, -2.1),
      alpha: Float64Array.of(0.7, -0.4).subarray(0, constraint.kind === 'sumToOne' ? 1 : 2),
      dy: new Float64Array(3),
    };
    const tangents = { tx: Float64Array.of(0.9, -1.1, 0.2), talpha: c.alpha.map((a) => 1.3 - a) };
    const ty = jvp(c, tangents);
    for (const [i, allowed] of tangentExpectation(c, tangents).entries()) {
      expect(permits(allowed, ty[i])).toBe(true);
      for (const off of [1e-14, -1e-14]) expect(permits(allowed, ty[i] + off), `${constraint.kind} ${i}`).toBe(false);
    }
  }
});

it('leaves open what may be masked or not, and what is not finite', () => {
  const c: Case = {
    dtype: 'f32',
    pool: { branches: ['relu'], sharing: 'layer', constraint: { kind: 'clip', bounds: [0] } },
    shape: [2],
    x: Float64Array.of(1, Number.POSITIVE_INFINITY),
    alpha: Float64Array.of(2 ** -149),
    dy: new Float64Array(2),
  };
  const opens = (facets: Parameters<typeof tangentExpectation>[2]) =>
    tangentExpectation(c, { tx: Float64Array.of(1, 1), talpha: Float64Array.of(1) }, facets).map(({ open }) => open);
  expect(opens(['ftz'])).toEqual(['0·∞', '0·∞']);
  expect(opens([])).toEqual([undefined, 'NaN in x']);
});
