import { describe, expect, it } from 'vitest';
import { adjointOf } from './adjoint.ts';
import type { Context } from './context.ts';
import { contextOf, type Known, product, productInputs, productKnown, productShapes } from './context-for-tests.ts';
import type { Differentiable, Rounding, Tensors } from './differentiable.ts';
import { checkForwardMode } from './forward-mode.ts';
import { gradcheck } from './gradcheck.ts';
import type { Jacobian } from './jacobian.ts';
import type { GradcheckOptions } from './options.ts';
import type { GradcheckFailure } from './report.ts';

const u = 2 ** -53;
type Jvp = NonNullable<Differentiable['jvp']>;
const right = product.jvp!;
/** The right tangent with some elements changed. */
const changed =
  (change: (t: number, i: number) => number): Jvp =>
  (inputs, tangents, shapes) =>
    (right(inputs, tangents, shapes) as Float64Array).map(change);
const off = (by: number, ...at: number[]) => changed((t, i) => (at.includes(i) ? t + by : t));

/** Checks the product with this jvp; says which tangents it was asked for, and which elements were measured again. */
async function check(
  jvp: Jvp = right,
  known: Readonly<Record<string, Known>> = productKnown,
  more: Parameters<typeof contextOf>[4] = {},
  again?: (jacobian: Jacobian, name: string) => Jacobian,
) {
  let asked: Tensors = {};
  const f: Differentiable = {
    ...product,
    jvp(inputs, tangents, shapes) {
      asked = tangents;
      return jvp(inputs, tangents, shapes);
    },
  };
  const context = await contextOf(f, productInputs, productShapes, known, more);
  const confirmed: Record<string, number[]> = {};
  const numerics = context.numerics.map((numeric) => ({
    ...numeric,
    confirm: async (elements: ReadonlySet<number>) => {
      confirmed[numeric.name] = [...elements].sort((a, b) => a - b);
      return again ? again(numeric.jacobian, numeric.name) : numeric.jacobian;
    },
  }));
  const { failures } = await checkForwardMode({ ...context, numerics });
  return { failures, asked, confirmed, context: { ...context, numerics } as Context };
}
const codes = (failures: readonly GradcheckFailure[]) => failures.map(({ code }) => code);
/** Derivatives known to ± this. */
const wide = (by: number): Readonly<Record<string, Known>> => ({
  x: { ...productKnown.x, slope: (i) => [productInputs.w[i % 2] - by, productInputs.w[i % 2] + by] },
  w: { ...productKnown.w, slope: (i) => [productInputs.x[i] - by, productInputs.x[i] + by] },
});

describe('the tangents', () => {
  it('are drawn, some of them 0, for each input with a gradient', async () => {
    let zeros = 0;
    for (let seed = 0; seed < 50; seed++) {
      const { asked, failures } = await check(right, productKnown, { seed });
      expect(failures).toEqual([]);
      expect([asked.x.length, asked.w.length]).toEqual([6, 2]);
      zeros += [...asked.x, ...asked.w].filter((t) => t === 0).length;
    }
    // A tenth of 400.
    expect(zeros).toBeGreaterThan(20);
    expect(zeros).toBeLessThan(65);
  });

  it('are 0 for one without', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const context = await contextOf(product, productInputs, productShapes, { x: productKnown.x }, { seed });
      let asked: Tensors = {};
      const jvp = context.asked.jvp.bind(context.asked);
      context.asked.jvp = (inputs, tangents) => {
        asked = tangents;
        return jvp(inputs, tangents);
      };
      const { w: _, ...gradients } = context.gradients;
      expect((await checkForwardMode({ ...context, gradients })).failures).toEqual([]);
      expect([...asked.w]).toEqual([0, 0]);
      expect(asked.x.some((t) => t !== 0)).toBe(true);
    }
  });
});

