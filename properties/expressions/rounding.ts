import type { Arithmetic } from '../error-bound.ts';
import { exactBig, holds } from './evaluate.ts';
import { derivative } from './parse.ts';
import { type Comparison, type SmoothFunction, type Tree, tree, x as variable } from './tree.ts';

/**
 * Value and derivative of a subtree at one x, and how far a legal evaluation may be off: the tree as written with sums
 * and products in any order, the derivative by the chain rule in any form that reuses values of the forward pass, as
 * `1 - t·t` for tanh.
 */
interface Jet {
  /** In float64, for sizes only. */
  readonly v: number;
  readonly d: number;
  /** `Σ|monomials|` of the value and of the derivative. */
  readonly m: number;
  readonly md: number;
  /** Bounds of the absolute errors; NaN where there is none. */
  readonly e: number;
  readonly ed: number;
}

/** What rounding may do to value and derivative of an expression at one x. */
export interface RoundingError {
  readonly value: number;
  readonly derivative: number;
  /** No comparison is within its rounding: every legal evaluation takes the same sides. */
  readonly decided: boolean;
  /** An intermediate result, or one of the quotient rule in the derivative, may overflow. */
  readonly overflows: boolean;
  readonly derivativeOverflows: boolean;
}

/**
 * A running error analysis, by the principle of spec §5 at every node: u for each rounding, `E·u` for each function,
 * η for what may underflow.
 *
 * @param isKink whether x is a kink that is listed, where ties are ties
 */
export function roundingError(of: Tree, x: number, isKink: boolean, arithmetic: Arithmetic): RoundingError {
  const analysis = new Analysis(x, isKink, arithmetic);
  const { e, ed } = analysis.jet(of);
  const { decided, largest, largestSlope } = analysis;
  const limit = arithmetic.format.largest / 2;
  // 2⁻²⁰ for the second-order terms left out, and the rounding of the analysis itself.
  const covered = 1 + 2 ** -20;
  return {
    value: e * covered,
    derivative: ed * covered,
    decided,
    overflows: !(largest < limit),
    derivativeOverflows: !(largest < limit && largestSlope < limit),
  };
}

class Analysis {
  readonly #x: number;
  readonly #isKink: boolean;
  readonly #u: number;
  readonly #E: number;
  readonly #eta: number;
  decided = true;
  largest = 0;
  largestSlope = 0;

  constructor(x: number, isKink: boolean, { u, eta, transcendental }: Arithmetic) {
    this.#x = x;
    this.#isKink = isKink;
    this.#u = u;
    this.#E = transcendental * u;
    this.#eta = eta;
  }

  jet(of: Tree): Jet {
    const jet = this.#jet(of);
    // NaN counts as overflow.
    if (!(jet.m <= this.largest)) this.largest = jet.m;
    if (!(jet.md <= this.largestSlope)) this.largestSlope = jet.md;
    return jet;
  }

  #jet(of: Tree): Jet {
    const { operation, operands, value } = of;
    switch (operation) {
      case 'number': {
        const v = Number(value!.toString());
        const isExact = Math.fround(v) === v && exactBig(v).eq(value!);
        return this.#constant(v, isExact);
      }
      case 'pi':
        return this.#constant(Math.PI, false);
      case 'e':
        return this.#constant(Math.E, false);
      case 'x':
        return { v: this.#x, d: 1, m: Math.abs(this.#x), md: 1, e: 0, ed: 0 };
      case '+':
      case '-':
        return this.#sum(addends(of).map(([term, sign]) => scaled(this.jet(term), sign)));
      case 'negate':
        return scaled(this.jet(operands[0]), -1);
      case '*':
        return this.#product(this.jet(operands[0]), this.jet(operands[1]));
      case '/':
        return this.#quotient(this.jet(operands[0]), this.jet(operands[1]));
      case '^':
        return this.#power(this.jet(operands[0]), this.jet(operands[1]), operands[1]);
      case '?:':
        return this.#conditional(operands as [Tree, Tree, Tree]);
      case 'max':
      case 'min':
        return operands.map((operand) => this.jet(operand)).reduce((a, b) => this.#extreme(a, b, operation));
      case 'abs': {
        const u = this.jet(operands[0]);
        const side = this.#sign(u, u.e);
        if (side === undefined) return { ...u, v: Math.abs(u.v), ed: Number.NaN };
        return side === 0 ? { ...u, v: 0, d: 0, md: 0, ed: 0 } : scaled(u, side);
      }
      case 'sign': {
        const u = this.jet(operands[0]);
        const side = this.#sign(u, u.e);
        return side === undefined ? this.#open(1) : this.#constant(side, true);
      }
      default:
        return this.#applied(operation as SmoothFunction, this.jet(operands[0]));
    }
  }

  #constant(v: number, isExact: boolean): Jet {
    return { v, d: 0, m: Math.abs(v), md: 0, e: isExact ? 0 : this.#u * Math.abs(v) + this.#eta, ed: 0 };
  }

  #open(v: number): Jet {
    return { v, d: 0, m: Math.abs(v), md: 0, e: Number.NaN, ed: Number.NaN };
  }

