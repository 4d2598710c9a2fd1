import * as tf from '@tensorflow/tfjs';
import { attribute, type NativeBackend } from '../native-backend.ts';
import type { NesterovAttrs } from './nesterov-update.ts';
import type { Variable } from './variable.ts';

/** TensorFlow's name for a variable that nobody else can find (`ResourceHandle::ANONYMOUS_NAME`). */
const anonymous = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/**
 * A variable of TensorFlow itself, updated in place by `ResourceApplyKerasMomentum`: one pass over the memory, where
 * stock ops make six, each into new pages. Takes `w` and `v` over.
 */
export function nativeVariable(w: tf.Tensor, v: tf.Tensor): Variable {
  const backend = tf.backend() as NativeBackend;
  const { binding } = backend;
  const dtype = attribute('dtype', binding.TF_ATTR_TYPE, binding.TF_FLOAT);
  const options = [
    attribute('T', binding.TF_ATTR_TYPE, binding.TF_FLOAT),
    attribute('use_locking', binding.TF_ATTR_BOOL, false),
    attribute('use_nesterov', binding.TF_ATTR_BOOL, true),
  ];

  function open(values: tf.Tensor): number {
    const attributes = [
      dtype,
      attribute('shape', binding.TF_ATTR_SHAPE, values.shape),
      attribute('container', binding.TF_ATTR_STRING, ''),
      attribute('shared_name', binding.TF_ATTR_STRING, anonymous),
    ];
    const [{ id }] = binding.executeOp('VarHandleOp', attributes, [], 1);
    binding.executeOp('AssignVariableOp', [dtype], [id, ...backend.getInputTensorIds([values])], 0);
    values.dispose();
    return id;
  }
  function close(id: number): void {
    binding.executeOp('DestroyResourceOp', [attribute('ignore_lookup_error', binding.TF_ATTR_BOOL, true)], [id], 0);
    binding.deleteTensor(id);
  }
  /** A tensor on the variable's own memory: whoever holds it makes an update copy that first. */
  const read = (id: number): tf.Tensor =>
    backend.createOutputTensor(binding.executeOp('ReadVariableOp', [dtype], [id], 1)[0]);

  const [W, V] = [open(w), open(v)];
  let value = read(W);
  return {
    get value() {
      return value;
    },
    velocity: () => read(V),
    update(g, { rate, momentum }: NesterovAttrs) {
      value.dispose();
      const [r, m] = [tf.scalar(rate), tf.scalar(momentum)];
      binding.executeOp('ResourceApplyKerasMomentum', options, [W, V, ...backend.getInputTensorIds([r, g, m])], 0);
      tf.dispose([r, m]);
      value = read(W);
    },
    dispose() {
      value.dispose();
      close(W);
      close(V);
    },
  };
}
