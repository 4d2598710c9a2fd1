import { expect, it } from 'vitest';
import type { Comparison, Numeric } from './compare.ts';
import { gradientCheck, inputReport } from './input-report.ts';
import type { MeasuredKink } from './jacobian.ts';
import { layoutOf } from './layout.ts';
import type { InputReport } from './report.ts';

const side = (value: number, slope: number) =>
  ({ value, slope, valueError: 0, slopeError: 0, joined: true, good: true }) as never;
const kink = (element: number): MeasuredKink => ({
  element,
  output: 1,
  derivative: 0,
  declared: undefined,
  left: side(1, -8),
  right: side(4, 16),
});
const comparison = {
  summary: { compared: 1, open: 0, vacuous: 0, worst: undefined },
  sees: () => undefined,
} as unknown as Comparison;

it('kinks of an input along directions are those of the elements that were moved alone, in their own units', () => {
  const values = Float64Array.of(9, 0, 8, 5);
  const directions = [Float64Array.of(8, 0, 8, 0), Float64Array.of(0, 1, 0, 0), Float64Array.of(0, 0, 0, 4)];
  const numeric: Numeric = {
    name: 'x',
    layout: layoutOf('x', 'dense', [3], [2]),
    jacobian: { lo: new Float64Array(6), hi: new Float64Array(6), kinks: [kink(0), kink(2), kink(1)] },
    confirm: () => Promise.reject(new Error('not asked for')),
    shape: [2, 2],
    values,
    noise: new Float64Array(2),
    kinksOf: undefined,
    projection: { directions, random: 1, together: 2, alone: [1, 3], left: 0 },
  };
  const { kinks, kinkCount, structure, projection } = inputReport(comparison, numeric, {}, { x: [2, 2], y: [2] });
  const found = { output: [1], declared: false, jump: 3 };
  expect(kinks).toEqual([
    { ...found, element: [1, 1], at: 5, left: -2, right: 4 },
    { ...found, element: [0, 1], at: 0, left: -8, right: 16 },
  ]);
  expect([structure, kinkCount, projection]).toEqual(['projected', 2, { random: 1, together: 2, alone: 2 }]);
});

it('says in words what was compared', () => {
  const report = (name: string, structure: string, compared: number, open: number) =>
    ({ name, structure, compared, open }) as InputReport;
  expect(gradientCheck([])).toBe('no gradient');
  expect(gradientCheck([report('x', 'elementwise', 3, 0), report('w', 'dense', 2, 0)])).toBe(
    'gradient of every element',
  );
  expect(
    gradientCheck([report('x', 'elementwise', 3, 1), report('v', 'projected', 5, 1), report('w', 'dense', 2, 0)]),
  ).toBe('gradient of 5 of 6 elements, gradient of v along directions');
});
