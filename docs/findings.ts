import { type Target, targets } from '../impl/tfjs/targets-for-tests.ts';
import { positionsOf } from '../properties/positions.ts';
import { range } from '../properties/transform.ts';
import type { Broken, Finding } from './finding.ts';

const targetsOf = (names: readonly Target[], printed: string) =>
  Object.fromEntries(names.map((name) => [name, printed]));
const all = (printed: string) => targetsOf(targets, printed);
const wasm = (printed: string) => targetsOf(['wasm', 'chromium:wasm', 'chromium:wasm-threads'], printed);
const webgl = (printed: string) => targetsOf(['chromium:webgl', 'chromium:webgl-f16'], printed);
const webgpu = (printed: string) => targetsOf(['webgpu', 'chromium:webgpu'], printed);

const isNaNAt: Broken['touches'] = ({ x }, i) => Number.isNaN(x[i]);

/** An op that is not NaN at NaN. */
function ofNaN(op: string, value: string, wrong: Finding['wrong'], touches: Broken['touches'] = isNaNAt): Finding {
  return {
    id: `${op}-nan`,
    kind: 'wrong',
    title: `${op} of NaN is ${value}`,
    snippet: `console.log(...(await tf.${op}([NaN]).data()));`,
    right: 'NaN',
    wrong,
    breaks: {
      op,
      law: 'special/nan',
      x: [NaN],
      says: `y[0] is ${value}, expected NaN`,
      touches,
    },
  };
}

/** An op that is 0·∞ on webgl. */
function ofInfinity(op: string, right: string, x: string, wrong: string): Finding {
  const [at, expected] = op === 'leakyRelu' ? [Infinity, 'Infinity'] : [-Infinity, '0'];
  return {
    id: `${op}-infinity`,
    kind: 'wrong',
    title: `${op} of an infinite x is NaN`,
    snippet: `console.log(...(await tf.${op}(${x}).data()));`,
    right,
    wrong: webgl(wrong),
    breaks: {
      op,
      law: 'agreement/y',
      x: [at],
      says: `y[0] is NaN, expected ${expected}`,
      touches: ({ x }, i) => Math.abs(x[i]) === Infinity,
    },
  };
}

const whereOfRank5 = 'Error: Where for rank 5 is not yet supported';

/** The versions of which the list speaks, as the backends say them. */
export const versions: Readonly<Partial<Record<Target, string>>> = {
  cpu: 'tfjs 4.22.0',
  wasm: 'tfjs-backend-wasm 4.22.0',
  tensorflow: 'tfjs-node 4.22.0, TensorFlow 2.16.2',
  webgpu: 'tfjs-backend-webgpu 4.22.0',
  'chromium:webgl': 'tfjs-backend-webgl 4.22.0',
  'chromium:webgl-f16': 'tfjs-backend-webgl 4.22.0',
  'chromium:webgpu': 'tfjs-backend-webgpu 4.22.0',
  'chromium:wasm': 'tfjs-backend-wasm 4.22.0',
  'chromium:wasm-threads': 'tfjs-backend-wasm 4.22.0',
};

/**
 * What is known to be wrong in TensorFlow.js itself, the one list of it. A test runs every snippet and every Case on
 * every backend (impl/tfjs/stock-ops.test.ts): it fails where one of them gives what is not stated here, also when that
 * is the right answer. docs/findings.md is written from it by "npm run docs".
 */
