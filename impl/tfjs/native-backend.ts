import type * as tf from '@tensorflow/tfjs';

/** What is used of tfjs-node's backend; its binding runs any TensorFlow op by name. */
export interface NativeBackend extends tf.KernelBackend {
  /** What `get` gives has `values` for as long as no op of TensorFlow has asked for them. */
  readonly tensorMap: { get(dataId: object): { readonly values: Float32Array | null } };
  readonly binding: Binding;
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(output: Output): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_BOOL: number;
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): Output[];
  /** On the memory of `values`, if it starts at a multiple of 64, otherwise on a copy. */
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
}

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | string | boolean | readonly number[];
}

interface Output {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

export function attribute(name: string, type: number, value: Attribute['value']): Attribute {
  return { name, type, value };
}
