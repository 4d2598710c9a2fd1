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

/** Terms that are summed in float32, as a tree, before they are added in float64: two roundings. */
const block = 4;

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
    const target: Target<Local> = {
      x,
      constant: (value) => keep(f32x4.constant(value)),
      negate: (a) => keep(f32x4.negate(get(a))),
      absolute: (a) => keep(f32x4.absolute(get(a))),
      nearest: (a) => keep(f32x4.nearest(get(a))),
      powerOfTwo: (a) => keep(f32x4.powerOfTwo(get(a))),
      add: (a, b) => keep(f32x4.add(get(a), get(b))),
      subtract: (a, b) => keep(f32x4.subtract(get(a), get(b))),
      multiply: (a, b) => keep(f32x4.multiply(get(a), get(b))),
      divide: (a, b) => keep(f32x4.divide(get(a), get(b))),
      maximum: (a, b) => keep(f32x4.maximum(get(a), get(b))),
      ifPositive: (a, b, c) => keep(f32x4.select(get(b), get(c), f32x4.isGreater(get(a), f32x4.constant(0)))),
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

/** Four elements at once, or one. */
type Width = 4 | 1;
const widths: readonly Width[] = [4, 1];

const load = (width: Width) => (width === 4 ? f32x4.load : f32x4.loadOne);
const store = (width: Width) => (width === 4 ? f32x4.store : f32x4.storeOne);

/** `cᵢ` for each branch at `c`, `stride` bytes apart. */
function coefficients(n: number, take: Take, read: (address: Code) => Code, c: Local, stride: Local): [Local[], Code] {
  const locals = Array.from({ length: n }, () => take(v128));
  const address = take(i32);
  const code = locals.flatMap((local, i) => [
    ...(i === 0 ? set(address, get(c)) : increase(address, get(stride))),
    ...set(local, read(get(address))),
  ]);
  return [locals, code];
}

function forwardColumns(branches: readonly FormulaBranch[]): FunctionCode {
  const f = new FunctionCode('forwardColumns', 5);
  const [x, c, y, A, B] = [0, 1, 2, 3, 4];
  const [stride, at, left] = [f.local(i32), f.local(i32), f.local(i32)];
  const elements = (width: Width): Code =>
    f.scope((take) => {
      const [cs, loadCs] = coefficients(branches.length, take, load(width), at, stride);
      const v = take(v128);
      const branch = new At(branches, v, take);
      const value = branch.value(cs);
      return [
        ...set(v, load(width)(get(x))),
        ...loadCs,
        ...branch.code,
        ...store(width)(get(y), get(value)),
        ...[x, y, at].flatMap((pointer) => increase(pointer, integer(4 * width))),
      ];
    });
  const row = widths.flatMap((width) => countDown(left, width, elements(width)));
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
    const elements = (width: Width): Code =>
      f.scope((takeMore) => {
        const v = takeMore(v128);
        const branch = new At(branches, v, takeMore);
        const value = branch.value(cs);
        return [
          ...set(v, load(width)(get(x))),
          ...branch.code,
          ...store(width)(get(y), get(value)),
          ...[x, y].flatMap((pointer) => increase(pointer, integer(4 * width))),
        ];
      });
    return [
      ...loadCs,
      ...set(left, get(C)),
      ...widths.flatMap((width) => countDown(left, width, elements(width))),
      ...increase(at, integer(4)),
    ];
  });
  f.write(set(stride, shiftedLeft(get(B), 2)));
  f.write(countDown(A, 1, [...set(at, get(c)), ...set(leftB, get(B)), ...countDown(leftB, 1, run)]));
  return f;
}

/** The terms of several vectors, each branch's summed as a tree. */
function tree(at: At, terms: readonly (readonly Local[])[]): readonly Local[] {
  if (terms.length === 1) return terms[0]!;
  const half = terms.length / 2;
  const [left, right] = [tree(at, terms.slice(0, half)), tree(at, terms.slice(half))];
  return left.map((local, i) => at.keep(f32x4.add(get(local), get(right[i]!))));
}

