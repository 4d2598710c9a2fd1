import type { BranchName, BranchRef, Constraint, Pool, Sharing } from '../../reference/case.ts';
import { branches } from './branches.ts';

/** A pool by its parts; what is left out is `['relu', 'step']`, `'unit'`, `{ kind: 'free' }`. */
export interface PoolOptions {
  /** Built-in branches only: custom ones are refused. */
  readonly branches?: readonly BranchRef[] | undefined;
  readonly sharing?: Sharing | undefined;
  readonly constraint?: Constraint | undefined;
}

/** A pool of built-in branches, which are all that is implemented here. */
export interface BuiltInPool extends Pool {
  readonly branches: readonly BranchName[];
}
export const poolOptions: readonly string[] = ['branches', 'sharing', 'constraint'];

/** Where the coefficients of a pool over `x` of shape `[N, ...U]` lie (spec §1). */
export interface Layout {
  /** `[rows, ...S]` */
  readonly alphaShape: readonly number[];
  /** The axes of `x` along which `dalpha` is a sum: the batch and the shared ones. */
  readonly summedAxes: readonly number[];
}

/** The pool that `options` describe. Throws TypeError or RangeError, naming the option; `where` opens the message. */
export function checkedPool(where: string, options: PoolOptions): BuiltInPool {
  const given = knownOptions(where, options, poolOptions);
  const { branches: names = ['relu', 'step'], sharing = 'unit', constraint = { kind: 'free' } } = given;
  checkBranches(where, names);
  checkSharing(where, sharing);
  checkConstraint(where, constraint, names.length);
  return { branches: names, sharing, constraint };
}

/** The layout for `x` of `shape`, whose first axis is the batch. Throws RangeError naming the argument. */
export function layoutOf(
  where: string,
  { branches: names, sharing, constraint }: Pool,
  shape: readonly number[],
): Layout {
  const rank = shape.length;
  if (rank === 0) throw new RangeError(`${where}: "x" expected rank 1 or more (a batch axis), got a scalar`);
  const rows = constraint.kind === 'sumToOne' ? names.length - 1 : names.length;
  const unitShape = shape.slice(1);
  if (sharing === 'layer') return { alphaShape: [rows], summedAxes: shape.map((_, axis) => axis) };
  if (sharing === 'unit') return { alphaShape: [rows, ...unitShape], summedAxes: [0] };
  if (sharing === 'channel') {
    if (rank === 1) {
      throw new RangeError(`${where}: "sharing" 'channel' expected an x of rank 2 or more, got shape ${list(shape)}`);
    }
    return { alphaShape: [rows, shape[rank - 1]], summedAxes: shape.slice(0, -1).map((_, axis) => axis) };
  }
  for (const axis of sharing.sharedAxes) {
    if (axis < 1 || axis >= rank) {
      throw new RangeError(`${where}: "sharedAxes" expected axes from 1 to ${rank - 1} for rank ${rank}, got ${axis}`);
    }
  }
  const shared = unitShape.map((n, i) => (sharing.sharedAxes.includes(i + 1) ? 1 : n));
  return { alphaShape: [rows, ...shared], summedAxes: [0, ...sharing.sharedAxes] };
}

function checkBranches(where: string, names: readonly unknown[]): asserts names is readonly BranchName[] {
  if (!Array.isArray(names)) {
    throw new TypeError(`${where}: "branches" expected an array of names, got ${shown(names)}`);
  }
  if (names.length === 0) throw new RangeError(`${where}: "branches" expected at least one name, got []`);
  for (const name of names) {
    if (typeof name !== 'string' || !Object.hasOwn(branches, name)) {
      const got = isCustom(name) ? `the custom branch "${name.name}"` : shown(name);
      throw new RangeError(`${where}: "branches" expected ${Object.keys(branches).join(', ')}, got ${got}`);
    }
  }
}

function isCustom(branch: unknown): branch is { readonly name: unknown } {
  return typeof branch === 'object' && branch !== null && 'name' in branch;
}

function checkSharing(where: string, sharing: Sharing): void {
  if (sharing === 'layer' || sharing === 'channel' || sharing === 'unit') return;
  if (typeof sharing === 'string') {
    throw new RangeError(`${where}: "sharing" expected layer, channel, unit or { sharedAxes }, got ${shown(sharing)}`);
  }
  const axes: unknown = typeof sharing === 'object' && sharing !== null ? sharing.sharedAxes : undefined;
  if (!Array.isArray(axes)) {
    throw new TypeError(
      `${where}: "sharing" expected layer, channel, unit or { sharedAxes: number[] }, got ${shown(sharing)}`,
    );
  }
  checkKeys(where, 'sharing', sharing as object, ['sharedAxes']);
  // `every` would pass over holes, here and below.
  if (!Array.from(axes).every(Number.isSafeInteger)) {
    throw new RangeError(`${where}: "sharedAxes" expected integers, got ${list(axes)}`);
  }
  if (new Set(axes).size !== axes.length) {
    throw new RangeError(`${where}: "sharedAxes" expected each axis once, got ${list(axes)}`);
  }
}

function checkConstraint(where: string, constraint: Constraint, n: number): void {
  if (typeof constraint !== 'object' || constraint === null) {
    throw new TypeError(`${where}: "constraint" expected an object with a kind, got ${shown(constraint)}`);
  }
  switch (constraint.kind) {
    case 'free':
    case 'fixed':
    case 'sumToOne':
    case 'softmax':
      checkKeys(where, 'constraint', constraint, ['kind']);
      return;
    case 'clip':
      checkKeys(where, 'constraint', constraint, ['kind', 'bounds']);
      checkBounds(where, constraint.bounds, n);
      return;
    default:
      throw new RangeError(
        `${where}: "constraint" expected the kind free, fixed, sumToOne, softmax or clip, got ${shown(constraint)}`,
      );
  }
}

function checkBounds(where: string, bounds: readonly number[], n: number): void {
  if (!Array.isArray(bounds) || !Array.from(bounds).every((b) => typeof b === 'number')) {
    throw new TypeError(`${where}: "bounds" expected an array of ${n} numbers, got ${shown(bounds)}`);
  }
  if (bounds.length !== n) {
    throw new RangeError(`${where}: "bounds" expected ${n} numbers, one for each branch, got ${bounds.length}`);
  }
  for (const b of bounds) {
    if (!(b >= 0)) throw new RangeError(`${where}: "bounds" expected numbers from 0 to Infinity, got ${list(bounds)}`);
  }
}

/** `[2, 64]` */
export function list(values: readonly unknown[]): string {
  return `[${Array.from(values, (value) => (typeof value === 'object' ? shown(value) : String(value))).join(', ')}]`;
}

/** A value as an error message shows it, cut where it gets long; never fails itself. */
export function shown(value: unknown): string {
  const isPlain = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'string';
  const text = isPlain ? String(value) : (json(value) ?? 'a function');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v));
  } catch {
    // A cycle, or a toJSON that throws.
    return Object.prototype.toString.call(value);
  }
}

/** Returns `options` if it is an object of these options only. Throws TypeError naming one that is not known. */
export function knownOptions<T extends object>(where: string, options: T, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: "options" expected an object, got ${shown(options)}`);
  }
  checkKeys(where, 'options', options, known);
  return options;
}

function checkKeys(where: string, name: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new TypeError(`${where}: "${name}" expected ${known.join(', ')}, got ${shown(unknown)}`);
}