describe('a second jvp', () => {
  it('is along tangents of all magnitudes, in which one that is not linear differs', async () => {
    let most = 0;
    let least = 1;
    const seen: Jvp = (inputs, tangents, shapes) => {
      for (const t of Object.values(tangents).flatMap((t) => [...t])) {
        most = Math.max(most, Math.abs(t));
        if (t !== 0) least = Math.min(least, Math.abs(t));
      }
      return right(inputs, tangents, shapes);
    };
    for (let seed = 0; seed < 20; seed++) expect((await check(seen, productKnown, { seed })).failures).toEqual([]);
    expect(most).toBeGreaterThan(2 ** 15);
    expect(least).toBeLessThan(2 ** -15);
    const cut =
      (isLost: (size: number) => boolean): Jvp =>
      (inputs, tangents, shapes) => {
        const kept = Object.fromEntries(
          Object.entries(tangents).map(([name, t]) => [name, t.map((v) => (isLost(Math.abs(v)) ? 0 : v))]),
        );
        return right(inputs, kept, shapes);
      };
    for (const isLost of [(size: number) => size > 1e3, (size: number) => size < 0.5]) {
      expect(codes((await check(cut(isLost))).failures)).toContain('tangent');
    }
  });
});

describe('J t', () => {
  it('that is wrong in some elements is reported at the worst, with what it may be', async () => {
    const jvp = changed((t, i) => t + [0, 0.5, 0, -2000, 0, 1][i]);
    const { failures, asked } = await check(jvp);
    const expected = (right({ ...productInputs }, asked, {}) as Float64Array)[3];
    expect(codes(failures)).toEqual(['tangent', 'adjoint']);
    const [tangent] = failures;
    expect(tangent).toMatchObject({
      index: [1, 1],
      analytic: expected - 2000,
      numeric: expected,
      wrong: 3,
      compared: 6,
    });
    const { lo, hi } = tangent as { lo: number; hi: number };
    expect(lo).toBeLessThan(expected);
    expect(hi).toBeGreaterThan(expected);
    expect(hi - lo).toBeLessThan(1e-11);
  });

  it('may be what the intervals of the derivatives allow, and no more', async () => {
    // |tx|·by + |tw|·by around the right one.
    const by = 0.125;
    const { asked } = await check();
    for (const i of [0, 1, 5]) {
      const allowed = by * (Math.abs(asked.x[i]) + Math.abs(asked.w[i % 2]));
      for (const sign of [1, -1]) {
        expect(codes((await check(off(sign * allowed, i), wide(by))).failures)).not.toContain('tangent');
        const beyond = await check(off(sign * allowed * 1.001, i), wide(by));
        expect(beyond.failures[0]).toMatchObject({ code: 'tangent', wrong: 1, index: [Math.floor(i / 2), i % 2] });
      }
    }
  });

  it('may be off by what rounding does to the terms, and by what is hidden, no more', async () => {
    // 2·u·roundings·(|w·tx| + |x·tw|), beside derivatives that are known exactly.
    const { asked } = await check();
    const [x, w] = [productInputs.x[3], productInputs.w[1]];
    const allowed = 2 * u * 4 * (Math.abs(w * asked.x[3]) + Math.abs(x * asked.w[1]));
    const along =
      (by: number): Jvp =>
      (...of) => {
        const isNarrow = Object.values(of[1]).every((t) => t.every((v) => Math.abs(v) <= 2.5));
        return isNarrow ? off(by, 3)(...of) : right(...of);
      };
    let calls = 0;
    const counted = (jvp: Jvp): Jvp => {
      calls = 0;
      return (...of) => {
        calls++;
        return jvp(...of);
      };
    };
    expect((await check(counted(along(0.9 * allowed)))).failures).toEqual([]);
    expect(calls).toBe(3);
    // Beyond that rounding is measured.
    expect((await check(counted(along(1.1 * allowed)))).failures).toEqual([]);
    expect(calls).toBeGreaterThan(3);
    expect(codes((await check(along(20 * allowed))).failures)).toContain('tangent');
    // More of them where more roundings may have been passed.
    expect((await check(counted(along(1.1 * allowed)), productKnown, { roundings: 8 })).failures).toEqual([]);
    expect(calls).toBe(3);
  });

  it('is not compared where a derivative is not known, which others do not suffer from', async () => {
    const unknown: Readonly<Record<string, Known>> = {
      ...productKnown,
      x: { ...productKnown.x, slope: (i, j) => (i === 2 ? Number.NaN : (productKnown.x.slope(i, j) as number)) },
    };
    expect((await check(right, unknown)).failures).toEqual([]);
    expect(codes((await check(off(1, 2), unknown)).failures)).toEqual(['adjoint']);
    expect((await check(off(1, 4), unknown)).failures[0]).toMatchObject({ code: 'tangent', wrong: 1, compared: 5 });
  });

  it('is not compared where an input was projected', async () => {
    const context = await contextOf({ ...product, jvp: off(1, 2) }, productInputs, productShapes, productKnown);
    for (const name of ['x', 'w']) {
      const numerics = context.numerics.map((numeric) =>
        numeric.name === name
          ? { ...numeric, projection: { directions: [], random: 0, together: 0, alone: [], left: 0 } }
          : numeric,
      );
      expect(codes((await checkForwardMode({ ...context, numerics })).failures)).toEqual(['adjoint']);
    }
  });

  it('is not compared where an interval has no end, and the adjoint identity all the same', async () => {
    const endless: Readonly<Record<string, Known>> = {
      ...productKnown,
      x: { ...productKnown.x, slope: (i) => (i === 2 ? [-Infinity, Infinity] : productInputs.w[i % 2]) },
    };
    expect((await check(right, endless)).failures).toEqual([]);
    expect(codes((await check(off(1, 2), endless)).failures)).toEqual(['adjoint']);
  });

  it('is the sum over all elements that an output depends on', async () => {
    const A = [
      [1, 2, 4],
      [8, 16, 32],
    ];
    const f: Differentiable = {
      forward: ({ x }) => Float64Array.from(A, (row) => row.reduce((sum, a, j) => sum + a * x[j], 0)),
      vjp: ({ x }, dy) => ({ x: x.map((_v, j) => A[0][j] * dy[0] + A[1][j] * dy[1]) }),
      jvp: (_inputs, { x: t }) => Float64Array.from(A, (row) => row.reduce((sum, a, j) => sum + a * t[j], 0)),
    };
    const known = { x: { structure: 'dense', slope: (i: number, j: number) => A[i][j] } } as const;
    const shapes = { x: [3], y: [2] };
    const at = { x: Float64Array.of(1, 2, 3) };
    expect((await checkForwardMode(await contextOf(f, at, shapes, known))).failures).toEqual([]);
    for (const i of [0, 1]) {
      const wrong: Jvp = (...of) => (f.jvp!(...of) as Float64Array).map((t, k) => (k === i ? t + 1 : t));
      const { failures } = await checkForwardMode(await contextOf({ ...f, jvp: wrong }, at, shapes, known));
      expect(failures[0]).toMatchObject({ code: 'tangent', index: [i], wrong: 1, compared: 2 });
    }
  });

  it('that is NaN is wrong', async () => {
    const { failures } = await check(changed((t, i) => (i === 4 ? Number.NaN : t)));
    expect(failures[0]).toMatchObject({ code: 'tangent', index: [2, 0], wrong: 1 });
  });

  it('is measured again before it is called wrong, by the elements that it depends on', async () => {
    // What was measured of output 3 was wrong; the tangent is right.
    const wrong: Readonly<Record<string, Known>> = {
      ...productKnown,
      x: { ...productKnown.x, slope: (i, j) => (i === 3 ? 7 : (productKnown.x.slope(i, j) as number)) },
    };
    const mended = ({ lo, hi, kinks }: Jacobian, name: string): Jacobian =>
      name === 'x' ? { lo: lo.with(3, -2), hi: hi.with(3, -2), kinks } : { lo, hi, kinks };
    const { failures, confirmed, context } = await check(right, wrong, {}, mended);
    expect(failures).toEqual([]);
    expect(confirmed).toEqual({ x: [3], w: [1] });
    expect(context.numerics[0].jacobian.lo[3]).toBe(-2);
    expect((await check(off(1, 0, 3))).confirmed).toEqual({ x: [0, 3], w: [0, 1] });
    expect((await check()).confirmed).toEqual({});
  });
});

