import { describe, expect, it } from 'vitest';
import { type DeclaredSides, type IsGood, isKink, offFrom, type Sides, sidesOf } from './sides.ts';

interface Limits {
  /** `[value, slope]` on either side of 0, the value at 0, and half of the second derivative. */
  readonly left: readonly [number, number];
  readonly right: readonly [number, number];
  readonly here: number;
  readonly bend?: number;
}

const isGood: IsGood = ({ slope, truncation, rounding }) =>
  truncation <= Math.max(rounding, 2 ** -27 * Math.max(1, Math.abs(slope)));
const noise = 2 ** -50;

/** What is seen of a function with these limits at one scale after another. */
function seen(
  limits: Limits,
  scales: readonly number[],
  good: IsGood = isGood,
  errors: readonly number[] = [],
  declared?: DeclaredSides,
): Sides {
  let sides: Sides | undefined;
  for (const h of scales) {
    const t = [h, -2 * h, -h, 2 * h];
    const f = t.map((v, k) => {
      const [value, slope] = v < 0 ? limits.left : limits.right;
      return value + slope * v + (limits.bend ?? 0) * v * v + (errors[k] ?? 0);
    });
    sides = sidesOf({ f0: limits.here, t, f, noise }, good, sides, declared);
  }
  return sides!;
}

const steps = [2 ** -15, 2 ** -25, 2 ** -35];
const sideNames = ['left', 'right'] as const;
const mirrored = ({ left, right, here, bend = 0 }: Limits): Limits => ({
  left: [right[0], -right[1]],
  right: [left[0], -left[1]],
  here,
  bend,
});

/** Each with the sides on which the value at 0 lies on the curve. */
const shapes: readonly (readonly [string, Limits, readonly ('left' | 'right')[]])[] = [
  ['a kink', { left: [0, 0], right: [0, 1], here: 0 }, ['left', 'right']],
  ['a kink between curves', { left: [2, -1], right: [2, 3], here: 2, bend: 5 }, ['left', 'right']],
  ['a jump', { left: [0, 0], right: [1, 0], here: 0 }, ['left']],
  ['a jump with a kink', { left: [0, 2], right: [1, 3], here: 0, bend: 1 }, ['left']],
  ['a value between two limits', { left: [-1, 1], right: [1, 2], here: 0 }, []],
  ['a small jump beside a large one', { left: [-0.03, 1], right: [1, 2], here: 0 }, []],
  ['a tiny jump beside a large one', { left: [-1e-4, 1], right: [1, 2], here: 0 }, []],
  ['a value of its own', { left: [0, 1], right: [0, 1], here: 1 }, []],
];

describe.each([
  ['', (limits: Limits) => limits],
  [', mirrored', mirrored],
] as const)('both sides of 0%s', (_, turn) => {
  it.each(shapes)('of %s are its limits, within small errors', (_name, limits, joined) => {
    const turned = turn(limits);
    const names = turn === mirrored ? joined.map((name) => (name === 'left' ? 'right' : 'left')) : joined;
    const sides = seen(turned, steps.slice(0, 2));
    expect(isKink(sides, limits.here)).toBe(true);
    for (const name of sideNames) {
      const { value, valueError, slope, slopeError, joined: isJoined, good } = sides[name];
      expect(isJoined, `${name} joined`).toBe(names.includes(name));
      expect(Math.abs(value - turned[name][0])).toBeLessThanOrEqual(valueError);
      expect(Math.abs(slope - turned[name][1])).toBeLessThanOrEqual(slopeError);
      // A straight side is seen exactly; of a curved one beside a jump, the change since the scale before is the error.
      expect(valueError).toBeLessThan(1e-7);
      expect(slopeError).toBeLessThan(1e-3);
      if ((limits.bend ?? 0) === 0) expect(good).toBe(true);
    }
  });

  it.each(shapes.filter(([, , joined]) => joined.length < 2))(
    'of %s: nothing is known of a limit beside a jump at the first scale',
    (_name, limits, joined) => {
      const sides = seen(turn(limits), steps.slice(0, 1));
      const apart = sideNames.filter((name) => !sides[name].joined);
      expect(apart.length).toBeGreaterThan(0);
      for (const name of apart) {
        expect(sides[name].slopeError).toBe(Number.POSITIVE_INFINITY);
        expect(sides[name].valueError).toBe(Number.POSITIVE_INFINITY);
        expect(sides[name].good).toBe(false);
      }
      if (joined.length === 1) expect(apart.length).toBe(1);
    },
  );
});

it('a smooth function has two sides alike, and no kink', () => {
  for (const bend of [0, 1, -50]) {
    const sides = seen({ left: [3, 2], right: [3, 2], here: 3, bend }, steps.slice(0, 1));
    expect(isKink(sides, 3)).toBe(false);
    for (const name of sideNames) {
      expect(sides[name]).toMatchObject({ joined: true, good: true, value: 3 });
      // With the largest jump that would look like this bend.
      expect(sides[name].valueError).toBeLessThanOrEqual(3 * noise + 4 * Math.abs(bend) * steps[0] ** 2);
      expect(sides[name].valueError).toBeGreaterThanOrEqual(noise);
      expect(sides[name].slope).toBeCloseTo(2, 10);
    }
  }
});

