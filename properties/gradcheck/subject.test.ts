import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BranchRef, Case } from '../../reference/case.ts';
import { doubleVjp } from '../../reference/pool.ts';
import type { Subject } from '../../reference/subject.ts';
import { cases } from '../cases.ts';
import { expressionBranch } from '../expression-branch.ts';
import { caseText } from '../failure-text.ts';
import { legalStyles, legalSubject } from '../legal.ts';
import { referenceSubject } from '../reference-subject.ts';
import { gradcheck } from './gradcheck.ts';
import { gradcheckText } from './report-text.ts';
import { subjectFunction } from './subject.ts';

/** More Cases by the environment, for a longer attack, or fewer, for Stryker. */
const attack = Number(process.env.POOLPROOF_ATTACK ?? 1);
/** Cases of each kind and dtype. */
const runs = 20 * attack;
/** Other Cases, for another attack. */
const seed = Number(process.env.POOLPROOF_SEED ?? 2);

const check = (subject: Subject, c: Case, seed = 1) =>
  gradcheck(subjectFunction(subject, c), { x: c.x, alpha: c.alpha }, { dy: c.dy, seed });

describe('no legal evaluation is called wrong', () => {
  const totals = { compared: 0, open: 0, vacuous: 0 };

  it.each(['f64', 'f32'] as const)(
    '%s, dyadic and general Cases, every style',
    { timeout: 3_600_000 },
    async (dtype) => {
      const subjects = legalStyles.filter((style) => style.dtype === dtype).map(legalSubject);
      const wrong: string[] = [];
      for (const kind of ['dyadic', 'general'] as const) {
        const drawn = fc.sample(cases({ dtype, kind }), { seed, numRuns: runs * 3 });
        for (const [k, c] of drawn.entries()) {
          const report = await check(subjects[k % subjects.length], c, k);
          if (report.failures.length > 0) wrong.push(`Case ${k}: ${caseText(c).join('\n')}\n${gradcheckText(report)}`);
          for (const { compared, open, vacuous } of report.inputs) {
            totals.compared += compared;
            totals.open += open;
            totals.vacuous += vacuous;
          }
        }
      }
      // All of them, since an attack takes minutes.
      expect(wrong.join('\n\n')).toBe('');
    },
  );

  it('with every x at 0, -0 or a subnormal', { timeout: 600_000 }, async () => {
    // What is stored in 16 bits has no such subnormals.
    const styles = legalStyles.filter(
      (style) => !legalSubject(style).facets.some((facet) => facet.startsWith('storage:')),
    );
    for (const style of styles.slice(0, Math.ceil(attack * styles.length))) {
      const [c] = fc.sample(cases({ dtype: style.dtype, kind: 'general', finite: true }), { seed: 3, numRuns: 1 });
      for (const value of [0, -0, style.dtype === 'f32' ? 2 ** -149 : 5e-324]) {
        const report = await check(legalSubject(style), { ...c, x: c.x.map(() => value) });
        expect(report.passed, gradcheckText(report)).toBe(true);
      }
    }
  });

  it('and at most 5 % of the elements are left open or vacuous', () => {
    const { compared, open, vacuous } = totals;
    console.log(`gradcheck of legal evaluations: ${compared} compared, ${open} left open, ${vacuous} vacuous`);
    expect((open + vacuous) / (compared + open)).toBeLessThan(0.05);
  });
});

it('the reference passes with its forward mode and double backward', { timeout: 120_000 }, async () => {
  for (const kind of ['dyadic', 'general'] as const) {
    for (const c of fc.sample(cases({ dtype: 'f64', kind, finite: true }), { seed: 5, numRuns: 25 })) {
      const report = await check(referenceSubject, c);
      expect(report.failures, `${caseText(c).join('\n')}\n${gradcheckText(report)}`).toEqual([]);
    }
  }
});

