import type { BranchName } from '../../../reference/case.ts';
import { evaluator, type FormulaBranch, formulas, one, type Target, zero } from './formula.ts';
import {
  addLane,
  addLanes,
  type Code,
  countDown,
  FunctionCode,
  f32x4,
  f64x2,
  get,
  i32,
  increase,
  integer,
  type Local,
  moduleOf,
  plus,
  set,
  shiftedLeft,
  times,
  v128,
} from './wasm-code.ts';

/**
 * The kernels of one pool, on addresses of a WebAssembly memory: float32 tensors, `x, y, dy, dx` of `[A, B, C]` and
 * coefficients `c` of `[n, B]`; `dc` of `[n, B]` is float64, and is added to.
 *
 * `columns` is for C = 1, `runs` for any C.
 */
export interface WasmKernels {
  forwardColumns(x: number, c: number, y: number, A: number, B: number): void;
  forwardRuns(x: number, c: number, y: number, A: number, B: number, C: number): void;
  backwardColumns(dy: number, x: number, c: number, dx: number, dc: number, A: number, B: number): void;
  backwardRuns(dy: number, x: number, c: number, dx: number, dc: number, A: number, B: number, C: number): void;
}

/** Rows whose terms are summed in float32, before they are added in float64: one rounding. */
const block = 2;

/** The module for a pool of these branches; its backward kernels leave `dc` alone unless `sums`. */
export function wasmModule(names: readonly BranchName[], sums: boolean, shared: boolean): Uint8Array<ArrayBuffer> {
  const branches = names.map((name) => formulas[name]);
  return moduleOf(
    [forwardColumns(branches), forwardRuns(branches), backwardColumns(branches, sums), backwardRuns(branches, sums)],
    shared,
  );
}

/** Takes a local of a type. */
type Take = (type: number) => Local;

/** The branches at the vector in a local, and code that computes them, to be placed before they are used. */
class At {
  readonly code: number[] = [];
  readonly #branches: readonly FormulaBranch[];
  readonly #take: Take;
  readonly #x: Local;
  readonly #evaluate: (formula: FormulaBranch['value']) => Local;

  constructor(branches: readonly FormulaBranch[], x: Local, take: Take) {
    this.#branches = branches;
    this.#take = take;
    this.#x = x;
    const keep = (value: Code): Local => this.keep(value);
    const zeros = new Set<Local>();
    const masks = new Map<Local, Local>();
    const isPositive = (a: Local): Local => {
      const mask = masks.get(a) ?? keep(f32x4.isGreater(get(a), f32x4.constant(0)));
      masks.set(a, mask);
      return mask;
    };
    const target: Target<Local> = {
      x,
      constant: (value) => {
        const local = keep(f32x4.constant(value));
        if (value === 0) zeros.add(local);
        return local;
      },
      negate: (a) => keep(f32x4.negate(get(a))),
      absolute: (a) => keep(f32x4.absolute(get(a))),
      nearest: (a) => keep(f32x4.nearest(get(a))),
      powerOfTwo: (a) => keep(f32x4.powerOfTwo(get(a))),
      add: (a, b) => keep(f32x4.add(get(a), get(b))),
      subtract: (a, b) => keep(f32x4.subtract(get(a), get(b))),
      multiply: (a, b) => keep(f32x4.multiply(get(a), get(b))),
      divide: (a, b) => keep(f32x4.divide(get(a), get(b))),
      maximum: (a, b) => keep(f32x4.maximum(get(a), get(b))),
      ifPositive: (a, b, c) => {
        const mask = get(isPositive(a));
        return keep(zeros.has(c) ? f32x4.and(get(b), mask) : f32x4.select(get(b), get(c), mask));
      },
    };
    this.#evaluate = evaluator(target);
  }

  keep(value: Code): Local {
    const local = this.#take(v128);
    this.code.push(...set(local, value));
    return local;
  }

