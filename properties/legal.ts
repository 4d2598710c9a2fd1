import { branchOf } from '../reference/branches.ts';
import type { Answer, BranchRef, Case, Dtype, Tangents } from '../reference/case.ts';
import type { Facet, Subject } from '../reference/subject.ts';
import { formats, storageFormats } from './dtypes.ts';
import { add as addExact, dyadic, multiply as multiplyExact, toNumber } from './exact.ts';
import { once } from './once.ts';
import { positionsOf } from './positions.ts';
import { range } from './transform.ts';

/**
 * The freedoms that spec §5 grants, as right Subjects: whatever one of them answers, no law may call wrong.
 */
export interface Style {
  readonly dtype: Dtype;
  /** How sums associate; `compensated` is Neumaier's, `blocked` sums of 4. */
  readonly sum: 'forward' | 'reversed' | 'pairwise' | 'blocked' | 'compensated';
  /** Products are contracted into the sums (fused multiply-add). */
  readonly fused: boolean;
  /** Common factors taken out (Horner in x, dy before the coefficients), or the lerp form under `sumToOne`. */
  readonly form: 'plain' | 'factored' | 'lerp';
  /** Subnormal inputs and results become 0. */
  readonly flush: boolean;
  /** Every rounding goes this way (facet `faithful`); to nearest unless given. */
  readonly direction?: 'down' | 'up';
  /** Answers are rounded once more, as they are stored. */
  readonly storage?: keyof typeof storageFormats;
}

export function legalSubject(style: Style): Subject {
  const { dtype, sum, fused, form, flush, direction, storage } = style;
  const facets: Facet[] = flush ? ['ftz'] : [];
  if (direction !== undefined) facets.push('faithful');
  if (storage !== undefined) facets.push(storage);
  const name = [dtype, sum, fused ? 'fused' : 'unfused', form, ...facets, direction].filter(Boolean).join(' ');
  return {
    name,
    dtype,
    facets,
    answer: (c) => new Evaluation(style, c).answer(),
    jvp: (c, tangents) => new Evaluation(style, c).tangent(tangents),
  };
}

/** Every combination of the freedoms of a float in its own right. */
export const legalStyles: readonly Style[] = (['f64', 'f32'] as const).flatMap((dtype) =>
  (['forward', 'reversed', 'pairwise', 'blocked', 'compensated'] as const).flatMap((sum) =>
    [false, true].flatMap((fused) =>
      (['plain', 'factored', 'lerp'] as const).flatMap((form) =>
        [false, true].map((flush) => ({ dtype, sum, fused, form, flush })),
      ),
    ),
  ),
);

/** The same in 16 bits, as of hardware that has such a float of its own. */
export const narrowStyles: readonly Style[] = (['f16', 'bf16'] as const).flatMap((dtype) =>
  legalStyles.filter((style) => style.dtype === 'f32').map((style) => ({ ...style, dtype })),
);

const freedomsOfGpus: readonly Partial<Style>[] = [
  { direction: 'down' },
  { direction: 'up' },
  { storage: 'storage:f16' },
  { storage: 'storage:f16', direction: 'up', flush: true },
  { storage: 'storage:bf16' },
];

/** The freedoms that only GPUs take, on some of those. */
export const gpuStyles: readonly Style[] = legalStyles
  .filter(({ dtype, sum, flush }) => dtype === 'f32' && sum === 'blocked' && !flush)
  .flatMap((style) => freedomsOfGpus.map((freedom) => ({ ...style, ...freedom })));

/**
 * Whether a term is exactly 0 by the sign of x, and so may be skipped whatever its coefficient is. One that underflows to
 * 0 may not: NaN times it is NaN.
 */
function isMaskedOut(name: BranchRef, x: number): boolean {
  return typeof name === 'string' && branchOf(name).f(Math.sign(x)) === 0;
}

/** A product of two factors, still to be rounded. */
type Term = readonly [number, number];

class Evaluation {
  readonly #style: Style;
  readonly #case: Case;
  readonly #smallest: number;

