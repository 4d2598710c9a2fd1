import type { BackendName } from '../impl/tfjs/backends.ts';
import type { ConvnetFigures } from './convnet.ts';
import type { DropoutRow } from './dropout.ts';
import { type Run, ranOn } from './run.ts';
import { ms, table } from './table.ts';

/** The backends of Node, on which steps are measured. */
export const nodeBackends: readonly BackendName[] = ['cpu', 'wasm', 'tensorflow', 'webgpu'];

/** Those that make few rounds; webgpu where its driver is software. */
export const slowBackends: readonly BackendName[] = ['cpu', 'webgpu'];

/** Whose step, with which activation. */
export interface Participant {
  readonly on: string;
  readonly activation: string;
}

/** Milliseconds of a step. */
export interface StepRow extends Participant {
  readonly batch: number;
  readonly median: number;
  readonly quartiles: readonly [number, number];
}

/** The median over the rounds of the ratio of two steps of one round, and the most that is asked for. */
export interface Ratio {
  readonly batch: number;
  readonly what: string;
  readonly ratio: number;
  readonly quartiles: readonly [number, number];
  readonly required: number;
}

/** `docs/benchmarks/training.json`. */
export interface TrainingFigures extends Run {
  /** Of the slow backends and of the others. */
  readonly rounds: { readonly cpu: number; readonly others: number };
  readonly rows: readonly StepRow[];
  readonly ratios: readonly Ratio[];
  readonly dropout: readonly DropoutRow[];
  readonly convnet: ConvnetFigures;
}

/** The section on training. */
export function trainingSection(figures: TrainingFigures): string {
  const { rounds, rows, absent, ratios, dropout, convnet } = figures;
  const unknown = nodeBackends.filter((name) => !(name in absent) && rows.every(({ on }) => on !== name));
  const columns = [...new Set(rows.map(({ on }) => on))];
  const lines = [...new Set(rows.map(({ batch, activation }) => `${batch}|${activation}`))].map((key) => {
    const [batch, activation] = key.split('|');
    const cells = columns.map((on) => {
      const row = rows.find((row) => row.on === on && row.activation === activation && `${row.batch}` === batch);
      return row ? `${ms(row.median)} (${ms(row.quartiles[0])} to ${ms(row.quartiles[1])})` : '';
    });
    return [batch, activation, ...cells];
  });
  return `## A training step

Milliseconds, median and quartiles, of one step of 784-512-512-10 by SGD with Nesterov momentum, without dropout. PyTorch
uses one thread, wasm two (\`installWasmKernels({ threads: 2 })\`), tensorflow as many as it chooses.${unknown.length > 0 ? ` Not measured yet: ${unknown.join(', ')}.` : ''}

${table(['batch', 'activation', ...columns], lines)}

${table(
  ['batch', 'ratio of steps in one round', 'median, quartiles', 'at most'],
  ratios.map(({ batch, what, ratio, quartiles, required }) => [
    `${batch}`,
    what,
    `${ratio.toFixed(3)} (${quartiles.map((v) => v.toFixed(3)).join(' to ')})`,
    // By the ratio itself, which rounding may make equal to what it exceeds.
    ratio > required ? `${required}, missed` : `${required}`,
  ]),
)}

A dense layer of 512 to 512 units and the seeded dropout behind it, forward and backward, milliseconds:

${table(
  ['batch', 'backend', 'layer', 'dropout'],
  dropout.map(({ batch, on, layer, dropout }) => [`${batch}`, on, ms(layer), ms(dropout)]),
)}

A convnet (convolution 3·3·32 twice, max pooling, dropout, dense; 28·28 ${convnet.images}, batch ${convnet.batch}): the largest relative
difference from cpu's losses in ${convnet.steps} steps.

${table(
  ['losses of', 'farthest from cpu'],
  [
    ...Object.entries(convnet.differences).map(([on, value]) => [on, value.toExponential(1)]),
    ['cpu, summed by halves of the batch', convnet.spread.toExponential(1)],
  ],
)}

${rounds.others} rounds, ${rounds.cpu} of ${slowBackends.filter((name) => columns.includes(name)).join(' and ')}, all by turns in one run; ${ranOn(figures)}`;
}
