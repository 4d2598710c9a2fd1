import { describe, expect, it } from 'vitest';
import type { DeclaredKink } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { withoutKinks } from './jacobian.ts';
import { each, expectWithin, type F, measured } from './jacobian-for-tests.ts';
import { elementwiseLayer } from './layers-for-tests.ts';

const jump = (at: number): F => each((v) => (v > at ? 1 + 3 * (v - at) : v - at));

describe('kinks', () => {
  const kink = (more: Partial<DeclaredKink>) => () => [{ at: 0.5, ...more }];

  it('declared, with the convention of a side, are that slope exactly where both sides are straight', async () => {
    for (const [derivative, slope] of [
      ['left', 1],
      ['right', 3],
    ] as const) {
      const { jacobian } = await measured(jump(0.5), [0.5], { kinks: kink({ derivative, value: 'left' }) });
      expectWithin(jacobian, [slope], 2 ** -20);
      const [found] = jacobian.kinks;
      expect(found).toMatchObject({ output: 0, element: 0, derivative: 0, declared: { derivative } });
      expect(found.left.value).toBeCloseTo(0, 10);
      expect(found.right.value).toBeCloseTo(1, 10);
      expect(found.left.slope).toBeCloseTo(1, 5);
      expect(found.right.slope).toBeCloseTo(3, 5);
    }
  });

  it('declared with a number are that number', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5, 0.5], {
      kinks: kink({ derivative: (output) => 7 + output }),
    });
    expect([...jacobian.lo]).toEqual([7, 8]);
    expect([...jacobian.hi]).toEqual([7, 8]);
  });

  it('declared as any leave the derivative open', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5], { kinks: kink({ derivative: 'any' }) });
    expect(jacobian.lo[0]).toBeNaN();
    expect(jacobian.hi[0]).toBeNaN();
    expect(jacobian.kinks).toHaveLength(1);
  });

  it('without a convention allow what lies between both slopes', async () => {
    for (const kinks of [kink({}), undefined]) {
      const { jacobian } = await measured(
        each((v) => (v > 0.5 ? 3 : -1) * (v - 0.5)),
        [0.5, 0.75],
        kinks && { kinks },
      );
      expectWithin({ ...jacobian, lo: jacobian.lo.slice(1), hi: jacobian.hi.slice(1) }, [3], 2 ** -33);
      expect(jacobian.lo[0]).toBeCloseTo(-1, 6);
      expect(jacobian.hi[0]).toBeCloseTo(3, 6);
      expect(jacobian.kinks).toHaveLength(1);
      expect(jacobian.kinks[0]).toMatchObject({ element: 0, output: 0 });
      expect(jacobian.kinks[0].declared === undefined).toBe(kinks === undefined);
    }
  });

  it('undeclared jumps are found, with the slopes of both sides', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5]);
    expect(jacobian.kinks).toHaveLength(1);
    expect(jacobian.lo[0]).toBeCloseTo(1, 4);
    expect(jacobian.hi[0]).toBeCloseTo(3, 4);
  });

  it('beside an element, undeclared, are left aside by a smaller step', async () => {
    for (const distance of [2 ** -16, 2 ** -20]) {
      const { jacobian } = await measured(
        each((v) => Math.abs(v - 1)),
        [1 + distance, 1 - distance],
      );
      expectWithin(jacobian, [1, -1], 2 ** -20);
      expect(jacobian.kinks).toEqual([]);
    }
  });

  it('declared beside an element are never crossed', async () => {
    const seen: number[] = [];
    const f: F = (x) => {
      seen.push(x[0]);
      return x.map((v) => (v > 1 ? v * v : 100));
    };
    const { jacobian } = await measured(f, [1 + 2 ** -18], { kinks: () => [{ at: 1 }] });
    expect(seen.every((v) => v > 1)).toBe(true);
    expectWithin(jacobian, [2 + 2 ** -17], 2 ** -20);
  });

  it('declared elsewhere are not those of an element', async () => {
    const kinks = (at: number) => [
      { at: -8, derivative: () => 9 },
      { at, derivative: () => 7 },
    ];
    const { jacobian } = await measured(each(Math.sin), [0.5], { kinks: () => kinks(0) });
    expectWithin(jacobian, [Math.cos(0.5)], 2 ** -26);
    expect(jacobian.kinks).toEqual([]);
    const on = (await measured(each(Math.sin), [0.5], { kinks: () => kinks(0.5) })).jacobian;
    expect([on.lo[0], on.hi[0]]).toEqual([7, 7]);
  });

  it('that are jumps beside an element are left aside by the smallest step', async () => {
    for (const sign of [1, -1]) {
      const { jacobian } = await measured(
        each((v) => v + (sign * v > 2 ** -28 ? 1 : 0)),
        [0],
      );
      expectWithin(jacobian, [1], 2 ** -12);
      expect(jacobian.kinks).toEqual([]);
    }
  });

  it('that a smaller step leaves aside are given up, however small they were', async () => {
    const { jacobian } = await measured(
      each((v) => 2 ** -28 * Math.max(0, v - 2 ** -20)),
      [0],
      { noise: 2 ** -52 },
    );
    expect(jacobian.kinks).toEqual([]);
    expectWithin(jacobian, [0], 2 ** -24);
  });

  const here = () => 0;
  const limits = () => ({ value: 0, slope: 1 });
  it.each<[Partial<DeclaredKink>, 'neither' | 'left' | 'right' | 'both']>([
    [{ derivative: here, value: here }, 'neither'],
    [{ derivative: 'any', value: 'any' }, 'neither'],
    [{ derivative: 'left', value: here }, 'left'],
    [{ derivative: here, value: 'left' }, 'left'],
    [{ derivative: here, value: here, left: limits }, 'left'],
    [{ derivative: 'right', value: here }, 'right'],
    [{ derivative: here, value: 'right' }, 'right'],
    [{ derivative: here, value: here, right: limits }, 'right'],
    [{ derivative: 'left', value: 'right' }, 'both'],
    [{ derivative: here }, 'both'],
    [{ value: here }, 'both'],
  ])('%j asks for a good slope of: %s', async (declared, needed) => {
    // What lies beyond a jump is known from the second scale on, what is joined to the value from the first.
    for (const side of ['left', 'right'] as const) {
      const f = each((v) => v + ((side === 'left' ? v < 0 : v > 0) ? 1 : 0));
      const { more } = await measured(f, [0], { kinks: () => [{ at: 0, ...declared }] });
      expect(more, `a jump to the ${side}`).toBe(needed === side || needed === 'both' ? 6 : 2);
    }
  });

  it('can all be left open', async () => {
    const { jacobian } = await measured(each(Math.abs), [0, 1]);
    const { lo, hi, kinks } = withoutKinks(jacobian);
    expect(kinks).toEqual([]);
    expect([lo[0], hi[0]]).toEqual([Number.NaN, Number.NaN]);
    expect(lo[1]).toBeCloseTo(1, 8);
  });
});