  constructor(style: Style, c: Case) {
    this.#style = style;
    this.#smallest = 2 ** formats[style.dtype].normalExponent;
    const read = (tensor: Float64Array) => tensor.map((v) => this.#flushed(v));
    const { constraint } = c.pool;
    const pool =
      constraint.kind === 'clip'
        ? { ...c.pool, constraint: { ...constraint, bounds: constraint.bounds.map((b) => this.#flushed(b)) } }
        : c.pool;
    this.#case = { ...c, pool, x: read(c.x), alpha: read(c.alpha), dy: read(c.dy) };
  }

  answer(): Answer {
    const { x, dy, pool } = this.#case;
    const { n, rows, count, units, of } = positionsOf(pool, this.#case.shape);
    const alphas = range(count).map((s) => range(rows).map((row) => this.#case.alpha[row * count + s]));
    const coefficients = alphas.map((alpha) => this.#coefficients(alpha, n));
    const values = Array.from(x, (v) => pool.branches.map((name) => this.#value(name, v)));
    const slopes = Array.from(x, (v) => pool.branches.map((name) => this.#round(branchOf(name).df(v))));
    const elements: number[][] = range(count).map(() => []);
    const at = Array.from(x, (_, i) => of(i % units));
    for (const [i, s] of at.entries()) elements[s].push(i);
    const stored = (answer: Float64Array) => this.#stored(answer);
    // Most who ask look at one of the three.
    const y = once(() => stored(x.map((v, i) => this.#y(v, values[i], alphas[at[i]], coefficients[at[i]]))));
    const dx = once(() => stored(x.map((_, i) => this.#dx(dy[i], slopes[i], alphas[at[i]], coefficients[at[i]]))));
    const dalpha = once(() => {
      const sums = new Float64Array(rows * count);
      for (const s of range(count)) {
        const shared = elements[s].map((i) => [values[i], dy[i], x[i]] as const);
        for (const row of range(rows)) sums[row * count + s] = this.#dalpha(row, alphas[s], shared);
      }
      return stored(sums);
    });
    return {
      get y() {
        return y();
      },
      get dx() {
        return dx();
      },
      get dalpha() {
        return dalpha();
      },
    };
  }

  tangent(tangents: Tangents): Float64Array {
    const { x, alpha, pool, shape } = this.#case;
    const { n, rows, count, units, of } = positionsOf(pool, shape);
    const [tx, talpha] = [tangents.tx, tangents.talpha].map((tensor) => tensor.map((v) => this.#flushed(v))) as [
      Float64Array,
      Float64Array,
    ];
    const alphas = range(count).map((s) => range(rows).map((row) => alpha[row * count + s]));
    const ts = range(count).map((s) => range(rows).map((row) => talpha[row * count + s]));
    const coefficients = alphas.map((column) => this.#coefficients(column, n));
    const tcs = ts.map((t, s) => this.#coefficientTangents(t, alphas[s], coefficients[s]));
    const ty = x.map((v, i) => {
      const s = of(i % units);
      const values = pool.branches.map((name) => this.#value(name, v));
      const slopes = pool.branches.map((name) => this.#round(branchOf(name).df(v)));
      return this.#ty(tx[i], values, slopes, { alpha: alphas[s], c: coefficients[s], t: ts[s], tc: tcs[s] });
    });
    return this.#stored(ty);
  }

  #stored(answer: Float64Array): Float64Array {
    const { storage } = this.#style;
    return storage === undefined ? answer : answer.map(storageFormats[storage].round);
  }

  #coefficients(alpha: readonly number[], n: number): readonly number[] {
    const { constraint } = this.#case.pool;
    if (constraint.kind === 'clip') {
      return alpha.map((a, i) => Math.min(Math.max(a, -constraint.bounds[i]), constraint.bounds[i]));
    }
    if (constraint.kind === 'softmax') {
      const top = Math.max(...alpha);
      const e = alpha.map((a) => this.#round(Math.exp(this.#subtract(a, top))));
      const total = this.#sum(e);
      return e.map((v) => this.#round(v / total));
    }
    if (constraint.kind !== 'sumToOne') return alpha;
    return [...alpha, n === 1 ? 1 : this.#sum([1, ...alpha.map((a) => -a)])];
  }

  #y(x: number, f: readonly number[], alpha: readonly number[], c: readonly number[]): number {
    const { branches: names, constraint } = this.#case.pool;
    const last = f.length - 1;
    if (this.#style.form === 'lerp' && constraint.kind === 'sumToOne') {
      const fn = f[last];
      return this.#sumOfProducts([[1, fn], ...alpha.map((a, i): Term => [a, this.#subtract(f[i], fn)])]);
    }
    if (this.#style.form === 'factored' && Number.isFinite(x)) {
      // (c₂/2·x + c₁)·x + c₀, of the active branches.
      const powers: number[][] = [[], [], []];
      for (const [k, name] of names.entries()) {
        if (isMaskedOut(name, x)) continue;
        if (name === 'halfSquare') powers[2].push(c[k] / 2);
        else if (name === 'relu' || name === 'negative' || name === 'identity') powers[1].push(c[k]);
        else powers[0].push(this.#multiply(c[k], f[k]));
      }
      const [c0, c1, c2] = powers.map((terms) => this.#sum(terms)) as [number, number, number];
      if (powers[1].length + powers[2].length === 0) return c0;
      const slope = powers[2].length === 0 ? c1 : this.#multiplyAdd(c2, x, c1);
      return powers[0].length === 0 ? this.#multiply(slope, x) : this.#multiplyAdd(slope, x, c0);
    }
    return this.#sumOfProducts(c.map((value, k): Term => [value, f[k]]));
  }

  #dx(dy: number, slopes: readonly number[], alpha: readonly number[], c: readonly number[]): number {
    const last = slopes.length - 1;
    if (this.#style.form === 'lerp' && this.#case.pool.constraint.kind === 'sumToOne') {
      const fn = slopes[last];
      const terms = alpha.map((a, i): Term => [a, this.#subtract(slopes[i], fn)]);
      return this.#multiply(dy, this.#sumOfProducts([[1, fn], ...terms]));
    }
    if (this.#style.form === 'factored') {
      return this.#multiply(dy, this.#sumOfProducts(c.map((value, k): Term => [value, slopes[k]])));
    }
    return this.#sumOfProducts(c.map((value, k): Term => [this.#multiply(value, dy), slopes[k]]));
  }

  /** `tc = κ′ talpha` */
  #coefficientTangents(t: readonly number[], alpha: readonly number[], c: readonly number[]): readonly number[] {
    const { constraint } = this.#case.pool;
    if (constraint.kind === 'clip') return t.map((v, i) => (Math.abs(alpha[i]) > constraint.bounds[i] ? 0 : v));
    if (constraint.kind === 'softmax') {
      const mean = this.#sumOfProducts(c.map((value, k): Term => [value, t[k]]));
      return c.map((value, k) => this.#multiply(value, this.#subtract(t[k], mean)));
    }
    if (constraint.kind !== 'sumToOne') return t;
    return [...t, this.#sum(t.map((v) => -v))];
  }

  #ty(
    tx: number,
    f: readonly number[],
    slopes: readonly number[],
    { alpha, c, t, tc }: Readonly<Record<'alpha' | 'c' | 't' | 'tc', readonly number[]>>,
  ): number {
    const ofSlopes = this.#dx(tx, slopes, alpha, c);
    const last = f.length - 1;
    if (this.#style.form === 'lerp' && this.#case.pool.constraint.kind === 'sumToOne') {
      return this.#add(ofSlopes, this.#sumOfProducts(t.map((v, i): Term => [v, this.#subtract(f[i], f[last])])));
    }
    const ofValues = tc.map((value, k): Term => [value, f[k]]);
    if (this.#style.form === 'factored') return this.#add(ofSlopes, this.#sumOfProducts(ofValues));
    return this.#sumOfProducts([...c.map((value, k): Term => [this.#multiply(value, tx), slopes[k]]), ...ofValues]);
  }

  #dalpha(
    row: number,
    alpha: readonly number[],
    elements: readonly (readonly [f: readonly number[], dy: number, x: number])[],
  ): number {
    const { constraint, branches: names } = this.#case.pool;
    if (constraint.kind === 'clip' && Math.abs(alpha[row]) > constraint.bounds[row]) return 0;
    const products = (k: number) =>
      elements.map(([f, dy, x]): Term => {
        // x·(x·dy)/2: another association of the same product.
        if (this.#style.form === 'factored' && names[k] === 'halfSquare' && x > 0)
          return [x, this.#multiply(x, dy) / 2];
        return [f[k], dy];
      });
    if (constraint.kind === 'softmax') {
      const c = this.#coefficients(alpha, names.length);
      const dc = names.map((_, k) => this.#sumOfProducts(products(k)));
      const mean = this.#sumOfProducts(c.map((value, k): Term => [value, dc[k]]));
      return this.#multiply(c[row], this.#subtract(dc[row], mean));
    }
    if (constraint.kind !== 'sumToOne') return this.#sumOfProducts(products(row));
    const last = names.length - 1;
    if (this.#style.form === 'lerp') {
      return this.#sumOfProducts(elements.map(([f, dy]): Term => [this.#subtract(f[row], f[last]), dy]));
    }
    return this.#subtract(this.#sumOfProducts(products(row)), this.#sumOfProducts(products(last)));
  }

  #value(name: BranchRef, x: number): number {
    if (name === 'halfSquare') return x > 0 ? this.#multiply(x, x) / 2 : branchOf(name).f(x);
    return this.#round(branchOf(name).f(x));
  }

  #sumOfProducts(terms: readonly Term[]): number {
    if (!this.#style.fused) return this.#sum(terms.map(([a, b]) => this.#multiply(a, b)));
    const ordered = this.#style.sum === 'reversed' ? terms.toReversed() : terms;
    return ordered.reduce((total, [a, b], i) => (i === 0 ? this.#multiply(a, b) : this.#multiplyAdd(a, b, total)), 0);
  }

  #sum(terms: readonly number[]): number {
    switch (this.#style.sum) {
      case 'forward':
        return terms.reduce((total, v) => this.#add(total, v), 0);
      case 'reversed':
        return terms.reduceRight((total, v) => this.#add(total, v), 0);
      case 'pairwise': {
        if (terms.length <= 1) return terms[0] ?? 0;
        const half = Math.ceil(terms.length / 2);
        return this.#add(this.#sum(terms.slice(0, half)), this.#sum(terms.slice(half)));
      }
      case 'blocked': {
        const lanes = range(4).map((lane) => terms.filter((_, i) => i % 4 === lane));
        return lanes.map((lane) => lane.reduce((t, v) => this.#add(t, v), 0)).reduce((t, v) => this.#add(t, v), 0);
      }
      case 'compensated': {
        let [total, lost] = [0, 0];
        for (const v of terms) {
          const next = this.#add(total, v);
          const error =
            Math.abs(total) >= Math.abs(v)
              ? this.#add(this.#subtract(total, next), v)
              : this.#add(this.#subtract(v, next), total);
          lost = this.#add(lost, error);
          total = next;
        }
        return Number.isFinite(total) ? this.#add(total, lost) : total;
      }
    }
  }

  #add(a: number, b: number): number {
    return this.#round(a + b);
  }

  #subtract(a: number, b: number): number {
    return this.#round(a - b);
  }

  #multiply(a: number, b: number): number {
    return this.#round(a * b);
  }

  #multiplyAdd(a: number, b: number, c: number): number {
    if (!this.#style.fused) return this.#add(this.#multiply(a, b), c);
    if (![a, b, c].every(Number.isFinite)) return a * b + c;
    const exact = addExact(multiplyExact(dyadic(a), dyadic(b)), dyadic(c));
    return this.#flushed(toNumber(exact, formats[this.#style.dtype], this.#style.direction));
  }

  #round(v: number): number {
    const { dtype, direction } = this.#style;
    if (direction === undefined || !Number.isFinite(v)) return this.#flushed(formats[dtype].round(v));
    return this.#flushed(toNumber(dyadic(v), formats[dtype], direction));
  }

  #flushed(v: number): number {
    return this.#style.flush && Math.abs(v) < this.#smallest ? 0 : v;
  }
}
