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

it('an input is reported with its structure, the first eight kinks, and what was compared', () => {
  const kinks = Array.from({ length: 9 }, (_, k) => ({ ...kink(k), ...(k === 0 && { declared: { at: 0 } }) }));
  const numeric: Numeric = {
    name: 'x',
    layout: layoutOf('x', 'elementwise', [3, 3], [3, 3]),
    jacobian: { lo: new Float64Array(9), hi: new Float64Array(9), kinks },
    confirm: () => Promise.reject(new Error('not asked for')),
    shape: [3, 3],
    values: Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8),
    noise: new Float64Array(9),
    kinksOf: undefined,
    projection: undefined,
  };
  let asked = 0;
  const sees = { everywhere: 2, median: 1, absolute: false };
  const counted: Comparison = {
    ...comparison,
    sees() {
      asked++;
      return sees;
    },
  };
  const shapes = { x: [3, 3], y: [3, 3] };
  const report = inputReport(counted, numeric, { structure: { w: 'rows' } }, shapes);
  expect(asked).toBe(0);
  expect(report).toMatchObject({ ...comparison.summary, name: 'x', shape: [3, 3], structure: 'elementwise', sees });
  expect(report).not.toHaveProperty('projection');
  expect([report.declared, report.kinkCount, report.kinks.length]).toEqual([false, 9, 8]);
  const found = { output: [0, 1], left: -8, right: 16, jump: 3 };
  expect(report.kinks[0]).toEqual({ ...found, element: [0, 0], at: 0, declared: true });
  expect(report.kinks[5]).toEqual({ ...found, element: [1, 2], at: 5, declared: false });
  expect(inputReport(counted, numeric, { structure: { x: 'elementwise' } }, shapes).declared).toBe(true);
  expect(inputReport(counted, numeric, {}, shapes).declared).toBe(false);
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