  /** `Σ cᵢ fᵢ(x)`, NaN for NaN. */
  value(c: readonly Local[]): Local {
    const terms = this.#branches.map(({ value }, i) => {
      const f = this.#evaluate(value);
      return f32x4.multiply(get(c[i]!), get(f));
    });
    return this.keep(f32x4.or(terms.reduce(f32x4.add), get(this.#nan())));
  }

  /** `Σ cᵢ fᵢ′(x)` */
  slope(c: readonly Local[]): Local {
    const terms = this.#branches.flatMap(({ derivative }, i) => {
      if (derivative === zero) return [];
      if (derivative === one) return [get(c[i]!)];
      const df = this.#evaluate(derivative);
      return [f32x4.multiply(get(c[i]!), get(df))];
    });
    return this.keep(terms.length === 0 ? f32x4.constant(0) : terms.reduce(f32x4.add));
  }

  /** `fᵢ(x)·g` for each branch, NaN for NaN. */
  terms(g: Local): Local[] {
    const nan = this.#nan();
    return this.#branches.map(({ value }) => {
      const f = this.#evaluate(value);
      return this.keep(f32x4.or(f32x4.multiply(get(f), get(g)), get(nan)));
    });
  }

  #nanLocal: Local | undefined;

  /** The bits of x where it is NaN, 0 elsewhere: whatever they are joined with by `or` is NaN too. */
  #nan(): Local {
    this.#nanLocal ??= this.keep(f32x4.and(get(this.#x), f32x4.isUnequal(get(this.#x), get(this.#x))));
    return this.#nanLocal;
  }
}

/** A vector of four elements, or a single one. */
type Width = 4 | 1;

const load = (width: Width) => (width === 4 ? f32x4.load : f32x4.loadOne);
const store = (width: Width) => (width === 4 ? f32x4.store : f32x4.storeOne);

/** So many elements, one beside the other, are computed at a time: a cache line where that does not make code too long. */
interface Stretch {
  readonly width: Width;
  readonly vectors: number;
}

function stretches(n: number): readonly Stretch[] {
  const line: Stretch = { width: 4, vectors: 4 };
  return [...(n <= 4 ? [line] : []), { width: 4, vectors: 1 }, { width: 1, vectors: 1 }];
}

const lengthOf = ({ width, vectors }: Stretch): number => width * vectors;

/** The byte offsets of its vectors. */
const offsetsOf = ({ vectors }: Stretch): number[] => Array.from({ length: vectors }, (_, k) => 16 * k);

/** `cᵢ` for each branch at `c + offset`, `stride` bytes apart: a list for each offset. */
function coefficients(
  n: number,
  take: Take,
  read: (address: Code, offset: number) => Code,
  c: Local,
  stride: Local,
  offsets: readonly number[] = [0],
): [Local[][], Code] {
  const locals = offsets.map(() => Array.from({ length: n }, () => take(v128)));
  const address = take(i32);
  const code = Array.from({ length: n }, (_, i) => [
    ...(i === 0 ? set(address, get(c)) : increase(address, get(stride))),
    ...offsets.flatMap((offset, k) => set(locals[k]![i]!, read(get(address), offset))),
  ]);
  return [locals, code.flat()];
}

/** `y` of some vectors at x and y; then both pointers are moved on. */
function forwardVectors(
  branches: readonly FormulaBranch[],
  cs: readonly (readonly Local[])[],
  take: Take,
  [x, y]: readonly [Local, Local],
  stretch: Stretch,
): Code {
  const { width } = stretch;
  const each = offsetsOf(stretch).flatMap((offset, k) => {
    const v = take(v128);
    const branch = new At(branches, v, take);
    const value = branch.value(cs[k % cs.length]!);
    const stored = store(width)(get(y), get(value), offset);
    return [...set(v, load(width)(get(x), offset)), ...branch.code, ...stored];
  });
  return [...each, ...[x, y].flatMap((pointer) => increase(pointer, integer(4 * lengthOf(stretch))))];
}

function forwardColumns(branches: readonly FormulaBranch[]): FunctionCode {
  const f = new FunctionCode('forwardColumns', 5);
  const [x, c, y, A, B] = [0, 1, 2, 3, 4];
  const [stride, at, left] = [f.local(i32), f.local(i32), f.local(i32)];
  const elements = (stretch: Stretch): Code =>
    f.scope((take) => {
      const offsets = offsetsOf(stretch);
      const [cs, loadCs] = coefficients(branches.length, take, load(stretch.width), at, stride, offsets);
      const vectors = forwardVectors(branches, cs, take, [x, y], stretch);
      return [...loadCs, ...vectors, ...increase(at, integer(4 * lengthOf(stretch)))];
    });
  const row = stretches(branches.length).flatMap((stretch) => countDown(left, lengthOf(stretch), elements(stretch)));
  f.write(set(stride, shiftedLeft(get(B), 2)));
  f.write(countDown(A, 1, [...set(at, get(c)), ...set(left, get(B)), ...row]));
  return f;
}