it('noise alone makes neither kink nor jump', () => {
  for (const errors of [
    [noise, -noise, noise, -noise],
    [-noise, noise, noise, noise],
  ]) {
    expect(isKink(seen({ left: [0, 1], right: [0, 1], here: 0 }, steps, isGood, errors), 0)).toBe(false);
  }
  // A kink of four times the rounding of both slopes is one.
  const step = steps[0];
  const clear = (16 * 2 * 4 * noise) / step;
  const exactOnly: IsGood = ({ truncation, rounding }) => truncation <= rounding;
  expect(isKink(seen({ left: [0, 0], right: [0, clear], here: 0 }, [step], exactOnly), 0)).toBe(true);
});

describe('a kink is called one', () => {
  const side = (joined: boolean, more: Partial<Sides['left']>): Sides['left'] => ({
    value: 3,
    slope: 1,
    valueError: 0.5,
    slopeError: 0.25,
    joined,
    good: true,
    beside: { value: 3, slope: 1 },
    curve: { slope: 1, truncation: 0.25, rounding: 0, bend: 0, step: 1 },
    ...more,
  });
  const isOne = (left: Sides['left'], right: Sides['left']) => isKink({ left, right } as Sides, 3);

  it('where slopes of joined sides differ by more than four times their errors', () => {
    for (const sign of [1, -1]) {
      const at = (slope: number) =>
        isOne(side(true, { slope: 1 }), side(true, { slope: 1 + sign * slope, slopeError: 0.5 }));
      expect([at(3), at(3.01)]).toEqual([false, true]);
    }
  });

  it('where the limit of a side that is not joined is further from the value than four times its error', () => {
    for (const sign of [1, -1]) {
      for (const other of [side(true, { slope: 9 }), side(false, {})]) {
        const at = (jump: number) => isOne(other, side(false, { value: 3 + sign * jump }));
        expect([at(0), at(2), at(2.01)]).toEqual([false, false, true]);
        expect(isOne(side(false, { value: 3 + sign * 2.01 }), other)).toBe(true);
      }
    }
  });
});

it('does not mistake a jump that cancels the curve beside it for a straight line', () => {
  const [wide, near] = [2 ** -15, 2 ** -25];
  const bend = 2 ** 20;
  // f(h) is D + x + bend·x²: near the point its second difference, 2·bend·h - D/h, is that of a line, or almost.
  for (const share of [1, 0.9, 1.5, 2]) {
    const D = share * 2 * bend * near ** 2;
    const limits: Limits = { left: [0, 1 - 2 ** 14], right: [D, 1], here: 0, bend };
    const { right } = seen(limits, [wide, near]);
    expect(Math.abs(right.slope - 1)).toBeLessThanOrEqual(right.slopeError);
    expect(Math.abs(right.value - D)).toBeLessThanOrEqual(right.valueError);
  }
});

it('keeps the reading of a wider scale beside a jump, where rounding grows as steps shrink', () => {
  const limits: Limits = { left: [0, 2], right: [1, 3], here: 0 };
  const errors = [noise, 0, 0, -noise];
  const [two, three] = [seen(limits, steps.slice(0, 2), isGood, errors), seen(limits, steps, isGood, errors)];
  expect(three.right).toEqual(two.right);
  expect(three.right.slope).toBeCloseTo(3, 6);
  // But not where the wider scale saw another slope, as of a kink that lies within it.
  const other = seen({ left: [0, 2], right: [1, 5], here: 0 }, steps.slice(0, 2));
  const t = [1, -2, -1, 2].map((k) => k * steps[2]);
  const f = t.map((v) => (v < 0 ? 2 * v : 1 + 3 * v));
  expect(sidesOf({ f0: 0, t, f, noise }, isGood, other).right.slope).toBeCloseTo(3, 3);
});

it('calls nothing good that is not', () => {
  const sides = seen({ left: [0, 0], right: [0, 1], here: 0 }, steps.slice(0, 2), () => false);
  for (const name of sideNames) expect(sides[name].good).toBe(false);
});

it('tells a jump that only shows at a small scale from a curve, also beside a kink', () => {
  // At the widest scale the jump is lost in the curve; below it grows like jump/h, and the kink is larger still.
  const limits: Limits = { left: [0, -2], right: [-2.458e-12, 0], here: 0, bend: 0.4 };
  for (const scales of [steps, steps.with(2, 1.37 * 2 ** -35)]) {
    const { right } = seen(limits, scales);
    expect(right.joined).toBe(false);
    expect(Math.abs(right.value - limits.right[0])).toBeLessThanOrEqual(right.valueError);
    expect(Math.abs(right.slope)).toBeLessThanOrEqual(right.slopeError);
  }
});

