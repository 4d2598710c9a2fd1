import { targets } from '../impl/tfjs/targets-for-tests.ts';
import type { KernelRow } from './kernel-rows.ts';
import { type Run, ranOn } from './run.ts';
import { ms, table } from './table.ts';

/** `docs/benchmarks/kernels.json`. */
export interface KernelFigures extends Run {
  readonly rounds: number;
  readonly rows: readonly KernelRow[];
}

/** The section on the kernels. */
export function kernelsSection(figures: KernelFigures): string {
  const { rounds, rows, absent } = figures;
  const unknown = targets.filter((target) => !(target in absent) && rows.every(({ on }) => on !== target));
  const spread = ([low, median, high]: readonly number[]) => `${ms(median)} (${ms(low)} to ${ms(high)})`;
  return `## The kernels

Milliseconds, median and quartiles, of forward and backward of \`[relu, step]\` by our own kernels (fused) and by stock
ops (composed); and of copying as many bytes between as many tensors, in memory that is already allocated. On cpu the
limit is the copy into new arrays, since an op must make arrays for its results. webgl and webgpu run on a software driver
here, where arithmetic costs more than memory. What is shared along axis 2 alone is transposed first.

${table(
  ['backend', 'shape', 'alpha by', 'fused', 'composed', 'a copy', 'composed / fused', 'fused / copy'],
  rows.map(
    ({
      on,
      shape,
      sharing,
      ms: { fused, composed, copy, copyToNew },
      composedByFused,
      fusedByCopy,
      fusedByCopyToNew,
    }) => [
      on,
      shape.join('×'),
      typeof sharing === 'string' ? sharing : `sharedAxes ${sharing.sharedAxes.join()}`,
      spread(fused),
      spread(composed),
      `${spread(copy)}${copyToNew ? `; to new arrays ${spread(copyToNew)}` : ''}`,
      composedByFused.toFixed(2),
      `${fusedByCopy.toFixed(2)}${fusedByCopyToNew ? `; ${fusedByCopyToNew.toFixed(2)}` : ''}`,
    ],
  ),
)}

${rounds} rounds, all by turns; ${ranOn(figures)}${unknown.length > 0 ? ` Not measured yet: ${unknown.join(', ')}.` : ''}`;
}