function forwardRuns(branches: readonly FormulaBranch[]): FunctionCode {
  const f = new FunctionCode('forwardRuns', 6);
  const [x, c, y, A, B, C] = [0, 1, 2, 3, 4, 5];
  const [stride, at, leftB, left] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const run = f.scope((take) => {
    const [cs, loadCs] = coefficients(branches.length, take, f32x4.loadSplat, at, stride);
    const elements = (stretch: Stretch): Code =>
      f.scope((takeMore) => forwardVectors(branches, cs, takeMore, [x, y], stretch));
    return [
      ...loadCs,
      ...set(left, get(C)),
      ...stretches(branches.length).flatMap((stretch) => countDown(left, lengthOf(stretch), elements(stretch))),
      ...increase(at, integer(4)),
    ];
  });
  f.write(set(stride, shiftedLeft(get(B), 2)));
  f.write(countDown(A, 1, [...set(at, get(c)), ...set(leftB, get(B)), ...countDown(leftB, 1, run)]));
  return f;
}

/** Code that sums the terms of several vectors as a tree, each branch by itself, and where the sums are then. */
function tree(take: Take, terms: readonly (readonly Local[])[]): { code: Code; sums: readonly Local[] } {
  if (terms.length === 1) return { code: [], sums: terms[0]! };
  const half = terms.length / 2;
  const [left, right] = [tree(take, terms.slice(0, half)), tree(take, terms.slice(half))];
  const sums = left.sums.map(() => take(v128));
  const adds = sums.flatMap((sum, i) => set(sum, f32x4.add(get(left.sums[i]!), get(right.sums[i]!))));
  return { code: [...left.code, ...right.code, ...adds], sums };
}

/** A vector of each of the tensors `dy, x, dx`, at an address and an offset from it, and the coefficients there. */
interface BackwardVector {
  readonly at: readonly [dy: Code, x: Code, dx: Code];
  readonly offset: number;
  readonly c: readonly Local[];
}

/** Writes `dx` of a vector and computes its terms of `dc`. */
function backwardVector(
  branches: readonly FormulaBranch[],
  take: Take,
  width: Width,
  { at: [dy, x, dx], offset, c }: BackwardVector,
  sums: boolean,
): { code: Code; terms: readonly Local[] } {
  const [v, g] = [take(v128), take(v128)];
  const at = new At(branches, v, take);
  const slope = at.slope(c);
  const terms = sums ? at.terms(g) : [];
  const loads = [...set(v, load(width)(x, offset)), ...set(g, load(width)(dy, offset))];
  const stored = store(width)(dx, f32x4.multiply(get(g), get(slope)), offset);
  return { code: [...loads, ...at.code, ...stored], terms };
}

