import { positionsOf } from '../../properties/positions.ts';
import { range } from '../../properties/transform.ts';
import type { Broken, Finding } from './finding.ts';
import { all, wasm, webgl, webgpu } from './printed.ts';

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

/** Of activations, and of the elementwise ops that they are made of. */
export const ofActivations: readonly Finding[] = [
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
