import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CustomBranch } from '../reference/branches.ts';
import type { BranchRef, Case, Pool } from '../reference/case.ts';
import { doubleVjp, forward, jvp, vjp } from '../reference/pool.ts';
import { cases } from './cases.ts';
import { expressionBranch } from './expression-branch.ts';
import { caseText, failureText } from './failure-text.ts';
import { gradcheckLaw } from './gradcheck/law.ts';
import { type ByHand, handWritten } from './hand-written.ts';
import { expectation } from './interval.ts';
import { laws } from './laws.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind, checkLaw } from './verify.ts';
import './vitest.ts';

const square = expressionBranch('x > 0 ? x^2/2 : 0', { name: 'square', kinks: [0] });

describe('a pool with halfSquare as an expression', () => {
  const twins = (c: Case) => {
    const branches = (built: BranchRef): Pool => ({
      ...c.pool,
      branches: c.pool.branches.map((ref, k) => (ref === square || k === 0 ? built : ref)),
    });
    return [
      { ...c, pool: branches('halfSquare') },
      { ...c, pool: branches(square) },
    ] as const;
  };

  it.each(['dyadic', 'general'] as const)('is the built-in one, bit for bit, on %s Cases', (kind) => {
    fc.assert(
      fc.property(cases({ dtype: 'f64', kind }), (c) => {
        const [built, own] = twins(c);
        expect(forward(own)).toEqual(forward(built));
        expect(vjp(own)).toEqual(vjp(built));
        const tangents = { tx: c.x.toReversed(), talpha: c.alpha.toReversed() };
        expect(jvp(own, tangents)).toEqual(jvp(built, tangents));
        const cotangents = { ddx: c.dy.toReversed(), ddalpha: c.alpha };
        expect(doubleVjp(own, cotangents)).toEqual(doubleVjp(built, cotangents));
      }),
      { numRuns: 200 },
    );
  });

  it('is one value by the point rule where the built-in one is', () => {
    fc.assert(
      fc.property(cases({ dtype: 'f32', kind: 'dyadic' }), (c) => {
        const [built, own] = twins(c).map((twin) => expectation(twin)) as [object, object];
        expect(own).toEqual(built);
      }),
      { numRuns: 200 },
    );
  });
});

/** Sigmoid as everybody writes it. */
const sigmoid = (x: number, r: (v: number) => number) => r(1 / r(1 + r(Math.exp(-x))));

const gelu = (x: number, r: (v: number) => number) => {
  const k = r(Math.sqrt(r(2 / r(Math.PI))));
  const [cubic, x2] = [r(0.044715), r(x * x)];
  const t = r(Math.tanh(r(k * r(x + r(cubic * r(x2 * x))))));
  const slope = r(k * r(1 + r(r(3 * cubic) * x2)));
  return { t, slope };
};

const zoo: Readonly<Record<string, [CustomBranch, ByHand]>> = {
  softsign: [
    expressionBranch('x / (1 + abs(x))', { name: 'softsign' }),
    {
      f: (x, r) => r(x / r(1 + Math.abs(x))),
      df: (x, r) => r(1 / r(r(1 + Math.abs(x)) * r(1 + Math.abs(x)))),
    },
  ],
  swish: [
    expressionBranch('x / (1 + exp(-x))', { name: 'swish' }),
    {
      f: (x, r) => r(x / r(1 + r(Math.exp(-x)))),
      df: (x, r) => r(sigmoid(x, r) * r(1 + r(x * r(1 - sigmoid(x, r))))),
    },
  ],
  leaky: [
    expressionBranch('x > 0 ? x : x/100', { name: 'leaky', kinks: [0] }),
    { f: (x, r) => (x > 0 ? x : r(x * r(0.01))), df: (x, r) => (x > 0 ? 1 : r(0.01)) },
  ],
  'hard sigmoid': [
    expressionBranch('max(0, min(1, x/5 + 0.5))', { name: 'hard sigmoid', kinks: [-2.5, 2.5] }),
    {
      f: (x, r) => Math.max(0, Math.min(1, r(r(x * r(0.2)) + 0.5))),
      df: (x, r) => (x > -2.5 && x < 2.5 ? r(0.2) : 0),
    },
  ],
  gelu: [
    expressionBranch('0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))', { name: 'gelu' }),
    {
      f: (x, r) => r(r(0.5 * x) * r(1 + gelu(x, r).t)),
      df: (x, r) => {
        const { t, slope } = gelu(x, r);
        return r(r(0.5 * r(1 + t)) + r(r(r(0.5 * x) * r(1 - r(t * t))) * slope));
      },
    },
  ],
  square: [square, { f: (x, r) => (x > 0 ? r(r(x * x) / 2) : 0), df: (x) => Math.max(x, 0) }],
};
const branches = Object.values(zoo).map(([branch]) => branch);
const hands = Object.fromEntries(Object.entries(zoo).map(([name, [, hand]]) => [name, hand]));