function backwardColumns(branches: readonly FormulaBranch[], sums: boolean): FunctionCode {
  const f = new FunctionCode('backwardColumns', 7);
  const [dy, x, c, dx, dc, A, B] = [0, 1, 2, 3, 4, 5, 6];
  const [row, at, into, left] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  // Rows one after the other, each as wide as a cache line: rows that are a power of two apart share their place in the
  // cache, and would drive each other out.
  const elements = (stretch: Stretch, rows: number): Code =>
    f.scope((take) => {
      const { width } = stretch;
      const offsets = offsetsOf(stretch);
      const [cs, loadCs] = coefficients(branches.length, take, load(width), at, row, offsets);
      const parts = Array.from({ length: rows }, (_, k) => {
        const below = (pointer: Local) => (k === 0 ? get(pointer) : plus(get(pointer), times(get(row), integer(k))));
        return offsets.map((offset, vector) => {
          const place: BackwardVector = { at: [below(dy), below(x), below(dx)], offset, c: cs[vector]! };
          return backwardVector(branches, take, width, place, sums);
        });
      });
      const totals = offsets.map((_, vector) =>
        tree(
          take,
          parts.map((part) => part[vector]!.terms),
        ),
      );
      const address = take(i32);
      const added = (sums ? branches : []).flatMap((_, i) => [
        ...(i === 0 ? set(address, get(into)) : increase(address, shiftedLeft(get(row), 1))),
        ...totals.flatMap((total, vector) => addTo(address, 32 * vector, total.sums[i]!, width)),
      ]);
      return [
        ...loadCs,
        ...parts.flat().flatMap(({ code }) => code),
        ...totals.flatMap(({ code }) => code),
        ...added,
        ...[dy, x, dx, at].flatMap((pointer) => increase(pointer, integer(4 * lengthOf(stretch)))),
        ...increase(into, integer(8 * lengthOf(stretch))),
      ];
    });
  const rowsOf = (rows: number): Code => [
    ...set(at, get(c)),
    ...set(into, get(dc)),
    ...set(left, get(B)),
    ...stretches(branches.length).flatMap((stretch) => countDown(left, lengthOf(stretch), elements(stretch, rows))),
    ...(rows === 1 ? [] : [dy, x, dx].flatMap((pointer) => increase(pointer, times(get(row), integer(rows - 1))))),
  ];
  f.write(set(row, shiftedLeft(get(B), 2)));
  for (const rows of [block, 1]) f.write(countDown(A, rows, rowsOf(rows)));
  return f;
}

/** Adds the lanes of a float32 vector, or its first, to as many float64 in memory. */
function addTo(address: Local, offset: number, terms: Local, width: Width): Code {
  if (width === 1) return addLane(get(address), f64x2.ofLow(get(terms)));
  const half = (at: number, part: Code) => f64x2.store(get(address), f64x2.add(f64x2.load(get(address), at), part), at);
  return [...half(offset, f64x2.ofLow(get(terms))), ...half(offset + 16, f64x2.ofHigh(terms))];
}

function backwardRuns(branches: readonly FormulaBranch[], sums: boolean): FunctionCode {
  const f = new FunctionCode('backwardRuns', 8);
  const [dy, x, c, dx, dc, A, B, C] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [stride, at, into, leftB, left] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const run = f.scope((take) => {
    const [cs, loadCs] = coefficients(branches.length, take, f32x4.loadSplat, at, stride);
    const totals = sums ? branches.map(() => take(v128)) : [];
    const elements = (stretch: Stretch): Code =>
      f.scope((takeMore) => {
        const place = { at: [get(dy), get(x), get(dx)], c: cs[0]! } as const;
        const parts = offsetsOf(stretch).map((offset) =>
          backwardVector(branches, takeMore, stretch.width, { ...place, offset }, sums),
        );
        const part = tree(
          takeMore,
          parts.map(({ terms }) => terms),
        );
        const added = totals.flatMap((total, i) =>
          set(total, f64x2.add(get(total), f64x2.add(f64x2.ofLow(get(part.sums[i]!)), f64x2.ofHigh(part.sums[i]!)))),
        );
        return [
          ...parts.flatMap(({ code }) => code),
          ...part.code,
          ...added,
          ...[dy, x, dx].flatMap((pointer) => increase(pointer, integer(4 * lengthOf(stretch)))),
        ];
      });
    const address = take(i32);
    return [
      ...loadCs,
      ...totals.flatMap((total) => set(total, f64x2.zero)),
      ...set(left, get(C)),
      ...stretches(branches.length).flatMap((stretch) => countDown(left, lengthOf(stretch), elements(stretch))),
      ...totals.flatMap((total, i) => [
        ...(i === 0 ? set(address, get(into)) : increase(address, shiftedLeft(get(stride), 1))),
        ...addLanes(get(address), total),
      ]),
      ...increase(at, integer(4)),
      ...increase(into, integer(8)),
    ];
  });
  f.write(set(stride, shiftedLeft(get(B), 2)));
  const runs = countDown(leftB, 1, run);
  f.write(countDown(A, 1, [...set(at, get(c)), ...set(into, get(dc)), ...set(leftB, get(B)), ...runs]));
  return f;
}