describe('the adjoint identity', () => {
  it('sees what the intervals of finite differences are too wide for', async () => {
    expect(codes((await check(off(1e-9, 1), wide(1e-6))).failures)).toEqual(['adjoint']);
    for (const name of ['x', 'w']) {
      const wrong: Differentiable['vjp'] = async (...of) => {
        const gradients = await product.vjp(...of);
        return { ...gradients, [name]: gradients[name].map((g) => g + 1e-9) };
      };
      const given = await contextOf({ ...product, vjp: wrong }, productInputs, productShapes, wide(1e-6));
      expect(codes((await checkForwardMode(given)).failures)).toEqual(['adjoint']);
    }
  });

  it('is of both sums, which may differ by the roundings of the derivatives and of the terms', async () => {
    const dy = Float64Array.of(1, -2, 0.5, 1, 3, -1);
    const by = 1;
    const { failures, asked, context } = await check(off(8, 4), wide(by), { dy });
    expect(codes(failures)).toContain('adjoint');
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);
    const size = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + Math.abs(v * b[i]), 0);
    const tangent = [...(await right({ ...productInputs }, asked, {}))];
    const wrong = tangent.with(4, tangent[4] + 8);
    const gradients = (await product.vjp({ ...productInputs }, dy, {})) as Record<'x' | 'w', Float64Array>;
    const adjoint = adjointOf(context, { tangents: asked, ty: Float64Array.from(wrong), dy, gradients });
    expect(adjoint.forward).toBeCloseTo(dot(wrong, [...dy]), 12);
    expect(adjoint.reverse).toBeCloseTo(dot(tangent, [...dy]), 12);
    // Sizes of the terms: of <ty, dy>, of each <t, Jᵀdy>, and of dy by the largest of J t; 4 roundings of each derivative.
    const inner = tangent.map(
      (_t, i) =>
        (Math.abs(productInputs.w[i % 2]) + by) * Math.abs(asked.x[i]) +
        (Math.abs(productInputs.x[i]) + by) * Math.abs(asked.w[i % 2]),
    );
    const magnitude =
      size(wrong, [...dy]) +
      size([...asked.x], [...gradients.x]) +
      size([...asked.w], [...gradients.w]) +
      size(inner, [...dy]);
    expect(adjoint.allowed / (u * (2 * 4 + 6 + 6 + 2) * magnitude)).toBeCloseTo(1, 10);
  });

  it('allows just that', async () => {
    const { failures } = await check(off(8, 4), wide(10));
    const { allowed } = failures[0] as GradcheckFailure & { code: 'adjoint' };
    // dy is 1. The right product is exact: its factors have few bits.
    expect((await check(off(allowed / 4, 4), wide(10))).failures).toEqual([]);
    expect(codes((await check(off(4 * allowed, 4), wide(10))).failures)).toEqual(['adjoint']);
  });

  it('leaves out terms in which a factor is 0, whatever the other is', async () => {
    const dy = Float64Array.of(0, 1, 1, 1, 1, 1);
    const open = {
      ...productKnown,
      x: { ...productKnown.x, slope: (i: number) => (i === 0 ? Number.NaN : productInputs.w[i % 2]) },
    };
    const nan = (by: number): Jvp => changed((t, i) => (i === 0 ? Number.NaN : i === 1 ? t + by : t));
    expect((await check(nan(0), open, { dy })).failures).toEqual([]);
    expect(codes((await check(nan(1e-3), open, { dy })).failures)).toEqual(['tangent', 'adjoint']);
    // The same on the other side: a tangent of 0 at a gradient that is NaN.
    const wrong = { ...product, jvp: off(1e-4, 1) };
    const context = await contextOf(wrong, productInputs, productShapes, wide(1e-3));
    let tested = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { asked } = await check(right, productKnown, { seed });
      const at = asked.x.indexOf(0);
      if (at < 0) continue;
      tested++;
      const { draw } = await contextOf(product, productInputs, productShapes, productKnown, { seed });
      const x = context.gradients.x.with(at, Number.NaN);
      const gradients = { ...context.gradients, x };
      // Where both tangents are 0 nothing is allowed of the other.
      expect(codes((await checkForwardMode({ ...context, draw, gradients })).failures)).toContain('adjoint');
    }
    expect(tested).toBeGreaterThan(2);
  });
});