describe('right implementations of expression branches', () => {
  it.each(['f64', 'f32'] as const)('keep all laws when written by hand in %s', async (dtype) => {
    await expect(handWritten(dtype, hands)).toConform({ branches, runs: 16, seed: 3 });
  });

  it('keep all laws as the reference does', async () => {
    await expect(referenceSubject).toConform({ branches, runs: 8, seed: 4 });
  });
});

it.each(['sqrt(x)', 'x^0.5', '1/x'])(
  'differences of %s beside 0, where its derivatives are huge, hold',
  async (text) => {
    const law = laws.find(({ id }) => id === 'finite-differences/x')!;
    for (const seed of [1, 2, 3]) {
      const failure = await checkKind(law, referenceSubject, {
        kind: 'general',
        seed,
        runs: 100,
        branches: [expressionBranch(text)],
      });
      expect(failure).toBeUndefined();
    }
  },
);

describe('the gradient check of expression branches', () => {
  it.each<[string, number[]]>([
    ['log(x)', []],
    ['1/x', []],
    ['sin(x)', []],
    ['sqrt(abs(x))', [0]],
  ])('has no false alarm for %s, beside a pole or where it oscillates within a step', async (text, kinks) => {
    const branch = expressionBranch(text, { kinks });
    const hand: ByHand = { f: (x, r) => r(branch.f(x)), df: (x, r) => r(branch.df(x)) };
    for (const subject of [referenceSubject, handWritten('f32', { [text]: hand })]) {
      const { failures } = await checkLaw(gradcheckLaw, subject, { branches: [branch], runs: 26, seed: 5 });
      expect(failures.map(failureText)).toEqual([]);
    }
  });
});

describe('wrong implementations of expression branches', () => {
  const wrong: [bug: string, branch: keyof typeof zoo, change: (right: ByHand) => Partial<ByHand>][] = [
    ['slope 0.02 on the left', 'leaky', () => ({ df: (x) => (x > 0 ? 1 : 0.02) })],
    ['value of the left side with slope 0.02', 'leaky', (right) => ({ f: (x, r) => (x > 0 ? x : 2 * right.f(x, r)) })],
    ['derivative 1 at the kink', 'leaky', (right) => ({ df: (x, r) => (x === 0 ? 1 : right.df(x, r)) })],
    ['value 1 at the kink', 'leaky', (right) => ({ f: (x, r) => (x === 0 ? 1 : right.f(x, r)) })],
    ['value 0.01 at the kink -2.5', 'hard sigmoid', ({ f }) => ({ f: (x, r) => (x === -2.5 ? 0.01 : f(x, r)) })],
    ['derivative 0.2 at the kinks', 'hard sigmoid', ({ df }) => ({ df: (x, r) => df(x * (1 - 2 ** -20), r) })],
    ['derivative off by 1e-3', 'swish', ({ df }) => ({ df: (x, r) => r(df(x, r) * 1.001) })],
    ['derivative off by 1e-5', 'gelu', ({ df }) => ({ df: (x, r) => r(df(x, r) * 1.00001) })],
    ['value off by 1e-5', 'gelu', ({ f }) => ({ f: (x, r) => r(f(x, r) * 1.00001) })],
    ['derivative without the square', 'softsign', () => ({ df: (x, r) => r(1 / (1 + Math.abs(x))) })],
    ['derivative 1 where it is x', 'square', () => ({ df: (x) => (x > 0 ? 1 : 0) })],
  ];

  it.each(wrong)('%s of %s is found, with the branch by its name', async (_, name, change) => {
    const [branch, hand] = zoo[name];
    for (const dtype of ['f64', 'f32'] as const) {
      const subject = handWritten(dtype, { [name]: { ...hand, ...change(hand) } });
      const found: string[] = [];
      for (const law of laws.filter(({ id }) => /agreement|kinks|finite/.test(id))) {
        const { failures } = await checkLaw(law, subject, { runs: 60, seed: 1, branches: [branch] });
        found.push(...failures.flatMap(({ case: c }) => caseText(c)[0]));
        if (found.length > 0) break;
      }
      expect(found.some((text) => text.includes(name))).toBe(true);
    }
  });

  it('replay from seed, kind and path with the same branches', async () => {
    const [leaky, hand] = zoo.leaky;
    const subject = handWritten('f64', { leaky: { ...hand, f: (x) => (x > 0 ? x : x / 50) } });
    const law = laws.find(({ id }) => id === 'kinks/one-sided')!;
    const { failures } = await checkLaw(law, subject, { runs: 40, seed: 5, branches: [leaky] });
    expect(failures[0]?.finding).toMatchObject({ code: 'outside', quantity: 'y(-2h) - y(-h)' });
    for (const { kind, seed, path, case: c, finding } of failures) {
      const again = await checkKind(law, subject, { kind, seed, path, runs: 1, branches: [leaky] });
      expect(again).toMatchObject({ case: c, finding });
    }
  });
});