  #sum(terms: readonly Jet[]): Jet {
    const total = (part: (jet: Jet) => number) => terms.reduce((sum, jet) => sum + part(jet), 0);
    const [m, md] = [total((jet) => jet.m), total((jet) => jet.md)];
    const additions = terms.length - 1;
    return {
      v: total((jet) => jet.v),
      d: total((jet) => jet.d),
      m,
      md,
      e: total((jet) => jet.e) + additions * (this.#u * m + this.#eta),
      ed: total((jet) => jet.ed) + additions * (this.#u * md + this.#eta),
    };
  }

  #product(a: Jet, b: Jet): Jet {
    const md = a.m * b.md + b.m * a.md;
    return {
      v: a.v * b.v,
      d: a.v * b.d + b.v * a.d,
      m: a.m * b.m,
      md,
      e: a.m * b.e + b.m * a.e + a.e * b.e + this.#u * a.m * b.m + this.#eta,
      ed: crossed(a.m, a.e, b.md, b.ed) + crossed(b.m, b.e, a.md, a.ed) + 3 * (this.#u * md + this.#eta),
    };
  }

  #quotient(a: Jet, b: Jet): Jet {
    const least = Math.abs(b.v) - b.e;
    // With a denominator that may be 0, or that is mostly error, nothing is known.
    if (!(least > Math.abs(b.v) / 2)) return this.#open(a.v / b.v);
    // (a′b - ab′)/b², one of the two forms of the quotient rule.
    for (const part of [b.m * b.m, a.md * b.m + a.m * b.md]) {
      if (!(part <= this.largestSlope)) this.largestSlope = part;
    }
    const v = a.v / b.v;
    const m = a.m / least;
    const e = (a.e + m * b.e) / least + this.#u * m + this.#eta;
    const md = (a.md + m * b.md) / least;
    return {
      v,
      d: (a.d - v * b.d) / b.v,
      m,
      md,
      e,
      // By the quotient rule with b², which must not underflow.
      ed: !(least * least * this.#u > this.#eta)
        ? Number.NaN
        : (a.ed + crossed(m, e, b.md, b.ed) + 2 * b.e * md) / least +
          6 * this.#u * md +
          4 * this.#eta * (1 + 1 / least + m / least),
    };
  }

  #power(a: Jet, b: Jet, exponent: Tree): Jet {
    if (!exponent.hasX && Number.isInteger(b.v) && b.v >= 0 && b.e === 0 && b.v <= 256) {
      const n = b.v;
      const order = (k: number) => (n < k ? 0 : a.m ** (n - k));
      const roundings = (n + 2) * this.#u + this.#E;
      const underflow = n * this.#eta * Math.max(1, order(1));
      const md = n * order(1) * a.md;
      return {
        v: a.v ** n,
        d: n === 0 ? 0 : n * a.v ** (n - 1) * a.d,
        m: order(0),
        md,
        e: 1.01 * n * order(1) * a.e + (n < 2 ? 0 : roundings * order(0) + underflow),
        ed: 1.01 * n * (order(1) * a.ed + (n - 1) * order(2) * a.e * a.md) + roundings * md + (n + 1) * underflow,
      };
    }
    // aᵇ = exp(b·log a)
    const least = a.v - a.e;
    if (!(least > a.v / 2)) return this.#open(a.v ** b.v);
    const v = a.v ** b.v;
    const log = Math.abs(Math.log(a.v));
    const relative = (Math.abs(b.v) * a.e) / least + log * b.e;
    if (!(relative < 0.1)) return this.#open(v);
    const md = v * ((b.m * a.md) / least + log * b.md);
    return {
      v,
      d: v * ((b.v * a.d) / a.v + Math.log(a.v) * b.d),
      m: v,
      md,
      e: 1.1 * v * relative + this.#E * v + this.#eta,
      ed:
        md * (1.1 * relative + a.e / least + b.e / Math.max(Math.abs(b.v), b.e || 1) + 6 * this.#u + 3 * this.#E) +
        v * ((b.m * a.ed) / least + log * b.ed + (a.e / least) * b.md) +
        4 * this.#eta * (1 + 1 / least),
    };
  }

  #applied(name: SmoothFunction, w: Jet): Jet {
    const { first, second } = slopesOf(name);
    const v = apply(name, w.v);
    const [slope, curve] = [Math.abs(approximate(first, w.v)), Math.abs(approximate(second, w.v))];
    const { value: most, slope: steepest } = (scales[name] ?? unscaled)(Math.abs(v));
    const steep = Math.max(slope, steepest);
    // Second order, and nothing where the error of the argument is no longer small beside the curvature.
    if (curve * w.e > steep / 4) return this.#open(v);
    const e = slope * w.e + curve * w.e * w.e + this.#E * Math.max(Math.abs(v), most) + this.#eta;
    const md = steep * w.md;
    return {
      v,
      d: approximate(first, w.v) * w.d,
      m: Math.abs(v),
      md,
      e,
      ed:
        (steep + curve * w.e) * w.ed +
        w.md * (2 * curve * w.e + 2 * this.#E * steep) +
        4 * this.#u * md +
        2 * this.#eta,
    };
  }

  #conditional([test, yes, no]: [Tree, Tree, Tree]): Jet {
    const side = this.#holds(test);
    if (side === undefined) return this.#open(this.jet(yes).v);
    return this.jet(side ? yes : no);
  }

