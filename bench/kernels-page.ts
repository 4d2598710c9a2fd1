import { table } from './table.ts';

/** Milliseconds, the lower quartile, the median and the upper quartile. */
type Spread = readonly number[];

/** Forward and backward of one pool on one backend. */
export interface KernelRow {
  readonly on: string;
  readonly shape: readonly number[];
  readonly ms: {
    readonly fused: Spread;
    readonly composed: Spread;
    readonly copy: Spread;
    /** On cpu, where the results of an op are new arrays. */
    readonly copyToNew?: Spread;
  };
  /** Medians over the rounds of the ratio of two times of one round. */
  readonly composedByFused: number;
  readonly fusedByCopy: number;
  readonly fusedByCopyToNew?: number;
}

/** `docs/benchmarks/kernels.json`. */
export interface KernelFigures {
  readonly rounds: number;
  readonly machine: { readonly cores: number; readonly model: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: Readonly<Record<string, string>>;
  readonly rows: readonly KernelRow[];
}

/** `docs/benchmarks/kernels.md`. */
export function kernelsPage({ rounds, machine, versions, absent, rows }: KernelFigures): string {
  const of = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const missing = Object.entries(absent).map(([name, why]) => ` ${name} was absent (${why}).`);
  const spread = ([low, median, high]: Spread) => `${ms(median!)} (${ms(low!)} to ${ms(high!)})`;
  return `# The kernels

Written by \`npm run bench\` from \`docs/benchmarks/kernels.json\`: milliseconds, median and quartiles, of forward and
backward of \`[relu, step]\`, one alpha a unit, by our own kernels (fused) and by stock ops (composed); and of moving as many
bytes between as many tensors, within memory that is there (and on cpu, where results are new arrays, into such). webgpu runs on a software driver here, where arithmetic counts more than memory.

${table(
  ['backend', 'shape', 'fused', 'composed', 'a copy', 'composed / fused', 'fused / copy'],
  rows.map(
    ({ on, shape, ms: { fused, composed, copy, copyToNew }, composedByFused, fusedByCopy, fusedByCopyToNew }) => [
      on,
      shape.join(' × '),
      spread(fused),
      spread(composed),
      `${spread(copy)}${copyToNew ? `; to new arrays ${spread(copyToNew)}` : ''}`,
      composedByFused.toFixed(2),
      `${fusedByCopy.toFixed(2)}${fusedByCopyToNew ? `; ${fusedByCopyToNew.toFixed(2)}` : ''}`,
    ],
  ),
)}

${rounds} rounds, all three by turns; ${machine.cores} cores, ${machine.model}; ${of.join(', ')}.${missing.join('')}
`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