describe('what is not finite', () => {
  const spread = (size: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(k + 1));
  const squares: Differentiable = {
    forward: ({ x }) => Float64Array.of(x.reduce((sum, v) => sum + v * v, 0)),
    vjp: ({ x }, dy) => ({ x: x.map((v) => 2 * v * dy[0]) }),
  };
  const roots: Differentiable = {
    forward: ({ x }) => x.map((v) => Math.sqrt(Math.abs(v))),
    vjp: ({ x }, dy) => ({ x: x.map((v, i) => (Math.sign(v) * dy[i]) / (2 * Math.sqrt(Math.abs(v)))) }),
    jvp: ({ x }, { x: t }) => x.map((v, i) => (Math.sign(v) * t[i]) / (2 * Math.sqrt(Math.abs(v)))),
  };
  const found = async (f: Differentiable, x: Float64Array, options: GradcheckOptions = {}) => {
    const { failures, checks } = await gradcheck(f, { x }, options);
    return {
      codes: codes(failures),
      isSaid: checks.some((check) => /^forward mode(, not its adjoint| for NaN)/.test(check)),
    };
  };

  it('says what of forward mode was compared', async () => {
    const right: Differentiable = {
      ...squares,
      jvp: ({ x }, { x: t }) => Float64Array.of(x.reduce((sum, v, j) => sum + 2 * v * t[j], 0)),
    };
    const said = async (x: Float64Array) =>
      (await gradcheck(right, { x })).checks.find((check) => check.includes('forward mode'));
    expect(await said(spread(64))).toBe('forward mode and its adjoint');
    expect(await said(spread(65))).toBe('the adjoint of forward mode, not its elements, which are not known');
    expect(await said(spread(65).fill(Infinity))).toBe('forward mode for NaN and repetition alone');
  });

  it('in jvp alone is wrong, though an input without structure is measured along directions', async () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const wrong: Differentiable = { ...squares, jvp: () => Float64Array.of(value) };
      expect((await found(wrong, spread(65))).codes, `${value}`).toEqual(['adjoint']);
      expect((await found(wrong, spread(64))).codes, `${value}`).toEqual(['tangent', 'adjoint']);
    }
    const right: Differentiable = {
      ...squares,
      jvp: ({ x }, { x: t }) => Float64Array.of(x.reduce((sum, v, j) => sum + 2 * v * t[j], 0)),
    };
    expect(await found(right, spread(65))).toEqual({ codes: [], isSaid: false });
  });

  it('in both modes, or at inputs that are not finite, is let be, and said', async () => {
    expect(await found(roots, spread(5).with(2, 0))).toEqual({ codes: [], isSaid: true });
    const jvp = () => Float64Array.of(Number.NaN);
    for (const v of [Infinity, Number.NaN]) {
      expect(await found({ ...squares, jvp }, spread(65).with(7, v))).toEqual({ codes: [], isSaid: true });
    }
    const large = { dy: Float64Array.of(1e308) };
    const twice: Differentiable = {
      forward: ({ x }) => Float64Array.of(2 * x[0]),
      vjp: (_of, dy) => ({ x: dy.map((d) => 2 * d) }),
      jvp: (_of, { x: t }) => t.map((d) => 2 * d),
    };
    expect((await found(twice, spread(1), large)).codes).not.toContain('adjoint');
  });

  it('widens no bound: a dy of ∞ where ty is 0', async () => {
    const dy = Float64Array.of(Infinity, 1, 1, 1, 1, 1);
    const jvp = changed((t, i) => (i === 0 ? 0 : i === 1 ? t + 1e-3 : t));
    const context = await contextOf({ ...product, jvp }, productInputs, productShapes, productKnown, { dy });
    const gradients = await product.vjp(productInputs, dy.with(0, 0), {});
    expect(codes((await checkForwardMode({ ...context, gradients })).failures)).toEqual(['tangent', 'adjoint']);
  });
});

