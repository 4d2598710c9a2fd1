import type { BranchName } from '../../../reference/case.ts';
import {
  addLanes,
  type Code,
  type Definition,
  define,
  f32x4,
  f64x2,
  i32,
  type Local,
  type ValueType,
} from '../wasm/assembler.ts';
import { evaluator, type FormulaBranch, formulas, one, type Target, zero } from './formula.ts';

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

/** The kernels for a pool of these branches; backward leaves `dc` alone unless `sums`. */
export function wasmKernelCode(names: readonly BranchName[], sums: boolean): readonly Definition[] {
  const branches = names.map((name) => formulas[name]);
  return [
    forwardColumns(branches),
    forwardRuns(branches),
    backwardColumns(branches, sums),
    backwardRuns(branches, sums),
  ];
}

/** Takes a local of a type. */
type Take = (type: ValueType) => Local;

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
      const mask = masks.get(a) ?? keep(f32x4.greater(a.get, f32x4.const(0)));
      masks.set(a, mask);
      return mask;
    };
    const target: Target<Local> = {
      x,
      constant: (value) => {
        const local = keep(f32x4.const(value));
        if (value === 0) zeros.add(local);
        return local;
      },
      negate: (a) => keep(f32x4.neg(a.get)),
      absolute: (a) => keep(f32x4.abs(a.get)),
      nearest: (a) => keep(f32x4.nearest(a.get)),
      powerOfTwo: (a) => keep(f32x4.powerOfTwo(a.get)),
      add: (a, b) => keep(f32x4.add(a.get, b.get)),
      subtract: (a, b) => keep(f32x4.sub(a.get, b.get)),
      multiply: (a, b) => keep(f32x4.mul(a.get, b.get)),
      divide: (a, b) => keep(f32x4.div(a.get, b.get)),
      maximum: (a, b) => keep(f32x4.max(a.get, b.get)),
      ifPositive: (a, b, c) => {
        const mask = isPositive(a).get;
        return keep(zeros.has(c) ? f32x4.and(b.get, mask) : f32x4.select(b.get, c.get, mask));
      },
    };
    this.#evaluate = evaluator(target);
  }

  keep(value: Code): Local {
    const local = this.#take('v128');
    this.code.push(...local.set(value));
    return local;
  }

  /** `Σ cᵢ fᵢ(x)`, NaN for NaN. */
  value(c: readonly Local[]): Local {
    const terms = this.#branches.map(({ value }, i) => {
      const f = this.#evaluate(value);
      return f32x4.mul(c[i].get, f.get);
    });
    return this.keep(f32x4.or(sumOf(terms), this.#nan().get));
  }

  /** `Σ cᵢ fᵢ′(x)` */
  slope(c: readonly Local[]): Local {
    const terms = this.#branches.flatMap(({ derivative }, i) => {
      if (derivative === zero) return [];
      if (derivative === one) return [c[i].get];
      const df = this.#evaluate(derivative);
      return [f32x4.mul(c[i].get, df.get)];
    });
    return this.keep(terms.length === 0 ? f32x4.const(0) : sumOf(terms));
  }

  /** `fᵢ(x)·g` for each branch, NaN for NaN. */
  terms(g: Local): Local[] {
    const nan = this.#nan();
    return this.#branches.map(({ value }) => {
      const f = this.#evaluate(value);
      return this.keep(f32x4.or(f32x4.mul(f.get, g.get), nan.get));
    });
  }

  #nanLocal: Local | undefined;

  /** The bits of x where it is NaN, 0 elsewhere: whatever they are joined with by `or` is NaN too. */
  #nan(): Local {
    this.#nanLocal ??= this.keep(f32x4.and(this.#x.get, f32x4.unequal(this.#x.get, this.#x.get)));
    return this.#nanLocal;
  }
}

/** `a + b + …` from the left: what is there of the sum is not copied for each term, of which there may be hundreds. */
function sumOf(terms: readonly Code[]): Code {
  return terms.flatMap((term, i) => (i === 0 ? term : [...term, ...f32x4.add()]));
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
  const locals = offsets.map(() => Array.from({ length: n }, () => take('v128')));
  const address = take('i32');
  const code = Array.from({ length: n }, (_, i) => [
    ...(i === 0 ? address.set(c.get) : address.add(stride.get)),
    ...offsets.flatMap((offset, k) => locals[k][i].set(read(address.get, offset))),
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
    const v = take('v128');
    const branch = new At(branches, v, take);
    const value = branch.value(cs[k % cs.length]);
    const stored = store(width)(y.get, value.get, offset);
    return [...v.set(load(width)(x.get, offset)), ...branch.code, ...stored];
  });
  return [...each, ...[x, y].flatMap((pointer) => pointer.add(i32.const(4 * lengthOf(stretch))))];
}