it('tells the two jumps of a branch apart whose value at the kink is neither limit', async () => {
  const sign = expressionBranch('sign(x)', { kinks: [0] });
  const c: Case = {
    pool: { branches: ['tanh', 'step', sign], sharing: 'layer', constraint: { kind: 'sumToOne' } },
    dtype: 'f64',
    shape: [1],
    x: Float64Array.of(0),
    alpha: Float64Array.of(0.9737092232766247, 1),
    dy: Float64Array.of(1),
  };
  expect((await check(referenceSubject, c)).failures).toEqual([]);
});

// Branches with their coefficients, at 0.
it.each<[string, readonly [BranchRef, number][]]>([
  [
    'hidden in value by the curve of tanh',
    [
      ['step', 2.0007527310871465e-15],
      ['tanh', -0.03919130652414461],
    ],
  ],
  [
    'hidden beside a kink',
    [
      ['step', -2.1655012924971216e-10],
      ['relu', 868.3718353165992],
      ['tanh', 1576.2271791395415],
    ],
  ],
  [
    'hidden in slope alone',
    [
      ['step', -1.194495040888442e-13],
      ['negative', 0.2849515217770524],
      ['sigmoid', 3.989897222753253],
    ],
  ],
  [
    'hidden at the second scale too',
    [
      ['step', -4.163781881674593e-15],
      ['identity', -14.491848945617676],
      ['halfSquare', -4.606825764350011],
    ],
  ],
  [
    'that the curve beside it hides at the last scales',
    [
      ['step', -5.185076591281637e-18],
      ['halfSquare', -3418.057030702195],
    ],
  ],
  [
    'that hides in slope at the last scales',
    [
      ['step', 5.709334815274347e-16],
      ['negative', -0.00028725596970537317],
      ['identity', 0.009573475694446033],
      ['halfSquare', 1760.1237677951667],
    ],
  ],
  [
    'among curves of both signs',
    [
      ['step', -4.9516638744020645e-12],
      ['tanh', -301.13128300070196],
      ['relu', 0.24648341320436706],
      ['softplus', -1179.207195196754],
    ],
  ],
  [
    'beside which the curve passes through 0',
    [
      ['step', 2.2194948246331016e-17],
      ['halfSquare', -0.002879150677472353],
      ['tanh', -49.912418365478516],
    ],
  ],
  ['of the smallest number', [['step', 5e-324]]],
  ['of a few of the smallest', [['step', 1e-323]]],
])('allows a jump %s', async (_, branches) => {
  const c: Case = {
    pool: { branches: branches.map(([branch]) => branch), sharing: 'layer', constraint: { kind: 'free' } },
    dtype: 'f64',
    shape: [1],
    x: Float64Array.of(0),
    alpha: Float64Array.from(branches, ([, alpha]) => alpha),
    dy: Float64Array.of(1),
  };
  expect((await check(referenceSubject, c)).failures).toEqual([]);
});

it('allows a jump that may be flushed', async () => {
  const flushing = legalSubject({ dtype: 'f64', sum: 'forward', fused: false, form: 'plain', flush: true });
  const c: Case = {
    pool: { branches: ['step'], sharing: 'layer', constraint: { kind: 'free' } },
    dtype: 'f64',
    shape: [2],
    x: Float64Array.of(0, 1),
    alpha: Float64Array.of(-4e-323),
    dy: Float64Array.of(1, 1),
  };
  expect((await check(flushing, c)).failures).toEqual([]);
});

it('allows a single product that is rounded as the measured one is not', async () => {
  const style = { dtype: 'f64', sum: 'forward', fused: false, form: 'plain' } as const;
  const c: Case = {
    pool: {
      branches: ['relu', 'step'],
      sharing: 'channel',
      constraint: { kind: 'clip', bounds: [2, 1.512020144603608] },
    },
    dtype: 'f64',
    shape: [1, 4],
    x: Float64Array.of(-8, 0.1284455999873163, 0.125, 0.7282099950764171),
    alpha: Float64Array.of(
      ...[1.3154471186543817, 1.512020144603608, 1, 0],
      ...[-1.512020144603608, 1.512020144603608, 1.512020144603608, -0],
    ),
    dy: Float64Array.of(-0.015625, 0.6117342006066553, 13.512545247376554, -0.1831389543157289),
  };
  for (const flush of [false, true]) {
    expect((await check(legalSubject({ ...style, flush }), c, 18_245)).failures).toEqual([]);
  }
});

