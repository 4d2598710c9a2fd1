import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { dropoutMask, random } from '../../reference/index.ts';
import { openBackend } from './backends.ts';
import * as poolproof from './index.ts';

const page = readFileSync(new URL('../../docs/tensorflow.md', import.meta.url), 'utf8');
const snippets = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, snippet]) => snippet);

/** What a snippet prints, a line each, as JSON. */
async function outputOf(snippet: string): Promise<string[]> {
  const lines: string[] = [];
  const body = ts.transpile(snippet.replaceAll(/^import .*$/gm, ''), { target: ts.ScriptTarget.ES2023 });
  const imported = { ...poolproof, dropoutMask, random };
  const print = { log: (value: unknown) => lines.push(JSON.stringify(value)) };
  const main = `return (async () => {${body}\n})()`;
  await new Function('tf', 'console', ...Object.keys(imported), main)(tf, print, ...Object.values(imported));
  return lines;
}

describe('docs/tensorflow.md', () => {
  it.each(snippets)('has a snippet that prints what its comments say: %s', async (snippet) => {
    // What the imports of the snippets register.
    await openBackend('wasm');
    (await openBackend('cpu')).use();
    const said = [...snippet.matchAll(/^ *console\.log\(.*\/\/ (.*)$/gm)].map(([, text]) => text);
    expect(await outputOf(snippet)).toEqual(said);
  });

  it('says which shapes alpha has, and which branches there are', async () => {
    (await openBackend('cpu')).use();
    const shapeOf = (options: poolproof.ActivationPoolOptions) => {
      const layer = new poolproof.ActivationPool({ branches: ['relu', 'step'], ...options });
      layer.build([null, 4, 5]);
      return `\`${JSON.stringify(layer.getWeights()[0].shape).replaceAll(',', ', ')}\``;
    };
    const rows = [{}, { sharing: 'channel' }, { sharing: 'layer' }, { sharedAxes: [1] }] as const;
    const shapes = page.match(/^\| `.*`\[[\d, ]+\]` \|$/gm)!.map((line) => line.split('|').at(-2)!.trim());
    expect(shapes).toEqual(rows.map(shapeOf));
    for (const name of Object.keys((await import('./branches.ts')).branches)) expect(page).toContain(name);
  });

  it('says what stays missing on wasm', async () => {
    (await openBackend('wasm')).use();
    const restore = poolproof.installWasmKernels();
    const filter = tf.ones<tf.Rank.R4>([2, 2, 1, 1]);
    const depthwise = () =>
      tf.grad((x) => tf.depthwiseConv2d(x as tf.Tensor4D, filter, 1, 'same'))(tf.ones([1, 4, 4, 1]));
    expect(depthwise).toThrow("Kernel 'DepthwiseConv2dNativeBackpropInput' not registered for backend 'wasm'");
    restore();
  });

  it('says which padding is wrong in TensorFlow.js', async () => {
    (await openBackend('cpu')).use();
    const shapeOf = (pad: number | 'valid') =>
      tf.conv2d(tf.ones<tf.Rank.R4>([1, 5, 5, 1]), tf.ones<tf.Rank.R4>([1, 1, 1, 1]), [1, 2], pad).shape;
    expect(shapeOf('valid')).toEqual([1, 5, 3, 1]);
    expect(shapeOf(0)).toEqual([1, 5, 5, 1]);
  });

  it('says that dropout of tf.layers with a seed drops the same elements at each step', async () => {
    (await openBackend('cpu')).use();
    const layer = tf.layers.dropout({ rate: 0.5, seed: 3 });
    const step = () => [...(layer.apply(tf.ones([100]), { training: true }) as tf.Tensor).dataSync()];
    expect(step()).toEqual(step());
  });
});