it('allows for a jump that no scale tells from curvature', () => {
  const limits: Limits = { left: [0, 0], right: [-2.5441661452902982e-14, 0.5], here: 0 };
  const { right } = seen(limits, steps.slice(0, 1));
  expect(right.joined).toBe(true);
  expect(Math.abs(right.value - limits.right[0])).toBeLessThanOrEqual(right.valueError);
  expect(right.valueError).toBeLessThan(1e-12);
  expect(Math.abs(right.slope - limits.right[1])).toBeLessThanOrEqual(right.slopeError);
});

it('knows the slope of a side on which f″ passes through 0', () => {
  const f = (v: number) =>
    7039.04443359375 * Math.tanh(v) - 1.8483890295028687 * Math.log1p(Math.exp(v)) + (v > 0 ? 0.9 * v * v : 0);
  const t = [1, -2, -1, 2].map((k) => k * steps[0]);
  const { left, right } = sidesOf({ f0: f(0), t, f: t.map(f), noise: 2 ** -51 }, isGood, undefined);
  const slope = 7039.04443359375 - 1.8483890295028687 / 2;
  for (const side of [left, right]) expect(Math.abs(side.slope - slope)).toBeLessThanOrEqual(side.slopeError);
});

it.each([2 ** -53, 2 ** -45, 2 ** -38, 2 ** -30])(
  'a jump of %d, however small, is within the errors of value and slope',
  (jump) => {
    for (const limits of [
      { left: [0, 0], right: [-jump, 0.5], here: 0 },
      { left: [jump, 0.5], right: [0, 0], here: 0 },
    ] as const) {
      const sides = seen(limits, steps.slice(0, 1));
      for (const side of sideNames) {
        const [value, slope] = limits[side];
        expect(Math.abs(sides[side].value - value)).toBeLessThanOrEqual(sides[side].valueError);
        expect(Math.abs(sides[side].slope - slope)).toBeLessThanOrEqual(sides[side].slopeError);
      }
    }
  },
);

describe('a limit that is declared apart from the value', () => {
  const bends = [0, 1, -3000, 2 ** 20];
  const jumps = [1, ...Array.from({ length: 24 }, (_, k) => 1.3 * 2 ** -(2 * k + 2))].flatMap((jump) => [jump, -jump]);
  const all = bends.flatMap((bend) => jumps.map((jump) => ({ bend, jump })));

  it('leaves slopes that are as good as without a jump, however small it is and whatever curve hides it', () => {
    for (const { bend, jump } of all) {
      const limits: Limits = { left: [0, 1], right: [jump, 3], here: 0, bend };
      const declared = { left: { value: 0, slope: 1 }, right: { value: jump, slope: 3 } };
      const sides = seen(limits, steps.slice(0, 2), isGood, [], declared);
      for (const name of sideNames) {
        expect(offFrom(declared[name], sides[name], noise), `${name}, bend ${bend}, jump ${jump}`).toEqual([]);
      }
      // What the values lose themselves, and the curve: at 2⁻²⁵, 1.5 times h·f″.
      expect(sides.right.slopeError).toBeLessThan(2 ** -20 + 2 ** -22 * Math.abs(bend));
      expect(sides.right.joined).toBe(Math.abs(jump) <= noise);
    }
  });

  it('and is still measured: another is seen, within what the curve leaves at the first scale', () => {
    for (const { bend, jump } of all) {
      const limits: Limits = { left: [0, 1], right: [jump, 3], here: 0, bend };
      const least = 16 * (noise + Math.abs(bend) * steps[0] ** 2);
      for (const off of [least, -least]) {
        const declared = { right: { value: jump + off, slope: 3 } };
        const { right } = seen(limits, steps.slice(0, 2), isGood, [], declared);
        expect(
          offFrom(declared.right, right, noise).map(({ quantity }) => quantity),
          `bend ${bend}, jump ${jump}`,
        ).toContain('value');
      }
    }
  });

  it('is not known at the first scale, where nothing shows the error of the limit', () => {
    const declared = { right: { value: 1, slope: 3 } };
    const { right } = seen({ left: [0, 1], right: [1, 3], here: 0 }, steps.slice(0, 1), isGood, [], declared);
    expect(right).toMatchObject({ joined: false, good: false, valueError: Number.POSITIVE_INFINITY });
    expect(Math.abs(right.slope - 3)).toBeLessThanOrEqual(right.slopeError);
  });

  it('within the noise of the value is none', () => {
    const limits: Limits = { left: [0, 1], right: [0, 3], here: 0, bend: 1 };
    for (const off of [noise, -noise]) {
      const declared = { left: { value: off, slope: 1 }, right: { value: off, slope: 3 } };
      expect(seen(limits, steps.slice(0, 1), isGood, [], declared)).toEqual(seen(limits, steps.slice(0, 1)));
    }
  });

  it('is not good where the curve beside it is not', () => {
    const declared = { right: { value: 1, slope: 3 } };
    const limits: Limits = { left: [0, 1], right: [1, 3], here: 0 };
    expect(seen(limits, steps.slice(0, 2), isGood, [], declared).right.good).toBe(true);
    expect(seen(limits, steps.slice(0, 2), () => false, [], declared).right.good).toBe(false);
  });
});