/** `dx` and the terms of `dc` of so many vectors, whose tensors `dy, x, dx` are at these addresses. */
function backwardVectors(
  branches: readonly FormulaBranch[],
  cs: readonly Local[],
  take: Take,
  width: Width,
  addresses: readonly (readonly [dy: Code, x: Code, dx: Code, offset: number])[],
  sums: boolean,
): { code: Code; sums: readonly Local[] } {
  const code: number[] = [];
  const terms: (readonly Local[])[] = [];
  let last: At | undefined;
  for (const [dy, x, dx, offset] of addresses) {
    const [v, g] = [take(v128), take(v128)];
    const at = new At(branches, v, take);
    const slope = at.slope(cs);
    if (sums) terms.push(at.terms(g));
    code.push(...set(v, load(width)(x, offset)), ...set(g, load(width)(dy, offset)), ...at.code);
    code.push(...store(width)(dx, f32x4.multiply(get(g), get(slope)), offset));
    last = at;
  }
  if (!sums) return { code, sums: [] };
  const before = last!.code.length;
  const total = tree(last!, terms);
  return { code: [...code, ...last!.code.slice(before)], sums: total };
}

function backwardColumns(branches: readonly FormulaBranch[], sums: boolean): FunctionCode {
  const f = new FunctionCode('backwardColumns', 7);
  const [dy, x, c, dx, dc, A, B] = [0, 1, 2, 3, 4, 5, 6];
  const [row, at, into, left] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const elements = (width: Width, rows: number): Code =>
    f.scope((take) => {
      const [cs, loadCs] = coefficients(branches.length, take, load(width), at, row);
      const addresses = Array.from({ length: rows }, (_, k) => {
        const below = (pointer: Local) => (k === 0 ? get(pointer) : plus(get(pointer), times(get(row), integer(k))));
        return [below(dy), below(x), below(dx), 0] as const;
      });
      const { code, sums: totals } = backwardVectors(branches, cs, take, width, addresses, sums);
      const address = take(i32);
      const added = totals.flatMap((total, i) => [
        ...(i === 0 ? set(address, get(into)) : increase(address, shiftedLeft(get(row), 1))),
        ...(width === 1
          ? addLane(get(address), f64x2.ofLow(get(total)))
          : [
              ...f64x2.store(get(address), f64x2.add(f64x2.load(get(address)), f64x2.ofLow(get(total)))),
              ...f64x2.store(get(address), f64x2.add(f64x2.load(get(address), 16), f64x2.ofHigh(total)), 16),
            ]),
      ]);
      return [
        ...loadCs,
        ...code,
        ...added,
        ...[dy, x, dx, at].flatMap((pointer) => increase(pointer, integer(4 * width))),
        ...increase(into, integer(8 * width)),
      ];
    });
  const rowsOf = (rows: number): Code => [
    ...set(at, get(c)),
    ...set(into, get(dc)),
    ...set(left, get(B)),
    ...widths.flatMap((width) => countDown(left, width, elements(width, rows))),
    ...(rows === 1 ? [] : [dy, x, dx].flatMap((pointer) => increase(pointer, times(get(row), integer(rows - 1))))),
  ];
  f.write(set(row, shiftedLeft(get(B), 2)));
  for (const rows of [block, 1]) f.write(countDown(A, rows, rowsOf(rows)));
  return f;
}

function backwardRuns(branches: readonly FormulaBranch[], sums: boolean): FunctionCode {
  const f = new FunctionCode('backwardRuns', 8);
  const [dy, x, c, dx, dc, A, B, C] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [stride, at, into, leftB, left] = [f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)];
  const run = f.scope((take) => {
    const [cs, loadCs] = coefficients(branches.length, take, f32x4.loadSplat, at, stride);
    const totals = sums ? branches.map(() => take(v128)) : [];
    const elements = (width: Width, vectors: number): Code =>
      f.scope((takeMore) => {
        const addresses = Array.from({ length: vectors }, (_, k) => [get(dy), get(x), get(dx), 16 * k] as const);
        const { code, sums: part } = backwardVectors(branches, cs, takeMore, width, addresses, sums);
        const added = totals.flatMap((total, i) =>
          set(total, f64x2.add(get(total), f64x2.add(f64x2.ofLow(get(part[i]!)), f64x2.ofHigh(part[i]!)))),
        );
        return [
          ...code,
          ...added,
          ...[dy, x, dx].flatMap((pointer) => increase(pointer, integer(4 * width * vectors))),
        ];
      });
    const address = take(i32);
    return [
      ...loadCs,
      ...totals.flatMap((total) => set(total, f64x2.zero)),
      ...set(left, get(C)),
      ...countDown(left, 4 * block, elements(4, block)),
      ...countDown(left, 4, elements(4, 1)),
      ...countDown(left, 1, elements(1, 1)),
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
