import type { Dtype } from '../../reference/case.ts';

/** What can be differenced: 16 bits leave no step between rounding and curvature. */
export type FloatDtype = Extract<Dtype, 'f64' | 'f32'>;

/** Tensors by name, row-major; their values are exactly representable in the dtype of the function. */
export type Tensors = Readonly<Record<string, Float64Array>>;

/** Shapes by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * `y = f(inputs)`, one output, with its derivatives. Tensors are flat; each part is also told the shapes of the inputs,
 * where they are declared (`[length]` elsewhere).
 */
export interface Differentiable extends Declared {
  /** How reports call it. */
  readonly name?: string;
  /** The arithmetic it computes in; `f64` unless given. */
  readonly dtype?: FloatDtype;
  /** `y = f(inputs)` */
  forward(inputs: Tensors, shapes: Shapes): Float64Array | Promise<Float64Array>;
  /** The vector-Jacobian product `Jᵀ dy`: a cotangent for each input that is not declared constant. */
  vjp(inputs: Tensors, dy: Float64Array, shapes: Shapes): Tensors | Promise<Tensors>;
  /** The Jacobian-vector product `J t`, if there is forward mode. */
  jvp?(inputs: Tensors, tangents: Tensors, shapes: Shapes): Float64Array | Promise<Float64Array>;
  /** Gradients of `Σ <cotangents, vjp(inputs, dy)>`, if the function can be differentiated twice. */
  doubleVjp?(
    inputs: Tensors,
    dy: Float64Array,
    cotangents: Tensors,
    shapes: Shapes,
  ): DoubleVjpResult | Promise<DoubleVjpResult>;
  /** The shape of `y` for inputs of these shapes, where it is not declared. */
  outputShape?(shapes: Shapes): readonly number[];
  /** The same function in float64, for the numeric side of a function that computes in `f32`. */
  twin?(inputs: Tensors, shapes: Shapes): Float64Array;
}

/** What double backward answers. */
export interface DoubleVjpResult {
  readonly inputs: Tensors;
  readonly dy: Float64Array;
}

/** What a function says about itself; what it leaves out is found by measuring. */
export interface Declared {
  /** Shapes of the inputs, and under `y` that of the output. */
  readonly shapes?: Shapes;
  /** Which outputs an input reaches. A declared structure that does not hold is a failure. */
  readonly structure?: Readonly<Record<string, Structure>>;
  /** Where an input has kinks and jumps; a function gives them by element. */
  readonly kinks?: Readonly<Record<string, readonly DeclaredKink[] | ((element: number) => readonly DeclaredKink[])>>;
  /** Inputs without a gradient. */
  readonly constants?: readonly string[];
  /** Inputs whose first axis, like that of `y`, is a batch: one row asked for alone must then answer the same. */
  readonly batch?: readonly string[];
  /** Bounds of the rounding error, where they are known. */
  readonly rounding?: Rounding;
}

/**
 * Which outputs depend on an element of an input: `elementwise`, the output of the same index; `rows`, those of the
 * same index on the first axis; `dense`, any; `{ trailing: k }`, those whose last k indices are the element's, where an
 * axis of length 1 is broadcast (a parameter of shape `[rows, ...S]` with S of rank k).
 */
export type Structure = 'elementwise' | 'rows' | 'dense' | { readonly trailing: number };

/** One-sided limits of a function of one element: value and slope; one that is infinite is none, and is not compared. */
export interface OneSided {
  readonly value: number;
  readonly slope: number;
}

/** A place where an output is not smooth in one input element; functions of the output's index say what holds there. */
export interface DeclaredKink {
  readonly at: number;
  /** The value there by convention: that of the left or the right limit, or a number; or `any`. Unless given, one in between. */
  readonly value?: 'left' | 'right' | 'any' | ((output: number) => number);
  /** The derivative there by convention; `any`, or an infinite one, leaves it open. Unless given, any between the one-sided slopes. */
  readonly derivative?: 'left' | 'right' | 'any' | ((output: number) => number);
  /** What the limits from both sides are; measured and compared where given. */
  readonly left?: (output: number) => OneSided;
  readonly right?: (output: number) => OneSided;
}

/** Known bounds of the rounding error; NaN leaves an element open. */
export interface Rounding {
  /** Of each output of `forward` (of the twin, if there is one) at these inputs. */
  forward(inputs: Tensors): Float64Array;
  /** Of each element of each cotangent that `vjp` answers. */
  vjp(inputs: Tensors, dy: Float64Array): Tensors;
  /** Of each output of `jvp`; measured unless given. */
  jvp?(inputs: Tensors, tangents: Tensors): Float64Array;
  /** Of each output of an f32 `forward`, against the twin. */
  output?(inputs: Tensors): Float64Array;
}
