import type * as tfjs from '@tensorflow/tfjs';
import { kindOf } from '../../reference/arguments.ts';
import { answerOf } from './calls.ts';
import type { Differentiable, Shapes, Tensors } from './differentiable.ts';
import { checkLengths } from './options.ts';

type Tf = typeof tfjs;
type Tensor = tfjs.Tensor;
type Layer = tfjs.layers.Layer;

/** A function of TensorFlow.js tensors, in the order of the inputs. */
export type TensorflowFunction = (...tensors: Tensor[]) => Tensor;

/** A layer with what it starts from: its weights are inputs beside `x`. */
export interface LayerFunction {
  readonly f: Differentiable;
  /** The layer's weights as they are, by name. */
  readonly weights: Tensors;
  readonly shapes: Shapes;
}

/** TensorFlow.js, which is an optional peer: loaded when something of it is to be checked. */
export async function loadTensorflow(): Promise<Tf> {
  return import('@tensorflow/tfjs');
}

/**
 * A function of tensors on the current backend, in float32, its gradient that of `tf.grads`. Inputs of the gradient
 * check become its arguments in their order.
 *
 * @throws TypeError naming the argument that is of another kind
 */
export function tensorflowFunction(tf: Tf, f: TensorflowFunction, name: string = f?.name || 'f'): Differentiable {
  checkTensorflow('tensorflowFunction', tf);
  if (typeof f !== 'function') {
    throw new TypeError(`tensorflowFunction: "f" expected a function of tensors, got ${kindOf(f)}`);
  }
  if (typeof name !== 'string') {
    throw new TypeError(`tensorflowFunction: "name" expected a string, got ${kindOf(name)}`);
  }
  const answer: TensorflowFunction = (...tensors) => {
    const y: unknown = f(...tensors);
    // By what is asked of it: a tensor may come from another copy of TensorFlow.js.
    if (typeof (y as Partial<Tensor> | undefined)?.data === 'function') return y as Tensor;
    throw new TypeError(`${name} expected to answer one tensor, got ${kindOf(y)}`);
  };
  const tensorsOf = (inputs: Tensors, shapes: Shapes) =>
    Object.entries(inputs).map(([input, values]) => tensorOf(tf, values, shapes[input]));
  return {
    name,
    dtype: 'f32',
    outputShape: (shapes) =>
      tf.tidy(() => answer(...Object.values(shapes).map((shape) => tf.zeros([...shape]))).shape.slice()),
    forward: (inputs, shapes) => read(tf, () => [answer(...tensorsOf(inputs, shapes))]).then(([y]) => y),
    async vjp(inputs, dy, shapes) {
      const names = Object.keys(inputs);
      const cotangents = await read(tf, () => {
        const { value, grads } = tf.valueAndGrads((...tensors: Tensor[]) => sumOf(tf, answer(...tensors), dy))(
          tensorsOf(inputs, shapes),
        );
        return [...grads, value];
      });
      return Object.fromEntries(names.map((input, k) => [input, cotangents[k]]));
    },
  };
}

/**
 * A layer as a function of `x` and of its weights, which keeps them as they were; `shape`: that of x.
 *
 * @throws TypeError naming the argument that is of another kind, RangeError for a shape that is none, GradcheckError if
 * the layer can't be built for it
 */
export function layerFunction(tf: Tf, layer: Layer, shape: readonly number[]): LayerFunction {
  checkTensorflow('layerFunction', tf);
  if (!(layer instanceof tf.layers.Layer)) {
    throw new TypeError(`layerFunction: "layer" expected a tf.layers layer, got ${kindOf(layer)}`);
  }
  checkLengths('layerFunction: "shape"', shape);
  if (!layer.built) answerOf(`build of ${layer.name}`, () => layer.build([...shape]));
  layer.built = true;
  const weights = layer.trainableWeights;
  const names = weights.map(({ originalName }, k) =>
    uniqueName(
      originalName,
      weights.slice(0, k).map((w) => w.originalName),
    ),
  );
  const start: Record<string, Float64Array> = {};
  const shapes: Record<string, readonly number[]> = { x: shape };
  for (const [k, weight] of weights.entries()) {
    start[names[k]] = Float64Array.from(weight.read().dataSync());
    shapes[names[k]] = weight.shape as number[];
  }
  const assign = (values: Tensors, of: Shapes): void => {
    for (const [k, weight] of weights.entries()) {
      const tensor = tensorOf(tf, values[names[k]], of[names[k]]);
      weight.write(tensor);
      tensor.dispose();
    }
  };
  /** With the weights of `inputs`, and then again those of before. */
  const withWeights = async (inputs: Tensors, of: Shapes, call: (x: Tensor) => Tensor[]): Promise<Float64Array[]> => {
    assign(inputs, of);
    try {
      return await read(tf, () => call(tensorOf(tf, inputs.x, of.x)));
    } finally {
      assign(start, shapes);
    }
  };
  const apply = (x: Tensor) => layer.apply(x, { training: false }) as Tensor;
  return {
    weights: start,
    shapes,
    f: {
      name: layer.name,
      dtype: 'f32',
      batch: ['x'],
      outputShape: (of) => layer.computeOutputShape([...of.x]) as number[],
      async forward(inputs, of) {
        const [y] = await withWeights(inputs, of, (x) => [apply(x)]);
        return y;
      },
      async vjp(inputs, dy, of) {
        const variable = tf.tidy(() => tf.variable(tensorOf(tf, inputs.x, of.x)));
        try {
          const cotangents = await withWeights(inputs, of, () => {
            const all = [variable, ...weights.map((weight) => (weight as unknown as { val: tfjs.Variable }).val)];
            const { grads } = tf.variableGrads(() => sumOf(tf, apply(variable), dy) as tfjs.Scalar, all);
            return all.map((of) => grads[of.name]);
          });
          return Object.fromEntries(['x', ...names].map((input, k) => [input, cotangents[k]]));
        } finally {
          variable.dispose();
        }
      },
    },
  };
}

function checkTensorflow(where: string, tf: Tf): void {
  if (typeof tf?.valueAndGrads === 'function') return;
  throw new TypeError(`${where}: "tf" expected TensorFlow.js, got ${kindOf(tf)}`);
}

/** `Σ y·dy`, whose gradients are `Jᵀ dy`. */
function sumOf(tf: Tf, y: Tensor, dy: Float64Array): Tensor {
  return tf.sum(tf.mul(y, tensorOf(tf, dy, y.shape)));
}

function tensorOf(tf: Tf, values: Float64Array, shape: readonly number[]): Tensor {
  return tf.tensor(new Float32Array(values), [...shape], 'float32');
}

/** The values of the tensors that `call` makes; all that it made is disposed of, also when it throws. */
async function read(tf: Tf, call: () => Tensor[]): Promise<Float64Array[]> {
  const tensors = tf.tidy(call);
  try {
    return await Promise.all(tensors.map(async (tensor) => Float64Array.from(await tensor.data())));
  } finally {
    tf.dispose(tensors);
  }
}

function uniqueName(name: string, taken: readonly string[]): string {
  const last = name.split('/').at(-1)!;
  const count = taken.filter((other) => other.split('/').at(-1) === last).length;
  return count === 0 && last !== 'x' && last !== 'y' ? last : `${last}_${count + 1}`;
}
