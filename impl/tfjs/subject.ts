import type { Tensor } from '@tensorflow/tfjs';
import type { Answer, Case, GradientCotangents, SecondOrder } from '../../reference/case.ts';
import type { Subject } from '../../reference/subject.ts';
import type { OpenBackend } from './backends.ts';
import { activationPool } from './op.ts';
import { checkedPool, layoutOf, list, shown } from './parameters.ts';
import { sizeOf } from './shape.ts';

/**
 * `activationPool` on an open backend, as a Subject of dtype f32.
 *
 * @throws TypeError unless `backend` is what `openBackend` opens. The Subject itself throws TypeError, RangeError naming
 *   what of a Case is wrong, or not f32.
 */
export function tfjsSubject(backend: OpenBackend): Subject {
  if (typeof backend?.use !== 'function' || typeof backend.tf?.tidy !== 'function') {
    throw new TypeError(`tfjsSubject: "backend" expected what openBackend opens, got ${shown(backend)}`);
  }
  const { tf } = backend;

  const name = `tfjs-${backend.name}`;

  const tensors = (input: Case) => {
    checkObject('input', input);
    const { pool, dtype, shape, x, alpha, dy } = input;
    if (dtype !== 'f32') throw new RangeError(`${name}: "dtype" expected f32, got ${shown(dtype)}`);
    checkObject('pool', pool);
    if (!Array.isArray(shape)) throw new TypeError(`${name}: "shape" expected an array, got ${shown(shape)}`);
    if (!Array.from(shape).every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new RangeError(`${name}: "shape" expected non-negative integers, got ${list(shape)}`);
    }
    const { alphaShape } = layoutOf(name, checkedPool(name, pool), shape);
    return {
      x: tensor('x', x, shape),
      alpha: tensor('alpha', alpha, alphaShape),
      dy: tensor('dy', dy, shape),
    };
  };
  const checkObject = (what: string, value: unknown) => {
    if (typeof value === 'object' && value !== null) return;
    throw new TypeError(`${name}: "${what}" expected an object, got ${shown(value)}`);
  };
  const tensor = (what: string, values: Float64Array, shape: readonly number[]) => {
    if (!(values instanceof Float64Array)) {
      const came = ArrayBuffer.isView(values) ? (values as object).constructor.name : shown(values);
      throw new TypeError(`${name}: "${what}" expected a Float64Array, got ${came}`);
    }
    const size = sizeOf(shape);
    if (values.length !== size) {
      throw new RangeError(`${name}: "${what}" expected shape ${list(shape)}, ${size} elements, got ${values.length}`);
    }
    // A copy: the cpu backend would otherwise compute on the caller's own array.
    return tf.tensor(new Float32Array(values), [...shape], 'float32');
  };

  /** The values of the tensors that `f` returns; of all that it makes none stays, also when something throws. */
  const valuesOf = async <K extends string>(f: () => Record<K, Tensor>): Promise<Record<K, Float64Array>> => {
    backend.use();
    const tensors = tf.tidy(f);
    try {
      // Asynchronously, since webgpu has no other way.
      const read = Object.entries<Tensor>(tensors).map(async ([key, t]) => [key, Float64Array.from(await t.data())]);
      return Object.fromEntries(await Promise.all(read));
    } finally {
      tf.dispose(tensors);
    }
  };

  return {
    name,
    dtype: 'f32',
    facets: backend.facets,

    answer: (input: Case): Promise<Answer> =>
      valuesOf(() => {
        const { x, alpha, dy } = tensors(input);
        const pool = tf.valueAndGrads((v, a) => activationPool(v, a, input.pool));
        const { value, grads } = pool([x, alpha], dy);
        return { y: value, dx: grads[0], dalpha: grads[1] };
      }),

    doubleVjp: (input: Case, cotangents: GradientCotangents): Promise<SecondOrder> =>
      valuesOf(() => {
        checkObject('cotangents', cotangents);
        const { ddx, ddalpha } = cotangents;
        const given = tensors(input);
        const [cx, calpha] = [tensor('ddx', ddx, given.x.shape), tensor('ddalpha', ddalpha, given.alpha.shape)];
        // All flat but for the op, since stock sums and products of rank 7 are garbage on wasm and throw on webgpu.
        const flat = (t: Tensor) => tf.reshape(t, [-1]);
        const paired = tf.grads((...inputs) => {
          const [x, alpha, dy] = inputs.map((t, i) => tf.reshape(t, [given.x, given.alpha, given.dy][i].shape));
          const first = tf.grads((v, a) => activationPool(v, a, input.pool));
          const [dx, dalpha] = first([x, alpha], dy);
          // With 0 · t of each input, so that tf.grads answers 0 where nothing depends on it, instead of throwing.
          const zeros = inputs.map((t) => tf.mul(t, 0));
          const terms = [tf.mul(flat(dx), flat(cx)), tf.mul(flat(dalpha), flat(calpha)), ...zeros];
          // One sum that is never empty: stock sums of nothing throw on webgpu and are garbage on wasm.
          return tf.sum(tf.concat([...terms, tf.zeros([1])]));
        });
        const [toX, toAlpha, toDy] = paired([given.x, given.alpha, given.dy].map(flat));
        return { toX: toX, toAlpha: toAlpha, toDy: toDy };
      }),

    liveTensors: () => tf.memory().numTensors,
  };
}
