import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, Case, Pool } from '../reference/case.ts';
import { random } from '../reference/random.ts';
import type { Subject } from '../reference/subject.ts';
import { permits } from './allowed.ts';
import { formats, heldFormat } from './dtypes.ts';
import { describeFinding } from './failure.ts';
import { caseText } from './failure-text.ts';
import { expectation } from './interval.ts';
import { nan } from './laws/special.ts';
import { laws } from './laws.ts';
import { gpuStyles, legalStyles, legalSubject, narrowStyles } from './legal.ts';
import { Trial } from './trial.ts';
import { checkKind, lackOf } from './verify.ts';

const free: Pool['constraint'] = { kind: 'free' };

/** Cases of each kind for each style; more by the environment, for a longer attack. */
const runs = Number(process.env.POOLPROOF_ATTACK ?? 2);

/** Every element of the answer lies where the oracle allows it. */
function expectPermitted(subject: Subject, c: Case): void {
  const allowed = expectation(c, subject.facets);
  const answer = subject.answer(c) as Answer;
  for (const name of ['y', 'dx', 'dalpha'] as const) {
    for (const [i, value] of answer[name].entries()) {
      expect(permits(allowed[name][i], value), `${subject.name}, ${caseText(c)}: ${name} is ${value}`).toBe(true);
    }
  }
}

describe('no law calls a legal evaluation wrong', () => {
  it.each(laws.filter((law) => law.needs === undefined).map((law) => [law.id, law] as const))(
    '%s',
    async (_, law) => {
      for (const [s, style] of [...legalStyles, ...gpuStyles, ...narrowStyles].entries()) {
        const subject = legalSubject(style);
        if (lackOf(subject, law) !== undefined) continue;
        for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
          const outcome = await checkKind(law, subject, { kind, seed: s, runs });
          const found = outcome && ('finding' in outcome ? describeFinding(outcome.finding) : outcome.message);
          expect(found, `${subject.name}, ${JSON.stringify(outcome)}`).toBeUndefined();
        }
      }
    },
    3_600_000,
  );
});

// Found by 10,000 fresh cases of an adapter: 1 - tanh(20)² is 0 by the spec's error, and 0·2⁵⁵²·2⁶⁰⁰ is no overflow.
it('a derivative that is 0 within its error is right, however large its factors are', () => {
  const c: Case = {
    dtype: 'f64',
    pool: { branches: ['tanh'], sharing: 'layer', constraint: { kind: 'fixed' } },
    shape: [1],
    x: Float64Array.of(20),
    alpha: Float64Array.of(2 ** 552),
    dy: Float64Array.of(2 ** 600),
  };
  expect(permits(expectation(c, []).dx[0], 0)).toBe(true);
});

// Found by an attack: 126²/2·16 is no float16.
it('a dalpha that overflows beside a NaN in x may be infinite', async () => {
  const c: Case = {
    dtype: 'f16',
    pool: { branches: ['halfSquare'], sharing: 'unit', constraint: { kind: 'free' } },
    shape: [1, 2],
    x: Float64Array.of(1, 126),
    alpha: Float64Array.of(0, 0),
    dy: Float64Array.of(1, 16),
  };
  for (const style of narrowStyles.filter(({ dtype }) => dtype === 'f16')) {
    await nan.check(c, new Trial(legalSubject(style)));
  }
});

// Found by 10,000 fresh cases of each: what underflows was skipped as if it were masked out.
it('a coefficient that is NaN is seen where the term underflows', () => {
  for (const style of [...legalStyles, ...narrowStyles]) {
    const { name, dtype, facets, answer } = legalSubject(style);
    const { p, normalExponent } = formats[dtype];
    const c: Case = {
      dtype,
      pool: { branches: ['halfSquare'], sharing: 'layer', constraint: { kind: 'free' } },
      shape: [1],
      x: Float64Array.of(2 ** (normalExponent - p + 1)),
      alpha: Float64Array.of(Number.NaN),
      dy: Float64Array.of(1),
    };
    const { y } = answer(c) as Answer;
    expect(permits(expectation(c, facets).y[0], y[0]), `${name}: ${y[0]}`).toBe(true);
  }
});

// Found by 10,000 fresh cases of each: rounded up, sigmoid(-200) is no 0, and the sum with it one step further up.
it('a term that is lost to the exact value too may move the sum it is added to', () => {
  const uniform = random(1, 'lost terms');
  for (const style of gpuStyles) {
    const subject = legalSubject(style);
    const { round } = heldFormat(subject);
    for (let k = 0; k < 200; k++) {
      const c: Case = {
        dtype: style.dtype,
        pool: {
          branches: k % 2 === 0 ? ['identity', 'softplus'] : ['sigmoid', 'negative'],
          sharing: 'layer',
          constraint: free,
        },
        shape: [2],
        x: Float64Array.from({ length: 2 }, () => round(uniform.uniform(-900, -150))),
        alpha: Float64Array.from({ length: 2 }, () => round(uniform.uniform(-2, 2))),
        dy: Float64Array.from({ length: 2 }, () => round(uniform.uniform(-2, 2))),
      };
      expectPermitted(subject, c);
    }
  }
});

// Found by 10,000 fresh cases of each: a subnormal coefficient of ∞ that is flushed, and products that are rounded in one
// direction thrice.
it('subnormal coefficients and cotangents, of everything up to ∞', { timeout: 3_600_000 }, () => {
  for (const [s, style] of [...legalStyles, ...gpuStyles, ...narrowStyles].entries()) {
    const subject = legalSubject(style);
    const { round, etaExponent, normalExponent, infinite } = heldFormat(subject);
    const tiny = fc
      .record({ k: fc.integer({ min: -12, max: 12 }), e: fc.constantFrom(etaExponent, normalExponent - 2) })
      .map(({ k, e }) => round(k * 2 ** e));
    const any = fc.double({ min: -4, max: 4, noNaN: true }).map(round);
    const x = fc.oneof(any, fc.constantFrom(...[1, 2, -1, 0.5].map(round), ...(infinite ? [Infinity, -Infinity] : [])));
    const arbitrary = fc.record({
      branches: fc.array(fc.constantFrom('relu', 'step', 'halfSquare', 'negative', 'identity'), {
        minLength: 1,
        maxLength: 3,
      }),
      x,
      dy: fc.oneof(any, tiny),
      alpha: fc.array(fc.oneof(tiny, tiny, any), { minLength: 3, maxLength: 3 }),
    });
    for (const { branches, alpha, ...drawn } of fc.sample(arbitrary, { numRuns: 20 * runs, seed: s })) {
      const c: Case = {
        dtype: style.dtype,
        pool: { branches, sharing: 'layer', constraint: { kind: 'free' } },
        shape: [1],
        x: Float64Array.of(drawn.x),
        alpha: Float64Array.from(alpha.slice(0, branches.length)),
        dy: Float64Array.of(drawn.dy),
      };
      expectPermitted(subject, c);
    }
  }
});
