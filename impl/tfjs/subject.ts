import type { Answer, Case, GradientCotangents, SecondOrder } from '../../reference/case.ts';
import type { Subject } from '../../reference/subject.ts';
import type { OpenBackend } from './backends.ts';
import { activationPool } from './op.ts';
import { checkedPool, layoutOf, list, shown } from './parameters.ts';

/** `activationPool` on an open backend, as a Subject of dtype f32. */
export function tfjsSubject(backend: OpenBackend): Subject {
  if (typeof backend?.use !== 'function') {
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
    const size = shape.reduce((product, n) => product * n, 1);
    if (values.length !== size) {
      throw new RangeError(`${name}: "${what}" expected shape ${list(shape)}, ${size} elements, got ${values.length}`);
    }
    // A copy: the cpu backend would otherwise compute on the caller's own array.
    return tf.tensor(new Float32Array(values), [...shape], 'float32');
  };

  /** `tf.tidy` for results that are no tensors: all tensors made inside are disposed, also when it throws. */
  const tidied = <T>(f: () => T): T => {
    let result: T | undefined;
    tf.tidy(() => {
      result = f();
    });
    return result as T;
  };

  return {
    name,
    dtype: 'f32',
    facets: backend.facets,

    answer(input: Case): Answer {
      backend.use();
      return tidied(() => {
        const { x, alpha, dy } = tensors(input);
        const pool = tf.valueAndGrads((v, a) => activationPool(v!, a!, input.pool));
        const { value, grads } = pool([x, alpha], dy);
        return { y: values(value), dx: values(grads[0]!), dalpha: values(grads[1]!) };
      });
    },

    doubleVjp(input: Case, cotangents: GradientCotangents): SecondOrder {
      checkObject('cotangents', cotangents);
      const { ddx, ddalpha } = cotangents;
      backend.use();
      return tidied(() => {
        const given = tensors(input);
        const [cx, calpha] = [tensor('ddx', ddx, given.x.shape), tensor('ddalpha', ddalpha, given.alpha.shape)];
        // Adds 0 · t, so that tf.grads answers 0 for an input on which nothing depends, where it would throw.
        const anchor = (t: typeof given.x) => tf.sum(tf.mul(t, 0));
        const paired = tf.grads((x, alpha, dy) => {
          const first = tf.grads((v, a) => activationPool(v!, a!, input.pool));
          const [dx, dalpha] = first([x!, alpha!], dy);
          const terms = [
            tf.sum(tf.mul(dx!, cx)),
            tf.sum(tf.mul(dalpha!, calpha)),
            anchor(x!),
            anchor(alpha!),
            anchor(dy!),
          ];
          return terms.reduce((sum, term) => tf.add(sum, term));
        });
        const [toX, toAlpha, toDy] = paired([given.x, given.alpha, given.dy]);
        return { toX: values(toX!), toAlpha: values(toAlpha!), toDy: values(toDy!) };
      });
    },

    liveTensors: () => tf.memory().numTensors,
  };
}

function values(tensor: { dataSync(): ArrayLike<number> }): Float64Array {
  return Float64Array.from(tensor.dataSync());
}
