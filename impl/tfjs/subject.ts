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

  const tensors = ({ pool, dtype, shape, x, alpha, dy }: Case) => {
    if (dtype !== 'f32') throw new RangeError(`tfjs-${backend.name}: "dtype" expected f32, got ${dtype}`);
    const { alphaShape } = layoutOf(`tfjs-${backend.name}`, checkedPool(`tfjs-${backend.name}`, pool), shape);
    return {
      x: tensor('x', x, shape),
      alpha: tensor('alpha', alpha, alphaShape),
      dy: tensor('dy', dy, shape),
    };
  };
  const tensor = (name: string, values: Float64Array, shape: readonly number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    if (values.length !== size) {
      throw new RangeError(
        `tfjs-${backend.name}: "${name}" expected shape ${list(shape)}, ${size} elements, got ${values.length}`,
      );
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
    name: `tfjs-${backend.name}`,
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

    doubleVjp(input: Case, { ddx, ddalpha }: GradientCotangents): SecondOrder {
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