function forwardColumns(branches: readonly FormulaBranch[]): Definition {
  return define('forwardColumns', (f) => {
    const [x, c, y, A, B] = Array.from({ length: 5 }, () => f.parameter());
    const [stride, at, left] = [f.variable(), f.variable(), f.variable()];
    const elements = (stretch: Stretch): Code =>
      f.scope((take) => {
        const offsets = offsetsOf(stretch);
        const [cs, loadCs] = coefficients(branches.length, take, load(stretch.width), at, stride, offsets);
        const vectors = forwardVectors(branches, cs, take, [x, y], stretch);
        return [...loadCs, ...vectors, ...at.add(i32.const(4 * lengthOf(stretch)))];
      });
    const row = stretches(branches.length).flatMap((stretch) =>
      f.countDown(left, lengthOf(stretch), elements(stretch)),
    );
    return [
      ...stride.set(i32.shl(B.get, i32.const(2))),
      ...f.countDown(A, 1, [...at.set(c.get), ...left.set(B.get), ...row]),
    ];
  });
}

function forwardRuns(branches: readonly FormulaBranch[]): Definition {
  return define('forwardRuns', (f) => {
    const [x, c, y, A, B, C] = Array.from({ length: 6 }, () => f.parameter());
    const [stride, at, leftB, left] = [f.variable(), f.variable(), f.variable(), f.variable()];
    const run = f.scope((take) => {
      const [cs, loadCs] = coefficients(branches.length, take, f32x4.loadSplat, at, stride);
      const elements = (stretch: Stretch): Code =>
        f.scope((takeMore) => forwardVectors(branches, cs, takeMore, [x, y], stretch));
      return [
        ...loadCs,
        ...left.set(C.get),
        ...stretches(branches.length).flatMap((stretch) => f.countDown(left, lengthOf(stretch), elements(stretch))),
        ...at.add(i32.const(4)),
      ];
    });
    return [
      ...stride.set(i32.shl(B.get, i32.const(2))),
      ...f.countDown(A, 1, [...at.set(c.get), ...leftB.set(B.get), ...f.countDown(leftB, 1, run)]),
    ];
  });
}

/** Code that sums the terms of several vectors as a tree, each branch by itself, and where the sums are then. */
function tree(take: Take, terms: readonly (readonly Local[])[]): { code: Code; sums: readonly Local[] } {
  if (terms.length === 1) return { code: [], sums: terms[0] };
  const half = terms.length / 2;
  const [left, right] = [tree(take, terms.slice(0, half)), tree(take, terms.slice(half))];
  const sums = left.sums.map(() => take('v128'));
  const adds = sums.flatMap((sum, i) => sum.set(f32x4.add(left.sums[i].get, right.sums[i].get)));
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
  const [v, g] = [take('v128'), take('v128')];
  const at = new At(branches, v, take);
  const slope = at.slope(c);
  const terms = sums ? at.terms(g) : [];
  const loads = [...v.set(load(width)(x, offset)), ...g.set(load(width)(dy, offset))];
  const stored = store(width)(dx, f32x4.mul(g.get, slope.get), offset);
  return { code: [...loads, ...at.code, ...stored], terms };
}