it('allows both masks of a clipped alpha that may be flushed, measured from either', async () => {
  // Every small term is rounded up to an ulp of the large one.
  const x = Float64Array.of(2 ** 10, ...new Array<number>(39).fill(Math.fround(0.07)));
  const c: Case = {
    pool: { branches: ['relu'], sharing: 'layer', constraint: { kind: 'clip', bounds: [0] } },
    dtype: 'f32',
    shape: [40],
    x,
    alpha: Float64Array.of(2 ** -149),
    dy: Float64Array.of(2 ** 10, ...new Array<number>(39).fill(1)),
  };
  const flushing = legalSubject({ dtype: 'f32', sum: 'forward', fused: false, form: 'plain', flush: true });
  const sum = (dy: Float64Array) => x.reduce((total, v, i) => Math.fround(total + Math.fround(v * dy[i])), 0);
  const exact = x.reduce((total, v, i) => total + v * c.dy[i], 0);
  expect(sum(c.dy)).toBeGreaterThan(exact * (1 + 2 ** -20));
  for (const inside of [true, false]) {
    const subject: Subject = {
      ...flushing,
      async answer(given) {
        return { ...(await flushing.answer(given)), dalpha: Float64Array.of(inside ? sum(given.dy) : 0) };
      },
    };
    expect((await check(subject, c)).failures).toEqual([]);
  }
});

it('finds a double backward of a smooth pool, and of softmax, that is wrong', async () => {
  const wrong: Subject = {
    ...referenceSubject,
    doubleVjp: (c, cotangents) => {
      const right = doubleVjp(c, cotangents);
      return { ...right, toX: right.toX.map((v) => 1.001 * v), toAlpha: right.toAlpha.map((v) => 1.001 * v) };
    },
  };
  for (const constraint of [{ kind: 'free' }, { kind: 'softmax' }] as const) {
    const pool = { branches: ['tanh', 'relu'], sharing: 'unit', constraint } as const;
    const c: Case = {
      pool,
      dtype: 'f64',
      shape: [2, 1],
      x: Float64Array.of(0.5, -1.5),
      alpha: Float64Array.of(0.25, 1),
      dy: Float64Array.of(1, 0.5),
    };
    expect((await check(referenceSubject, c)).failures).toEqual([]);
    const codes = (await check(wrong, c)).failures.map(({ code }) => code);
    expect(codes).toContain('second-order');
  }
});

it('sees 8 ulp of float32 in one element of y, of dx, and of dalpha on a dyadic Case, at [32, 64]', {
  timeout: 120_000,
}, async () => {
  const right = legalSubject({ dtype: 'f32', sum: 'forward', fused: false, form: 'plain', flush: false });
  const [N, U] = [32, 64];
  const quarter = (k: number) => ((k * 7919) % 65) / 4 - 8;
  const pool = { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' } } as const;
  const c: Case = {
    pool,
    dtype: 'f32',
    shape: [N, U],
    x: Float64Array.from({ length: N * U }, (_, k) => quarter(k)),
    alpha: Float64Array.from({ length: 2 * U }, (_, k) => quarter(k + 3)),
    dy: Float64Array.from({ length: N * U }, (_, k) => quarter(k + 11)),
  };
  expect((await check(right, c)).failures).toEqual([]);
  for (const name of ['y', 'dx', 'dalpha'] as const) {
    const wrong: Subject = {
      ...right,
      async answer(given) {
        const answer = await right.answer(given);
        const at = answer[name].findIndex((v) => v !== 0);
        return { ...answer, [name]: answer[name].map((v, i) => (i === at ? Math.fround(v * (1 + 8 * 2 ** -23)) : v)) };
      },
    };
    expect(
      (await check(wrong, c)).failures.map(({ code }) => code),
      name,
    ).not.toEqual([]);
  }
});