it('a law that says nothing of any Case with the branch counts none', async () => {
  const law = laws.find(({ id }) => id === 'kinks/one-sided')!;
  const branches = [expressionBranch('log(x)')];
  expect(await checkLaw(law, referenceSubject, { runs: 4, seed: 1, branches })).toMatchObject({
    outcome: 'held',
    cases: { dyadic: 2, general: 0 },
  });
});

describe('cases with branches of your own', () => {
  it('each hold one, where the kind allows it, and x at its kinks and beside them', () => {
    const [branch] = zoo['hard sigmoid'];
    const drawn = fc.sample(cases({ dtype: 'f32', kind: 'general', branches: [branch] }), { numRuns: 200, seed: 1 });
    expect(drawn.every(({ pool }) => pool.branches.includes(branch))).toBe(true);
    const values = new Set(drawn.flatMap(({ x }) => [...x]));
    for (const at of [-2.5, 2.5]) {
      for (const x of [at, at * (1 + 2 ** -23), at * (1 - 2 ** -23)]) expect(values).toContain(Math.fround(x));
    }
    const dyadic = (own: CustomBranch) =>
      fc.sample(cases({ dtype: 'f32', kind: 'dyadic', branches: [own] }), { numRuns: 50, seed: 1 });
    expect(dyadic(branch).some(({ pool }) => pool.branches.includes(branch))).toBe(false);
    expect(dyadic(square).every(({ pool }) => pool.branches.includes(square))).toBe(true);
  });

  it('refuse what is no branch', () => {
    const draw = (own: unknown) => () => cases({ dtype: 'f32', kind: 'general', branches: own as [] });
    expect(draw('relu')).toThrow(new TypeError('cases: "branches" expected an array, got string'));
    expect(draw(['elu'])).toThrow('cases: "branches" expected names among relu, step');
    expect(draw([{ name: 'elu', f: Math.exp }])).toThrow(
      'cases: "branches" expected custom branches with name, expression, kinks, f, df and d2f, got an object',
    );
  });
});

it.each<[unknown, string]>([
  [null, '"options" expected an object, got null'],
  [{ name: 7 }, '"name" expected a string, got number'],
  [{ name: '' }, '"name" expected some text, got ""'],
  [{ kink: [0] }, '"options" expected name, kinks, got "kink"'],
  [{ kinks: [{ at: 0, deriv: 1 }] }, '"kinks" expected at, derivative, got "deriv"'],
  [{ name: 'relu' }, '"name" expected another name than those of built-in branches, got "relu"'],
])('expressionBranch refuses the options %j', (options, message) => {
  expect(() => expressionBranch('x', options as object)).toThrow(message);
});
