import { expect, it, vi } from 'vitest';
import { backwardArrays, forwardArrays } from './arrays.ts';
import type { PoolAttributes } from './kernel.ts';

it.each<[string, PoolAttributes['view']]>([
  ['columns', [2, 300_000, 1]],
  ['runs', [2, 3, 100_000]],
  ['one run', [1, 1, 600_000]],
])('however large a tensor of %s is, the memory that it passes through stays below 512 KB', (_, view) => {
  const [A, B, C] = view;
  const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
  const x = Float32Array.from({ length: A * B * C }, (_, i) => (i % 5) - 2);
  const alpha = Float32Array.from({ length: 2 * B }, (_, i) => (i % 3) + 1);
  const dy = new Float32Array(x.length).fill(1);
  const pool = { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' }, view } as const;
  const y = forwardArrays(x, alpha, pool);
  const { dx, dalpha } = backwardArrays(dy, x, alpha, pool);
  expect(grow.mock.calls.reduce((pages, [more]) => pages + more, 1)).toBeLessThanOrEqual(8);
  grow.mockRestore();

  const [sums, failures] = [new Float32Array(2 * B), [] as number[]];
  for (const [i, v] of x.entries()) {
    const b = Math.floor(i / C) % B;
    const [P, D] = [alpha[b]!, alpha[B + b]!];
    if (y[i] !== (v > 0 ? P * v + D : 0) || dx[i] !== (v > 0 ? P : 0)) failures.push(i);
    sums[b]! += Math.max(v, 0);
    sums[B + b]! += v > 0 ? 1 : 0;
  }
  expect(failures).toEqual([]);
  expect(dalpha).toEqual(sums);
});
