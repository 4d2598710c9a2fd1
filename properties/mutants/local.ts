import { change, inGroup, type Mutant, right, unitsOf } from './mutant.ts';

const mutant = inGroup('local');

const isPowerOfTwo = (x: number) => x > 0 && Number.isInteger(Math.log2(x)) && 2 ** Math.log2(x) === x;

export const local: readonly Mutant[] = [
  mutant('one-element-of-dx', 'the last element of dx is wrong by 1e-5 of itself', (c) =>
    change(c, 'dx', (dx, i) => (i === c.x.length - 1 ? dx * (1 + 1e-5) : dx)),
  ),
  mutant('one-element-of-y', 'the middle element of y is wrong by 1e-6 of itself', (c) =>
    change(c, 'y', (y, i) => (i === c.x.length >> 1 ? y * (1 + 1e-6) : y)),
  ),
  mutant('one-element-of-dalpha', 'the last element of dalpha is wrong by 1e-6 of itself', (c) =>
    change(c, 'dalpha', (d, k) => (k === c.alpha.length - 1 ? d * (1 + 1e-6) : d)),
  ),
  mutant('first-of-dx-is-zero', 'the first element of dx is left 0', (c) =>
    change(c, 'dx', (dx, i) => (i === 0 ? 0 : dx)),
  ),
  mutant('power-of-two-of-y', 'y is wrong where x is a power of two', (c) =>
    change(c, 'y', (y, i) => (isPowerOfTwo(c.x[i]) ? y * (1 + 2 ** -45) : y)),
  ),
  mutant('neighbours-exchanged', 'the elements 6 and 7 of dx are exchanged', (c) => {
    const { dx, ...answer } = right(c);
    return { ...answer, dx: dx.map((v, i) => (i === 6 ? (dx[7] ?? v) : i === 7 ? dx[6] : v)) };
  }),
  mutant('last-unit-of-first-row', 'y of the last unit of the first row has the opposite sign', (c) =>
    change(c, 'y', (y, i) => (i === unitsOf(c) - 1 ? -y : y)),
  ),
  mutant('element-left-out', 'dalpha leaves out the element 5 of x', (c) => ({
    ...right(c),
    dalpha: right({ ...c, dy: c.dy.map((d, i) => (i === 5 ? 0 : d)) }).dalpha,
  })),
  mutant('ones-are-a-mean', 'a dy of ones is taken for that of a mean in dalpha', (c) =>
    c.dy.length > 1 && c.dy.every((d) => d === 1) ? change(c, 'dalpha', (d) => d / c.dy.length) : right(c),
  ),
];
