import { expect, it } from 'vitest';
import { logTicks } from './picture.ts';

it('a logarithmic axis has ticks that are read at a glance', () => {
  expect(logTicks(0.05, 2.3)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2]);
  expect(logTicks(1e-5, 4)).toEqual([1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]);
});
