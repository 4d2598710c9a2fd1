import type * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inPattern, isOfPlainSum, type Pattern, patternOf, turnCount } from './patterns.ts';

/** Answers one after the other, and what was asked for: the least and the largest integer. */
function scripted(...answers: number[]) {
  const asked: string[] = [];
  const nextInt = (lo: number, hi: number) => {
    asked.push(`${lo}-${hi}`);
    return answers[asked.length - 1];
  };
  return { random: { nextInt } as fc.Random, asked };
}

/** The tensor in this pattern, by these answers, all of which are asked for in these bounds. */
function made(pattern: Pattern, values: number[], shape: number[], script: [string, number][] = [], least = -Infinity) {
  const { random, asked } = scripted(...script.map(([, answer]) => answer));
  const tensor = { values: Float64Array.from(values), shape, isAllowed: (v: number) => v >= least };
  const answer = [...inPattern(pattern, tensor, random)];
  expect(asked).toEqual(script.map(([bounds]) => bounds));
  expect([...tensor.values]).toEqual(values);
  return answer;
}
/** Yes or no: heads are 0. */
const heads: [string, number] = ['0-1', 0];
const tails: [string, number] = ['0-1', 1];

it('the turns begin anew after twenty, of ones after five', () => {
  for (let run = 0; run < turnCount; run++) {
    expect(patternOf(run + turnCount)).toBe(patternOf(run));
    expect(isOfPlainSum(run)).toBe(run % 5 === 3);
  }
  expect([patternOf(2), patternOf(3)]).toEqual(['zero', 'free']);
});

describe('elements that are alike', () => {
  it('are as they were drawn where they are free, or none', () => {
    expect(made('free', [0.3, -2], [2])).toEqual([0.3, -2]);
    for (const pattern of ['zero', 'constant', 'lines', 'ties', 'negative', 'positive'] as const) {
      expect(made(pattern, [], [0, 3])).toEqual([]);
    }
  });

  it('are all 0, or if that is not allowed all the first', () => {
    expect(made('zero', [0.3, -2], [2])).toEqual([0, 0]);
    expect(made('zero', [2, 3], [2], [], 0.1)).toEqual([2, 2]);
  });

  it.each([
    [0.3, 0.25],
    [-0.3, -0.25],
    [2.56, 2.5],
    [0.01, 0.125],
    [-0.01, -0.125],
    [0, 0],
  ])('are all %d, of few bits', (first, few) => {
    expect(made('constant', [first, 1, 2], [3])).toEqual([few, few, few]);
    // As it is where fewer bits are not allowed.
    const [constant] = made('constant', [first, 1, 2], [3], [], first);
    expect(constant).toBe(Math.max(few, first));
  });

  it('are of one sign, 1 for 0, as far as that is allowed', () => {
    expect(made('negative', [1, -2, 0], [3])).toEqual([-1, -2, -1]);
    expect(made('positive', [1, -2, 0], [3])).toEqual([1, 2, 1]);
    expect(made('negative', [1, -2, 0, 3], [4], [], -2)).toEqual([-1, -2, -1, 3]);
  });
});

describe('constant lines', () => {
  const cube = [1, 2, 3, 4, 5, 6, 7, 8];

  it('lie along the last axis, one of them always', () => {
    const script = (always: number, ...others: [string, number][]): [string, number][] => [
      heads,
      tails,
      ['0-1', always],
      ...others,
    ];
    const x = [1, 2, 3, 4, 5, 6];
    expect(made('lines', x, [2, 3], script(0, tails, tails))).toEqual([1, 1, 1, 4, 5, 6]);
    expect(made('lines', x, [2, 3], script(1, tails, tails))).toEqual([1, 2, 3, 4, 4, 4]);
    expect(made('lines', x, [2, 3], script(0, tails, heads))).toEqual([1, 1, 1, 4, 4, 4]);
    expect(made('lines', x, [2, 3], script(1, heads, tails))).toEqual([1, 1, 1, 4, 4, 4]);
  });

  it('of few bits, also where these are NaN or 0 at first', () => {
    const one: [string, number][] = [heads, heads, ['0-0', 0], heads];
    expect(made('lines', [0.3, 2, 3], [3], one)).toEqual([0.25, 0.25, 0.25]);
    expect(made('lines', [0, 2, 3], [3], one)).toEqual([0, 0, 0]);
  });

  it('along any axis: those of an index of each other one', () => {
    const script: [string, number][] = [tails, ['0-2', 1], tails, ['0-3', 3], heads, tails, tails, tails];
    // Elements 0 and 2, and 5 and 7.
    expect(made('lines', cube, [2, 2, 2], script)).toEqual([1, 2, 1, 4, 5, 6, 7, 6]);
    const first: [string, number][] = [tails, ['0-2', 0], tails, ['0-3', 1], tails, tails, tails, tails];
    expect(made('lines', cube, [2, 2, 2], first)).toEqual([1, 2, 3, 4, 5, 2, 7, 8]);
  });

  it('or blocks from an axis on', () => {
    const script: [string, number][] = [tails, ['0-2', 1], heads, ['0-1', 1], tails, tails];
    expect(made('lines', cube, [2, 2, 2], script)).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
    const whole: [string, number][] = [tails, ['0-2', 0], heads, ['0-0', 0], tails];
    expect(made('lines', cube, [2, 2, 2], whole)).toEqual(new Array(8).fill(1));
  });

  it('are none of a number alone', () => {
    expect(made('lines', [0.3], [])).toEqual([0.3]);
  });
});

describe('ties', () => {
  it('are with the one before along an axis, of few bits', () => {
    const x = [0.3, 2, 3, 4, 5, 6];
    // The second as the first along the last axis, the fourth as that above it.
    const script: [string, number][] = [heads, tails, ['0-1', 1], heads, heads, tails, ['0-1', 0], heads, heads, heads];
    expect(made('ties', x, [2, 3], script)).toEqual([0.25, 0.25, 3, 0.25, 5, 6]);
  });

  it('or with any other, as where there is none before', () => {
    const x = [1, 2, 3, 4];
    const none: [string, number][] = [tails, ['0-1', 1], heads, ['0-3', 3], heads, heads, heads];
    expect(made('ties', x, [2, 2], none)).toEqual([4, 2, 3, 4]);
    const other: [string, number][] = [heads, heads, heads, tails, ['0-1', 1], tails, ['0-3', 1]];
    expect(made('ties', x, [2, 2], other)).toEqual([1, 2, 3, 2]);
    const first: [string, number][] = [heads, tails, ['0-1', 1], heads, heads, heads];
    expect(made('ties', x, [2, 2], first)).toEqual([1, 1, 3, 4]);
  });

  it('of a number alone with itself', () => {
    expect(made('ties', [0.3], [], [tails, ['0-0', 0], heads, ['0-0', 0]])).toEqual([0.25]);
  });
});
