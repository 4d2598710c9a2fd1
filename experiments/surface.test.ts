import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { surfaceMeasures } from './surface.ts';

const offsets = [-2, -1, 0, 1, 2];

const measure = (f: (t1: number, t2: number) => number) =>
  surfaceMeasures({ losses: offsets.map((t1) => offsets.map((t2) => f(t1, t2))) }, offsets)!;

const angle = fc.double({ min: 0, max: Math.PI, noNaN: true });

/** `1 + λ₁u² + λ₂v²` in axes turned by an angle. */
const turned = (theta: number, lambda1: number, lambda2: number) => (t1: number, t2: number) => {
  const [c, s] = [Math.cos(theta), Math.sin(theta)];
  return 1 + lambda1 * (c * t1 + s * t2) ** 2 + lambda2 * (c * t2 - s * t1) ** 2;
};

describe('surfaceMeasures', () => {
  it('a quadratic has the anisotropy of its eigenvalues, however it is turned', () => {
    fc.assert(
      fc.property(angle, fc.double({ min: -1, max: 1, noNaN: true }), (theta, ratio) => {
        expect(measure(turned(theta, 1, ratio)).anisotropy).toBeCloseTo(1 - Math.abs(ratio), 9);
      }),
    );
  });

  it('a slope added to it changes neither anisotropy nor the second differences', () => {
    const bowl = turned(0.3, 1, 0.25);
    const tilted = (t1: number, t2: number) => bowl(t1, t2) + t1 / 4 - t2 / 8;
    const range = (f: typeof bowl) => {
      const all = offsets.flatMap((t1) => offsets.map((t2) => f(t1, t2)));
      return Math.max(...all) - Math.min(...all);
    };
    expect(measure(tilted).anisotropy).toBeCloseTo(measure(bowl).anisotropy, 9);
    expect(measure(tilted).roughness * range(tilted)).toBeCloseTo(measure(bowl).roughness * range(bowl), 9);
  });

  it('does not depend on the unit of the loss, nor anisotropy and roughness on what is added', () => {
    const f = turned(1, 0.5, -0.2);
    const [one, scaled, raised] = [measure(f), measure((a, b) => 3 * f(a, b)), measure((a, b) => f(a, b) + 5)];
    for (const key of ['anisotropy', 'roughness', 'depth'] as const) expect(scaled[key]).toBeCloseTo(one[key], 9);
    for (const key of ['anisotropy', 'roughness'] as const) expect(raised[key]).toBeCloseTo(one[key], 9);
  });

  it('a plane is not rough, a jump is', () => {
    const plane = (t1: number, t2: number) => 1 + t1 + t2;
    expect(measure(plane).roughness).toBe(0);
    expect(measure((t1, t2) => plane(t1, t2) + (t1 > 0 ? 5 : 0)).roughness).toBeGreaterThan(0.05);
  });

  it('depth is the rise to the border in shares of the loss in the middle', () => {
    // 4 at the corners, 2 and 1 … along the border of |t₁| + |t₂|: their mean is 3 + 1/4·… counted by hand.
    const border = [4, 3, 2, 3, 4, 3, 3, 2, 2, 3, 3, 4, 3, 2, 3, 4];
    const expected = border.reduce((sum, v) => sum + v, 0) / border.length / 2;
    expect(measure((t1, t2) => 2 + Math.abs(t1) + Math.abs(t2)).depth).toBeCloseTo(expected, 12);
  });

  it('has none for losses that are not finite, or all the same', () => {
    const flat = offsets.map(() => offsets.map(() => 1));
    expect(surfaceMeasures({ losses: flat }, offsets)).toBeUndefined();
    expect(surfaceMeasures({ losses: [[null, 1, 2, 3, 4], ...flat.slice(1)] }, offsets)).toBeUndefined();
  });

  it.each([
    [[-1, 0, 2], '"offsets"'],
    [[-1, 1], '"offsets"'],
    [[0], '"offsets"'],
    [[-1, 0, 1], '"losses"'],
  ])('refuses offsets %j', (wrong, message) => {
    expect(() => surfaceMeasures({ losses: offsets.map(() => offsets.map(() => 1)) }, wrong)).toThrow(message);
  });
});