describe('beyond one tangent', () => {
  const declared = { structure: { x: 'elementwise', w: { trailing: 1 } } } as const;

  it('rounded to float32 it is wrong', async () => {
    const rounded: Jvp = (inputs, { x, w }, shapes) =>
      right(inputs, { x: x.map(Math.fround), w: w.map(Math.fround) }, shapes);
    expect(codes((await check(rounded)).failures)).toEqual(['tangent', 'adjoint']);
  });

  it('is asked for twice', async () => {
    let calls = 0;
    const worn: Jvp = (...of) => {
      calls++;
      return (right(...of) as Float64Array).map((t) => (calls > 1 ? t * (1 + 2 ** -50) : t));
    };
    expect((await check(worn)).failures).toMatchObject([{ code: 'non-deterministic', what: 'jvp' }]);
  });

  it('NaN in a tangent stays where the structure lets it be, of each input', async () => {
    for (const name of ['x', 'w']) {
      const spreads: Jvp = (inputs, tangents, shapes) => {
        const all = 0 * tangents[name].reduce((a, b) => a + b, 0);
        return (right(inputs, tangents, shapes) as Float64Array).map((t) => t + all);
      };
      expect((await check(spreads)).failures).toEqual([]);
      expect((await check(right, productKnown, { declared })).failures).toEqual([]);
      expect((await check(spreads, productKnown, { declared })).failures).toMatchObject([
        { code: 'spreads', from: expect.stringMatching(`tangent of .*${name}\\[`), to: 'ty' },
      ]);
      const batch = { declared: { batch: ['x'] } };
      expect((await check(spreads, productKnown, batch)).failures).toHaveLength(name === 'x' ? 1 : 0);
    }
  });
});