describe('slopes without a limit are left open', () => {
  it.each<[string, (v: number) => number, number]>([
    ['a vertical tangent', Math.cbrt, 0],
    ['one from both sides', (v) => Math.sqrt(Math.abs(v)), 0],
    ['a pole beside', (v) => 1 / v, 1e-12],
    ['a vertical tangent beside', Math.cbrt, 1e-12],
    ['one so near that there is but rounding between', Math.cbrt, 1e-300],
    ['an oscillation', (v) => (v === 0 ? 0 : v * Math.sin(1 / v)), 0],
  ])('%s', async (_name, f, x) => {
    const noise = 2 ** -52 * Math.max(Math.abs(f(x)), 1e-5);
    for (const unit of [0, 2 ** -50]) {
      const { jacobian } = await measured(each(f), [x], { noise, unit });
      expect([jacobian.lo[0], jacobian.hi[0], jacobian.kinks]).toEqual([Number.NaN, Number.NaN, []]);
    }
  });

  const places = [0.01, 0.003, 0.001, 2 ** -8, 1e-4, 1e-5, 1e-7, 1e-8];
  it.each<[string, (v: number) => number, (v: number) => number]>([
    ['x - tanh(x)', (v) => v - Math.tanh(v), (v) => Math.tanh(v) ** 2],
    ['x - sin(x)', (v) => v - Math.sin(v), (v) => 2 * Math.sin(v / 2) ** 2],
    ['exp(x) - 1 - x', (v) => Math.exp(v) - 1 - v, Math.expm1],
  ])('but not where it is only the rounding of terms that cancel: %s', async (_name, f, df) => {
    // As it is estimated: as if no term were larger than f, or what small changes of x do to it.
    const unit = 5 * 2 ** -53;
    for (const v of places) {
      const noise = unit * (Math.abs(f(v)) + Math.abs(v * df(v)));
      const { jacobian, confirm } = await measured(each(f), [v], { noise, unit });
      expect([jacobian.lo[0] <= jacobian.hi[0], jacobian.kinks]).toEqual([true, []]);
      expectWithin(await confirm([0]), [df(v)], 2 ** -20);
    }
    // What was measured well needs no more calls.
    const { more: none } = await measured(each(f), [1], { noise: unit, unit });
    expect(none).toBe(2);
  });

  it('a declared kink too, unless its derivative is declared', async () => {
    const kink = { at: 0, value: 'left' } as const;
    const { jacobian } = await measured(each(Math.cbrt), [0], { noise: 2 ** -60, kinks: () => [kink] });
    expect(jacobian.lo[0]).toBeNaN();
    expect(jacobian.kinks).toHaveLength(1);
    const known = { ...kink, derivative: () => 5 };
    const { jacobian: declared } = await measured(each(Math.cbrt), [0], { noise: 2 ** -60, kinks: () => [known] });
    expect([declared.lo[0], declared.hi[0]]).toEqual([5, 5]);
  });

  it('declared as infinite they are not compared', async () => {
    const f = elementwiseLayer('root', {
      f: (v) => (v > 0 ? Math.sqrt(v) : v),
      df: (v) => (v > 0 ? 0.5 / Math.sqrt(v) : 1),
    });
    const right = (slope: number) => () => ({ value: 0, slope });
    const found = async (kink: Omit<DeclaredKink, 'at'>) =>
      (await gradcheck(f, { x: Float64Array.of(0, 1) }, { kinks: { x: [{ at: 0, ...kink }] } })).failures;
    expect(await found({ derivative: 'left', right: right(Number.POSITIVE_INFINITY) })).toEqual([]);
    expect(await found({ derivative: 'left', right: right(3) })).toMatchObject([{ code: 'one-sided', side: 'right' }]);
    expect(await found({ derivative: () => Number.POSITIVE_INFINITY })).toEqual([]);
    // The other side and the limit are held all the same.
    const left = () => ({ value: 0, slope: 2 });
    expect(await found({ derivative: 'any', left, right: right(Number.POSITIVE_INFINITY) })).toMatchObject([
      { code: 'one-sided', side: 'left', quantity: 'slope' },
    ]);
  });

  it('slopes that only noise keeps apart are not', async () => {
    const f = each((v) => Math.abs(v) + 1e-9 * Math.sin(1e13 * v));
    const { jacobian } = await measured(f, [0], { noise: 1e-9 });
    expect(jacobian.lo[0]).toBeLessThan(-1);
    expect(jacobian.hi[0]).toBeGreaterThan(1);
  });
});
