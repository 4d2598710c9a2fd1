import { afterEach, expect, it, vi } from 'vitest';
import { backwardArrays, forwardArrays } from './arrays.ts';
import type { PoolAttributes } from './kernel.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it.each<[string, PoolAttributes['view']]>([
  ['columns', [2, 300_000, 1]],
  ['runs', [2, 3, 100_000]],
  ['one run', [1, 1, 600_000]],
])(
  'however large a tensor of %s is, the memory that it passes through is at most 512 KB, and is never detached',
  (_, view) => {
    const [A, B, C] = view;
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const pages: number[] = [];
    const Memory = class extends WebAssembly.Memory {
      constructor(given: WebAssembly.MemoryDescriptor) {
        super(given);
        pages.push(given.initial);
      }
    };
    vi.stubGlobal('WebAssembly', Object.defineProperty(Object.create(WebAssembly), 'Memory', { value: Memory }));
    const x = Float32Array.from({ length: A * B * C }, (_, i) => (i % 5) - 2);
    const alpha = Float32Array.from({ length: 2 * B }, (_, i) => (i % 3) + 1);
    const dy = new Float32Array(x.length).fill(1);
    const pool = { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' }, view } as const;
    const y = forwardArrays(x, alpha, pool);
    const { dx, dalpha } = backwardArrays(dy, x, alpha, pool);
    expect(Math.max(0, ...pages)).toBeLessThanOrEqual(8);
    expect(grow).not.toHaveBeenCalled();

    const [sums, failures] = [new Float32Array(2 * B), [] as number[]];
    for (const [i, v] of x.entries()) {
      const b = Math.floor(i / C) % B;
      const [P, D] = [alpha[b], alpha[B + b]];
      if (y[i] !== (v > 0 ? P * v + D : 0) || dx[i] !== (v > 0 ? P : 0)) failures.push(i);
      sums[b] += Math.max(v, 0);
      sums[B + b] += v > 0 ? 1 : 0;
    }
    expect(failures).toEqual([]);
    expect(dalpha).toEqual(sums);
  },
);