function backwardColumns(branches: readonly FormulaBranch[], sums: boolean): Definition {
  return define('backwardColumns', (f) => {
    const [dy, x, c, dx, dc, A, B] = Array.from({ length: 7 }, () => f.parameter());
    const [row, at, into, left] = [f.variable(), f.variable(), f.variable(), f.variable()];
    // Rows one after the other, each as wide as a cache line: rows that are a power of two apart share their place in the
    // cache, and would drive each other out.
    const elements = (stretch: Stretch, rows: number): Code =>
      f.scope((take) => {
        const { width } = stretch;
        const offsets = offsetsOf(stretch);
        const [cs, loadCs] = coefficients(branches.length, take, load(width), at, row, offsets);
        const parts = Array.from({ length: rows }, (_, k) => {
          const below = (pointer: Local) =>
            k === 0 ? pointer.get : i32.add(pointer.get, i32.mul(row.get, i32.const(k)));
          return offsets.map((offset, vector) => {
            const place: BackwardVector = { at: [below(dy), below(x), below(dx)], offset, c: cs[vector] };
            return backwardVector(branches, take, width, place, sums);
          });
        });
        const totals = offsets.map((_, vector) =>
          tree(
            take,
            parts.map((part) => part[vector].terms),
          ),
        );
        const address = take('i32');
        const added = (sums ? branches : []).flatMap((_, i) => [
          ...(i === 0 ? address.set(into.get) : address.add(i32.shl(row.get, i32.const(1)))),
          ...totals.flatMap((total, vector) => addTo(address, 32 * vector, total.sums[i], width)),
        ]);
        return [
          ...loadCs,
          ...parts.flat().flatMap(({ code }) => code),
          ...totals.flatMap(({ code }) => code),
          ...added,
          ...[dy, x, dx, at].flatMap((pointer) => pointer.add(i32.const(4 * lengthOf(stretch)))),
          ...into.add(i32.const(8 * lengthOf(stretch))),
        ];
      });
    const rowsOf = (rows: number): Code => [
      ...at.set(c.get),
      ...into.set(dc.get),
      ...left.set(B.get),
      ...stretches(branches.length).flatMap((stretch) => f.countDown(left, lengthOf(stretch), elements(stretch, rows))),
      ...(rows === 1 ? [] : [dy, x, dx].flatMap((pointer) => pointer.add(i32.mul(row.get, i32.const(rows - 1))))),
    ];
    return [
      ...row.set(i32.shl(B.get, i32.const(2))),
      ...[block, 1].flatMap((rows) => f.countDown(A, rows, rowsOf(rows))),
    ];
  });
}

/** Adds the lanes of a float32 vector, or its first, to as many float64 in memory. */
function addTo(address: Local, offset: number, terms: Local, width: Width): Code {
  if (width === 1) return addLanes(address.get, f64x2.ofLow(terms.get), [0]);
  const half = (at: number, part: Code) => f64x2.store(address.get, f64x2.add(f64x2.load(address.get, at), part), at);
  return [...half(offset, f64x2.ofLow(terms.get)), ...half(offset + 16, f64x2.ofHigh(terms))];
}

function backwardRuns(branches: readonly FormulaBranch[], sums: boolean): Definition {
  return define('backwardRuns', (f) => {
    const [dy, x, c, dx, dc, A, B, C] = Array.from({ length: 8 }, () => f.parameter());
    const [stride, at, into, leftB, left] = [f.variable(), f.variable(), f.variable(), f.variable(), f.variable()];
    const run = f.scope((take) => {
      const [cs, loadCs] = coefficients(branches.length, take, f32x4.loadSplat, at, stride);
      const totals = sums ? branches.map(() => take('v128')) : [];
      const elements = (stretch: Stretch): Code =>
        f.scope((takeMore) => {
          const place = { at: [dy.get, x.get, dx.get], c: cs[0] } as const;
          const parts = offsetsOf(stretch).map((offset) =>
            backwardVector(branches, takeMore, stretch.width, { ...place, offset }, sums),
          );
          const part = tree(
            takeMore,
            parts.map(({ terms }) => terms),
          );
          const added = totals.flatMap((total, i) =>
            total.set(f64x2.add(total.get, f64x2.add(f64x2.ofLow(part.sums[i].get), f64x2.ofHigh(part.sums[i])))),
          );
          return [
            ...parts.flatMap(({ code }) => code),
            ...part.code,
            ...added,
            ...[dy, x, dx].flatMap((pointer) => pointer.add(i32.const(4 * lengthOf(stretch)))),
          ];
        });
      const address = take('i32');
      return [
        ...loadCs,
        ...totals.flatMap((total) => total.set(f64x2.zero)),
        ...left.set(C.get),
        ...stretches(branches.length).flatMap((stretch) => f.countDown(left, lengthOf(stretch), elements(stretch))),
        ...totals.flatMap((total, i) => [
          ...(i === 0 ? address.set(into.get) : address.add(i32.shl(stride.get, i32.const(1)))),
          ...addLanes(address.get, total.get, [0, 1]),
        ]),
        ...at.add(i32.const(4)),
        ...into.add(i32.const(8)),
      ];
    });
    const runs = f.countDown(leftB, 1, run);
    const rows = f.countDown(A, 1, [...at.set(c.get), ...into.set(dc.get), ...leftB.set(B.get), ...runs]);
    return [...stride.set(i32.shl(B.get, i32.const(2))), ...rows];
  });
}