describe('a declared bound of the rounding of jvp', () => {
  const bounds = (ofTy: number, ofGradients: number): Rounding => ({
    forward: () => new Float64Array(6),
    vjp: () => ({ x: new Float64Array(6).fill(ofGradients), w: new Float64Array(2) }),
    jvp: () => new Float64Array(6).fill(ofTy),
  });

  it('stands in place of what is measured, for each output and with that of vjp for the adjoint', async () => {
    let calls = 0;
    const counted: Jvp = (...of) => {
      calls++;
      return off(1e-6, 1)(...of);
    };
    const codesWith = async (ofTy: number, ofGradients = 0) => {
      calls = 0;
      const found = codes(
        (await check(counted, productKnown, { declared: { rounding: bounds(ofTy, ofGradients) } })).failures,
      );
      expect(calls).toBe(3);
      return found;
    };
    expect(await codesWith(1.1e-6)).toEqual([]);
    expect(await codesWith(0.9e-6)).toContain('tangent');
    // Of six outputs, under a dy of 1.
    expect(await codesWith(1e-6 / 6.5)).toEqual(['tangent', 'adjoint']);
    expect(await codesWith(1e-6 / 5.5)).toEqual(['tangent']);
    expect(await codesWith(0, 1)).toEqual(['tangent']);
  });

  it('that is NaN leaves an output and the adjoint open', async () => {
    expect(codes((await check(off(1, 1), productKnown, { declared: { rounding: bounds(NaN, 0) } })).failures)).toEqual(
      [],
    );
    const { failures } = await check(off(1, 1), productKnown, { declared: { rounding: bounds(0, NaN) } });
    expect(codes(failures)).toEqual(['tangent']);
  });
});

describe('finite derivatives whose products overflow', () => {
  const large: Differentiable = {
    forward: ({ x, a }) => x.map((v) => v * a[0]),
    vjp: ({ x, a }, dy) => ({
      x: dy.map((d) => d * a[0]),
      a: Float64Array.of(dy.reduce((sum, d, i) => sum + d * x[i], 0)),
    }),
    jvp: ({ x, a }, { x: tx, a: ta }) => x.map((v, i) => a[0] * tx[i] + v * ta[0]),
  };
  const inputs = { x: Float64Array.of(1.06e308, 3), a: Float64Array.of(0.25) };
  const shapes = { x: [2], a: [1], y: [2] };

  it('are compared small, and what is wrong is found', async () => {
    const wrongOne = (by: number): Differentiable => ({
      ...large,
      jvp: (...of) => (large.jvp!(...of) as Float64Array).map((t, i) => (i === 1 ? t * by : t)),
    });
    for (let seed = 1; seed <= 10; seed++) {
      expect(codes((await gradcheck(large, inputs, { shapes, seed })).failures)).toEqual([]);
    }
    const found = await Promise.all(
      [1, 2, 3, 4, 5].map(async (seed) => (await gradcheck(wrongOne(2), inputs, { shapes, seed })).failures.length),
    );
    expect(found.every((count) => count > 0)).toBe(true);
    const infinite: Differentiable = { ...large, jvp: ({ x }) => x.map(() => Number.POSITIVE_INFINITY) };
    expect(codes((await gradcheck(infinite, inputs, { shapes })).failures)).toContain('adjoint');
  });
});
