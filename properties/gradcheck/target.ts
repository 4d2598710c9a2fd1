import type { layers } from '@tensorflow/tfjs';
import { kindOf, shown } from '../../reference/arguments.ts';
import { checkOptions } from '../check-arguments.ts';
import { gradcheckOptions } from './check-options.ts';
import type { Differentiable } from './differentiable.ts';
import { checkDrawnShape, checkDrawnShapes, checkRange, type DrawnShapes, type Ranges } from './drawn-inputs.ts';
import type { GradcheckOptions } from './options.ts';
import { type GradcheckRun, type GradcheckRunOptions, gradcheckRun } from './property.ts';
import { layerFunction, loadTensorflow, type TensorflowFunction, tensorflowFunction } from './tensorflow.ts';

/** What can be checked: functions with their gradients, a function of TensorFlow.js tensors, or one of its layers. */
export type GradcheckTarget = Differentiable | TensorflowFunction | layers.Layer;

/** Options of `gradcheckTarget`: those of the check, and what inputs it is made on. */
export interface TargetOptions extends Omit<GradcheckOptions, 'shapes'>, GradcheckRunOptions {
  /** The shape of `x`, the only input unless `shapes` names others or the target does. */
  readonly shape?: readonly number[];
  /** Shapes of the inputs, in the order of the arguments of a TensorFlow.js function; an axis by name is drawn. */
  readonly shapes?: DrawnShapes;
  /** The least and the largest value of `x`: `[0.1, 10]` for a logarithm. About 0 unless given. */
  readonly range?: readonly [number, number];
  /** Those of the inputs by name, in place of `range`. */
  readonly ranges?: Ranges;
  /** Values at which, and near which, elements are drawn more often; 0 unless given. */
  readonly near?: readonly number[];
}

/**
 * Checks a target on drawn inputs: `runs` of them, 20 unless given, a third of all elements special; those that fail are shrunk.
 *
 * @throws TypeError, RangeError naming what was expected; GradcheckError for what the target throws
 */
export async function gradcheckTarget(target: GradcheckTarget, options: TargetOptions = {}): Promise<GradcheckRun> {
  checkOptions('gradcheck', options, ['shape', 'range', 'ranges', 'near', 'runs', 'path', ...gradcheckOptions]);
  const { shape, shapes: given, range, ranges, near, ...rest } = options;
  if (shape !== undefined && given !== undefined) {
    throw new TypeError('gradcheck: expected "shape" of x or "shapes" of all inputs, got both');
  }
  if (range !== undefined && ranges !== undefined) {
    throw new TypeError('gradcheck: expected "range" of x or "ranges" of all inputs, got both');
  }
  if (range !== undefined) checkRange('gradcheck: "range"', range);
  if (shape !== undefined) checkDrawnShape('gradcheck: "shape"', shape);
  if (given !== undefined) checkDrawnShapes('gradcheck', given);
  if (near !== undefined && !(Array.isArray(near) && near.every(Number.isFinite))) {
    throw new RangeError(`gradcheck: "near" expected an array of finite numbers, got ${shown(near)}`);
  }
  const named = given ?? (shape && { x: shape });
  const within = ranges ?? (range && { x: range });
  const draw = (shapes: DrawnShapes) => ({
    shapes,
    ...(near && { kinks: near }),
    ...(within && { ranges: within }),
  });
  if (isDifferentiable(target)) {
    const shapes = named ?? withoutOutput(target.shapes);
    if (shapes === undefined) throw missing('"shape" or "shapes", since the target declares none');
    return gradcheckRun(target, draw(shapes), rest);
  }
  const tf = await loadTensorflow();
  if (target instanceof tf.layers.Layer) {
    if (named === undefined) throw missing('"shape" [N, …] of the input x of a layer');
    const { x = [], ...others } = named;
    if (!Object.hasOwn(named, 'x') || Object.keys(others).length > 0) {
      const names = Object.keys(named).join(', ') || 'none';
      throw new TypeError(`gradcheck: "shapes" expected x alone, the input of a layer, got ${names}`);
    }
    if (!x.every((n) => typeof n === 'number')) {
      throw new TypeError(`gradcheck: "shape" expected lengths alone for the input x of a layer, got ${shown(x)}`);
    }
    const { f, shapes } = layerFunction(tf, target, x);
    return gradcheckRun(f, draw(shapes), rest);
  }
  if (typeof target !== 'function' || isClass(target)) {
    const came = typeof target === 'function' ? `the class ${target.name}, not an instance` : kindOf(target);
    throw new TypeError(
      `gradcheck: "target" expected an object with forward and vjp, a function of TensorFlow.js tensors or a tf.layers layer, got ${came}`,
    );
  }
  if (named === undefined) throw missing('"shape" or "shapes" of the inputs');
  return gradcheckRun(tensorflowFunction(tf, target), draw(named), rest);
}

/** Whether it is meant as a function with its gradients: what it lacks of one is said of `f`. */
function isDifferentiable(target: unknown): target is Differentiable {
  return typeof target === 'object' && target !== null && ('forward' in target || 'vjp' in target);
}

function isClass(target: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(target));
}

function withoutOutput(shapes: Differentiable['shapes']): DrawnShapes | undefined {
  if (shapes === undefined) return undefined;
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => name !== 'y'));
}

function missing(what: string): TypeError {
  return new TypeError(`gradcheck: expected ${what}, got none`);
}
