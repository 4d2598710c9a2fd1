import { describe, expect, it } from 'vitest';
import type { Case } from '../reference/case.ts';
import { judge } from './judge.ts';

const one = (changed: Partial<Case>): Case => ({
  dtype: 'f32',
  pool: { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'free' } },
  shape: [1],
  x: Float64Array.of(1),
  alpha: Float64Array.of(1, 1),
  dy: Float64Array.of(1),
  ...changed,
});
const dx = (value: number) => new Map([['dx', Float64Array.of(value)]] as const);

describe('judge', () => {
  it('lets a flushed x leave an infinite dy out of dx, but only where subnormals may be flushed', () => {
    const c = one({ x: Float64Array.of(2 ** -149), dy: Float64Array.of(-Infinity) });
    expect(judge(c, ['ftz'], dx(0)).finding).toBeUndefined();
    expect(judge(c, [], dx(0)).finding).toBeDefined();
  });

  it('lets dy times a coefficient overflow before a small derivative brings it back (spec §5, overflow rule)', () => {
    const pool = { branches: ['sigmoid'], sharing: 'layer', constraint: { kind: 'free' } } as const;
    const large = { pool, x: Float64Array.of(16), alpha: Float64Array.of(-4) };
    const c = one({ ...large, dy: Float64Array.of(Math.fround(9.75e37)) });
    expect(judge(c, [], dx(-Infinity)).finding).toBeUndefined();
    expect(judge(one({ ...large, dy: Float64Array.of(Math.fround(1e30)) }), [], dx(-Infinity)).finding).toBeDefined();
  });

  it('lets dy times a coefficient overflow beside the derivative 0 of an infinite x', () => {
    const pool = { branches: ['halfSquare'], sharing: 'layer', constraint: { kind: 'free' } } as const;
    const at = (dy: number) =>
      one({ pool, x: Float64Array.of(-Infinity), alpha: Float64Array.of(4), dy: Float64Array.of(Math.fround(dy)) });
    expect(judge(at(1e38), [], dx(NaN)).finding).toBeUndefined();
    expect(judge(at(1e30), [], dx(NaN)).finding).toBeDefined();
  });

  it('judges an infinite or NaN coefficient where it must show, and what is finite beside it', () => {
    const y = (...values: number[]) => new Map([['y', Float64Array.of(...values)]] as const);
    const of = (alpha: number) =>
      one({
        pool: { branches: ['identity'], sharing: 'layer', constraint: { kind: 'free' } },
        alpha: Float64Array.of(alpha),
      });
    expect(judge(of(-Infinity), [], y(-Infinity)).finding).toBeUndefined();
    expect(judge(of(-Infinity), [], y(Infinity)).finding).toBeDefined();
    expect(judge(of(NaN), [], y(NaN)).finding).toBeUndefined();
    expect(judge(of(NaN), [], y(0)).finding).toBeDefined();
  });
});
