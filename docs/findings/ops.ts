import type { Finding } from './finding.ts';
import { all, wasm, webgl, webgpu } from './printed.ts';

/** Of sums, products, convolutions and shapes, of gradients as such, and of what helps tests. */
export const ofOps: readonly Finding[] = [
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
    id: 'slice-of-nothing',
    kind: 'wrong',
    title: 'a slice of a concatenation of empty tensors throws',
    snippet: `const none = tf.concat([tf.zeros([1, 0]), tf.zeros([1, 0])]);
console.log(tf.slice(none, [0, 0], [1, 0]).size);`,
    right: '0',
    wrong: { cpu: 'TypeError: vals.subarray is not a function' },
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
    id: 'max-gradient',
    kind: 'wrong',
    title: 'the gradient of max, and of min, goes to each of equal elements whole: together they move twice as fast',
    snippet: `const dx = tf.grad((x) => tf.max(x))(tf.tensor1d([1, 1]));
console.log((await tf.sum(dx).data())[0]);`,
    right: '1',
    wrong: all('2'),
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
    id: 'grad-of-a-throw',
    kind: 'wrong',
    title: 'what a function made before it threw stays in memory, where its gradient was asked for',
    snippet: `const x = tf.scalar(1);
const before = tf.memory().numTensors;
try {
  tf.grad((v) => {
    tf.square(v);
    throw new Error();
  })(x);
} catch {}
console.log(tf.memory().numTensors - before);`,
    right: '0',
    wrong: all('1'),
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
    id: 'norm-gradient',
    kind: 'choice',
    title: 'the gradient of norm at 0 is NaN, where others give 0',
    snippet: `const dx = tf.grad((x) => tf.norm(x))(tf.zeros([2]));
console.log(...(await dx.data()));`,
    right: '0 0',
    wrong: all('NaN NaN'),
  },
];
