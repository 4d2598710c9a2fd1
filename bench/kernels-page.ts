import { table } from './table.ts';

/** Milliseconds, the lower quartile, the median and the upper quartile. */
type Spread = readonly number[];

/** Forward and backward of one pool on one backend. */
export interface KernelRow {
  readonly on: string;
  readonly shape: readonly number[];
  readonly ms: { readonly fused: Spread; readonly composed: Spread; readonly copy: Spread };
  /** Medians over the rounds of the ratio of two times of one round. */
  readonly composedByFused: number;
  readonly fusedByCopy: number;
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
bytes as x, y, dy, x and dx have. webgpu runs on a software driver here, where arithmetic counts more than memory.

${table(
  ['backend', 'shape', 'fused', 'composed', 'a copy', 'composed / fused', 'fused / copy'],
  rows.map(({ on, shape, ms: { fused, composed, copy }, composedByFused, fusedByCopy }) => [
    on,
    shape.join(' × '),
    spread(fused),
    spread(composed),
    spread(copy),
    composedByFused.toFixed(1),
    fusedByCopy.toFixed(1),
  ]),
)}

${rounds} rounds, all three by turns; ${machine.cores} cores, ${machine.model}; ${of.join(', ')}.${missing.join('')}
`;
}

function ms(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