export const findings: readonly Finding[] = [
  ofNaN('relu6', '0', { ...wasm('0'), ...webgpu('0') }),
  ofNaN('elu', 'Infinity', { ...webgpu('Infinity'), 'chromium:webgl': 'Infinity' }),
  ofNaN('selu', 'Infinity', { ...webgpu('Infinity'), 'chromium:webgl': 'Infinity' }),
  ofNaN('softplus', 'Infinity', { ...webgpu('Infinity'), 'chromium:webgl': 'Infinity' }),
  ofNaN('sigmoid', '0', webgpu('0')),
  {
    id: 'elu-gradient-infinity',
    kind: 'wrong',
    title: 'the gradient of elu at ∞ is 0·∞',
    snippet: `const x = tf.tensor1d([Infinity]);
console.log(...(await tf.grad(tf.elu)(x, tf.tensor1d([0])).data()));`,
    right: '0',
    wrong: { ...webgpu('NaN'), ...webgl('NaN') },
    breaks: {
      op: 'elu',
      law: 'agreement/dx',
      x: [Infinity],
      dy: [0],
      says: 'dx[0] is NaN, expected 0',
      touches: ({ x }, i) => x[i] === Infinity,
    },
  },
  ofInfinity('relu', '0', '[-Infinity]', 'NaN'),
  ofInfinity('leakyRelu', 'Infinity -Infinity', '[Infinity, -Infinity]', 'NaN NaN'),
  ofInfinity('relu6', '0', '[-Infinity]', 'NaN'),
  {
    id: 'prelu-infinity',
    kind: 'wrong',
    title: 'prelu of ∞ is NaN',
    snippet: `const alpha = tf.fill([4], 0.5);
console.log(...(await tf.prelu([Infinity, -Infinity, 1, -1], alpha).data()));`,
    right: 'Infinity -Infinity 1 -0.5',
    wrong: { tensorflow: 'NaN -Infinity 1 -0.5', ...webgpu('NaN NaN 1 -0.5'), ...webgl('NaN NaN 1 -0.5') },
    breaks: {
      op: 'prelu',
      law: 'agreement/y',
      x: [Infinity, Infinity, Infinity, Infinity],
      says: 'y[0] is NaN, expected Infinity',
      touches: ({ x }, i) => Math.abs(x[i]) === Infinity,
    },
  },
  {
    id: 'prelu-broadcast',
    kind: 'wrong',
    title: 'prelu takes the alphas in turn, whatever their shape',
    snippet: `const x = tf.tensor2d([-1, -1, -1, -1], [2, 2]);
const alpha = tf.tensor2d([1, 2], [2, 1]);
console.log(...(await tf.prelu(x, alpha).data()));`,
    right: '-1 -1 -2 -2',
    wrong: wasm('-1 -2 -1 -2'),
    breaks: {
      op: 'prelu',
      law: 'agreement/y',
      shape: [1, 2, 2],
      sharing: { sharedAxes: [2] },
      x: [0, -1, 0, 0],
      alpha: [0, 1],
      says: 'y[0, 0, 1] is -1, expected 0',
      touches: ({ pool }) => typeof pool.sharing === 'object',
    },
  },
  {
    id: 'prelu-empty',
    kind: 'wrong',
    title: 'prelu of an empty tensor throws',
    snippet: 'console.log(tf.prelu(tf.zeros([2, 0]), tf.zeros([2, 0])).size);',
    right: '0',
    wrong: wasm('RuntimeError: divide by zero'),
    breaks: {
      op: 'prelu',
      law: 'special/empty',
      shape: [1, 0],
      sharing: 'unit',
      x: [],
      says: 'divide by zero',
      touches: ({ x }) => x.length === 0,
    },
  },
  {
    id: 'relu-nan-sign',
    kind: 'wrong',
    title: 'relu of a NaN whose sign bit is set, which is what x86 makes of ∞ - ∞, is 0',
    snippet: `const nan = tf.sub(tf.tensor1d([Infinity]), Infinity);
console.log(...(await tf.relu(nan).data()));`,
    right: 'NaN',
    wrong: wasm('0'),
  },
  {
    id: 'clip-by-value-nan',
    kind: 'wrong',
    title: 'clipByValue of NaN is the lower bound',
    snippet: 'console.log(...(await tf.clipByValue([NaN], -1, 1).data()));',
    right: 'NaN',
    wrong: wasm('-1'),
  },
  {
    id: 'sign-nan',
    kind: 'wrong',
    title: 'sign of NaN is 0',
    snippet: 'console.log(...(await tf.sign([NaN]).data()));',
    right: 'NaN',
    wrong: { cpu: '0', ...wasm('0'), ...webgpu('0'), ...webgl('0') },
  },
  {
    id: 'exp-nan',
    kind: 'wrong',
    title: 'exp of NaN is ∞',
    snippet: 'console.log(...(await tf.exp([NaN]).data()));',
    right: 'NaN',
    wrong: webgpu('Infinity'),
  },
  {
    id: 'log-nan',
    kind: 'wrong',
    title: 'log of NaN is a number',
    snippet: 'console.log(...(await tf.log([NaN]).data()));',
    right: 'NaN',
    wrong: webgpu('89.12830352783203'),
  },
  {
    id: 'sum-of-nothing',
    kind: 'wrong',
    title: 'a sum over an empty axis is what was in memory, or throws',
    snippet: `tf.fill([64], 7).dispose();
const sums = await tf.sum(tf.zeros([0, 64]), 0).data();
console.log(sums.every((sum) => sum === 0));`,
    right: 'true',
    wrong: {
      ...wasm('false'),
      webgpu: 'TypeError: no overload matched for createBuffer:',
      'chromium:webgpu':
        "TypeError: Failed to execute 'createBuffer' on 'GPUDevice': Failed to read the 'size' property from 'GPUBufferDescriptor': Value is not of type 'unsigned long long'.",
      ...webgl(
        'Error: The new shape (NaN,0) has NaN elements and the old shape (64,0) has 0 elements. The new shape and old shape must have the same number of elements.',
      ),
    },
  },
  {
    id: 'where-of-rank-5',
    kind: 'wrong',
    title: 'where knows no rank beyond 4, so that prelu, leakyRelu and selu of rank 5 have no gradient',
    snippet: `const x = tf.ones([1, 1, 1, 1, 1]);
console.log(...(await tf.where(tf.greater(x, 0), x, x).data()));`,
    right: '1',
    wrong: { ...webgl(whereOfRank5), ...webgpu(whereOfRank5) },
    breaks: {
      op: 'selu',
      everyOp: true,
      law: 'agreement/dx',
      shape: [1, 1, 1, 1, 1],
      x: [1],
      says: 'Where for rank 5 is not yet supported',
      touches: ({ shape }) => shape.length > 4,
    },
  },
  {
    id: 'slice-of-nothing',
    kind: 'wrong',
    title: 'a slice of a concatenation of empty tensors throws',
    snippet: `const none = tf.concat([tf.zeros([1, 0]), tf.zeros([1, 0])]);
console.log(tf.slice(none, [0, 0], [1, 0]).size);`,
    right: '0',
    wrong: { cpu: 'TypeError: vals.subarray is not a function' },
  },
  {
    id: 'infinity-of-16-bits',
    kind: 'wrong',
    title: 'with textures of 16 bits ∞ is NaN',
    snippet: 'console.log(...(await tf.add([Infinity], 0).data()));',
    right: 'Infinity',
    wrong: { 'chromium:webgl-f16': 'NaN' },
    breaks: {
      op: 'step',
      everyOp: true,
      law: 'agreement/y',
      x: [Infinity],
      says: 'y[0] is NaN, expected 1',
      touches({ x, dy, alpha, pool, shape }, i) {
        const { rows, count, units, of } = positionsOf(pool, shape);
        const c = range(rows).map((row) => alpha[row * count + of(i % units)]);
        return [x[i], dy[i], ...c].some((v) => Math.abs(v) === Infinity);
      },
    },
  },
  {
    id: 'one-program-for-two-layouts',
    kind: 'wrong',
    title:
      'with the flag WEBGL_USE_SHAPES_UNIFORMS a program is kept for tensors that lie differently in their textures',
    snippet: `tf.env().set('WEBGL_USE_SHAPES_UNIFORMS', true);
for (const n of [3, 10000]) {
  const values = Array.from({ length: 2 * n }, (_, i) => i % 8);
  const x = tf.tensor2d(values, [2, n]);
  const y = await tf.where(tf.greaterEqual(x, 0), x, tf.zerosLike(x)).data();
  console.log(values.every((value, i) => value === y[i]));
}
tf.env().set('WEBGL_USE_SHAPES_UNIFORMS', false);`,
    right: 'true\ntrue',
    wrong: webgl('true\nfalse'),
  },
  {
    id: 'max-pool-gradient',
    kind: 'wrong',
    title: 'the gradient of maxPool goes to the wrong place where no value of a window is above 0',
    snippet: `const x = tf.tensor4d([-4, -3, -2, -1], [1, 2, 2, 1]);
const dx = tf.grad((v) => tf.maxPool(v, 2, 2, 'valid'))(x);
console.log(...(await dx.data()));`,
    right: '0 0 0 1',
    wrong: wasm('1 0 0 0'),
  },
  {
    id: 'conv2d-filter-gradient',
    kind: 'wrong',
    title: 'a convolution has no gradient to its filter',
    snippet: `const x = tf.ones([1, 2, 2, 1]);
const dw = tf.grad((w) => tf.conv2d(x, w, 1, 'valid'))(tf.ones([1, 1, 1, 1]));
console.log(...(await dw.data()));`,
    right: '4',
    wrong: wasm("Error: Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'"),
  },
  {
    id: 'conv2d-strides',
    kind: 'wrong',
    // Where `(ceil(n / stride) - 1) · stride + filter < n` on an axis, equal strides included: all of 6,240 such cases up to
    // 5 × 5 were wrong, none of 13,824 others.
    title: 'conv2d with padding `same` is what was in memory, where the strides leave the end of the input out',
    snippet: `tf.fill([3], 7).dispose();
const x = tf.ones([1, 2, 3, 1]);
const y = tf.conv2d(x, tf.ones([1, 3, 1, 1]), [2, 1], 'same');
console.log((await y.data()).join() === '2,3,2');`,
    right: 'true',
    wrong: wasm('false'),
  },
  {
    id: 'conv3d-gradient',
    kind: 'wrong',
    title: 'the gradient of conv3d to its input is right for the first half of it only',
    snippet: `tf.fill([8], 7).dispose();
const f = (x) => tf.conv3d(x, tf.ones([1, 1, 1, 1, 1]), 1, 'valid');
const dx = await tf.grad(f)(tf.ones([1, 2, 2, 2, 1])).data();
console.log(dx.every((v) => v === 1));`,
    right: 'true',
    wrong: wasm('false'),
  },
  {
    id: 'mat-mul-batches',
    kind: 'wrong',
    title: 'matMul of batches that are broadcast along two axes takes the matrices in turn',
    snippet: `const a = tf.tensor4d([1, 2], [2, 1, 1, 1]);
const b = tf.tensor3d([1, 10, 100], [3, 1, 1]);
console.log(...(await tf.matMul(a, b).data()));`,
    right: '1 10 100 2 20 200',
    wrong: {
      cpu: '1 20 100',
      ...wasm('1 20 100'),
      ...webgpu('Error: Size(3) must match the product of shape 2,3,1,1'),
      ...webgl('Error: Size(3) must match the product of shape 2,3,1,1'),
    },
  },
  {
    id: 'mat-mul-batches-gradient',
    kind: 'wrong',
    title: 'matMul has no gradient to a batch that was broadcast',
    snippet: `const b = tf.ones([3, 1, 1]);
const da = tf.grad((a) => tf.matMul(a, b))(tf.ones([1, 1, 1]));
console.log(...(await da.data()));`,
    right: '3',
    wrong: all(
      "Error: Error in gradient for op BatchMatMul. The gradient of input 'a' has shape '3,1,1', which does not match the shape of the input '1,1,1'",
    ),
  },
  {
    id: 'tanh-second-derivative',
    kind: 'wrong',
    title: 'the gradient of tanh takes tanh(x) as a constant: a second derivative leaves out what goes through it',
    snippet: `const f = (x) => tf.sub(1, tf.square(tf.tanh(x)));
const twice = tf.grad((x) => tf.sum(tf.grad(f)(x)));
console.log((await twice(tf.tensor1d([0.3])).data())[0].toFixed(3));`,
    right: '-1.364',
    wrong: all('-1.675'),
  },
  {
    id: 'one-hot-float',
    kind: 'wrong',
    title: 'oneHot of float32 holds the bits of integers',
    snippet: `const row = tf.oneHot(tf.tensor1d([0], 'int32'), 2, 1, 0, 'float32');
console.log(...(await row.data()));`,
    right: '1 0',
    wrong: wasm('1.401298464324817e-45 0'),
  },
  {
    id: 'greater-gradient',
    kind: 'wrong',
    title: 'greater has no gradient, not even 0: a mask cannot be differentiated past',
    snippet: `const f = (x) => tf.mul(x, tf.greater(x, 0));
console.log(...(await tf.grad(f)(tf.tensor1d([2])).data()));`,
    right: '1',
    wrong: all('Error: Cannot compute gradient: gradient function not found for Greater.'),
  },
  {
    id: 'unstack-gradient',
    kind: 'wrong',
    title: 'the gradient of unstack throws where there is one row',
    snippet: `const f = (x) => tf.unstack(x)[0];
console.log(...(await tf.grad(f)(tf.tensor2d([[1, 2]])).data()));`,
    right: '1 1',
    wrong: all('Error: Argument tensors passed to stack must be a `Tensor[]` or `TensorLike[]`'),
  },
  {
    id: 'expect-arrays-close',
    kind: 'wrong',
    title: 'expectArraysClose takes NaN for ∞',
    snippet: `try {
  tf.test_util.expectArraysClose([NaN], [Infinity]);
  console.log('close');
} catch {
  console.log('not close');
}`,
    right: 'not close',
    wrong: all('close'),
  },
  {
    id: 'maximum-gradient',
    kind: 'choice',
    title: 'the gradient of maximum(x, 0) at 0 is 1, that of relu is 0; of minimum likewise',
    snippet: `const zero = tf.tensor1d([0]);
const gradients = [(x) => tf.maximum(x, 0), (x) => tf.minimum(x, 0), tf.relu].map((f) => tf.grad(f)(zero));
console.log(...(await tf.concat(gradients).data()));`,
    right: '0 0 0',
    wrong: all('1 1 0'),
  },
  {
    id: 'native-step',
    kind: 'choice',
    title: 'step is made of eight ops, 0.8 ms instead of 0.06 for 128 x 512',
    snippet: `const { kernels } = await tf.profile(() => tf.step([1]));
console.log(kernels.length);`,
    right: '1',
    wrong: { tensorflow: '8' },
  },
];
