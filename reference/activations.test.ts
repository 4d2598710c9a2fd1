import { describe, expect, it } from 'vitest';
import {
  type Activation,
  concat,
  mrelu,
  pap,
  papClipped,
  papLayer,
  papNearRelu,
  papSumToOne,
  prelu,
  relu,
} from './activations.ts';
import { kappa } from './constraints.ts';
import { parameterLayout } from './parameters.ts';

const all: readonly Activation[] = [
  relu,
  mrelu(0.8),
  mrelu(0.5),
  pap,
  papLayer,
  papNearRelu,
  papClipped,
  papSumToOne,
  concat,
  prelu,
];

describe.each(all.map((activation): [string, Activation] => [activation.name, activation]))(
  '%s',
  (name, activation) => {
    const { pool, start, trained, maps } = activation;
    const { rows } = parameterLayout(pool, [1, 4]);

    it('has a start and a flag for each row of alpha', () => {
      expect([start.length, trained.length]).toEqual([rows, rows]);
    });

    it('has another name than the others', () => {
      expect(all.filter((other) => other.name === name)).toEqual([activation]);
    });

    it('trains none of a constraint that fixes all, and some of any other', () => {
      expect(trained.some((is) => is)).toBe(pool.constraint.kind !== 'fixed');
    });

    it('starts within its constraint, as relu, or with coefficients that sum to 1 but for feature maps and PReLU', () => {
      const { c } = kappa(pool.constraint, start, pool.branches.length);
      const sum = c.reduce((total, v) => total + v, 0);
      expect(sum).toBeCloseTo(maps === 2 ? 2 : name === 'prelu' ? 1.25 : 1, 12);
      if (pool.constraint.kind === 'clip') expect(c).toEqual(pool.constraint.bounds);
    });
  },
);

it('MReLU is P and 1 - P, and names a P that is none', () => {
  expect(mrelu(0.8)).toMatchObject({ name: 'mrelu-0.8', start: [0.8, 1 - 0.8], trained: [false, false] });
  expect(() => mrelu('1' as never)).toThrow('mrelu: "P" expected a number, got string');
  expect(() => mrelu(Infinity)).toThrow('mrelu: "P" expected a finite number, got Infinity');
});

it('every PAP is of relu and step; they differ in what they share, where they start and what binds them', () => {
  for (const { pool } of [pap, papLayer, papNearRelu, papClipped, papSumToOne]) {
    expect(pool.branches).toEqual(['relu', 'step']);
  }
  expect([pap, papLayer, papNearRelu, papClipped, papSumToOne].map(({ pool }) => pool.sharing)).toEqual([
    'unit',
    'layer',
    'unit',
    'unit',
    'unit',
  ]);
  expect([pap.start, papNearRelu.start]).toEqual([
    [0.5, 0.5],
    [0.8, 0.2],
  ]);
  expect(papSumToOne).toMatchObject({ start: [0.5], trained: [true], pool: { constraint: { kind: 'sumToOne' } } });
  expect(pap.trained).toEqual([true, true]);
  expect(prelu.trained).toEqual([false, true]);
});