  #holds({ operation, operands }: Tree): boolean | undefined {
    const [first, second] = operands as [Tree, Tree];
    if (operation === 'not' || operation === 'and' || operation === 'or') {
      const a = this.#holds(first);
      if (operation === 'not') return a === undefined ? undefined : !a;
      const decisive = operation === 'or';
      const b = this.#holds(second);
      if (a === decisive || b === decisive) return decisive;
      return a === undefined || b === undefined ? undefined : !decisive;
    }
    const [a, b] = [this.jet(first), this.jet(second)];
    const sign = this.#sign({ v: a.v - b.v }, a.e + b.e);
    return sign === undefined ? undefined : holds(operation as Comparison, sign);
  }

  /** The greater or lesser of two: near a tie the value is still near, the derivative open. */
  #extreme(a: Jet, b: Jet, operation: 'max' | 'min'): Jet {
    const sign = this.#sign({ v: b.v - a.v }, a.e + b.e);
    if (sign !== undefined) return (operation === 'max' ? sign > 0 : sign < 0) ? b : a;
    const m = Math.max(a.m, b.m);
    return { ...a, m, md: Math.max(a.md, b.md), e: a.e + b.e + Math.abs(a.v - b.v), ed: Number.NaN };
  }

  /** The sign of a difference with error `e`; `undefined` where rounding may turn it. */
  #sign({ v }: { readonly v: number }, e: number): number | undefined {
    // The difference is itself a float64.
    if (Math.abs(v) > e * 1.001) return Math.sign(v);
    if (e === 0 || this.#isKink) return 0;
    this.decided = false;
    return undefined;
  }
}

/** Error of a product of `a ± ea` and `b ± eb`. */
function crossed(a: number, ea: number, b: number, eb: number): number {
  return a * eb + b * ea + ea * eb;
}

function scaled({ v, d, ...sizes }: Jet, sign: number): Jet {
  return { ...sizes, v: sign * v, d: sign * d };
}

/** The terms of nested sums with their signs. */
function addends(of: Tree, sign: 1 | -1 = 1): (readonly [Tree, 1 | -1])[] {
  const [a, b] = of.operands as [Tree, Tree];
  const other = -sign as 1 | -1;
  if (of.operation === '+') return [...addends(a, sign), ...addends(b, sign)];
  if (of.operation === '-') return [...addends(a, sign), ...addends(b, other)];
  if (of.operation === 'negate') return addends(a, other);
  return [[of, sign]];
}

/**
 * The sizes that the errors of a function and of its derivative are multiples of, besides their own: bounded functions
 * count as their maximum (spec §5), since their values and derivatives are often computed from each other.
 */
const scales: Readonly<Partial<Record<SmoothFunction, Scale>>> = {
  exp: () => ({ value: 0, slope: 1 }),
  expm1: () => ({ value: 0, slope: 1 }),
  sin: () => ({ value: 1, slope: 1 }),
  cos: () => ({ value: 1, slope: 1 }),
  tan: (v) => ({ value: 1, slope: 1 + v * v }),
  sinh: (v) => ({ value: 0, slope: 1 + v }),
  cosh: (v) => ({ value: 0, slope: v }),
  tanh: () => ({ value: 1, slope: 1 }),
  sech: () => ({ value: 1, slope: 1 }),
  atan: () => ({ value: 1, slope: 1 }),
  asinh: () => ({ value: 0, slope: 1 }),
};
type Scale = (v: number) => { readonly value: number; readonly slope: number };
const unscaled: Scale = () => ({ value: 0, slope: 0 });

const slopes = new Map<SmoothFunction, { readonly first: Tree; readonly second: Tree }>();

function slopesOf(name: SmoothFunction): { readonly first: Tree; readonly second: Tree } {
  let pair = slopes.get(name);
  if (pair === undefined) {
    const first = derivative(tree(name, variable));
    pair = { first, second: derivative(first) };
    slopes.set(name, pair);
  }
  return pair;
}

/** The value of a smooth tree in float64, for sizes. */
function approximate({ operation, operands, value }: Tree, x: number): number {
  const [a, b] = operands.map((operand) => approximate(operand, x)) as [number, number];
  switch (operation) {
    case 'number':
      return Number(value!.toString());
    case 'x':
      return x;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case 'negate':
      return -a;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '^':
      return a ** b;
    default:
      return apply(operation as SmoothFunction, a);
  }
}

function apply(name: SmoothFunction, w: number): number {
  if (name === 'sec') return 1 / Math.cos(w);
  if (name === 'sech') return 1 / Math.cosh(w);
  return Math[name](w);
}
