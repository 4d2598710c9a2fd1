import type { BranchName } from '../../../reference/case.ts';

/**
 * A branch as an expression in x, of operations that every target has and rounds once: from it each kernel writes its
 * own code. Parts that are used twice are one object, and computed once.
 */
export type Formula =
  | { readonly op: 'x' }
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: Unary; readonly of: readonly [Formula] }
  | { readonly op: Binary; readonly of: readonly [Formula, Formula] }
  /** `a > 0 ? b : c`; c for NaN. */
  | { readonly op: 'ifPositive'; readonly of: readonly [Formula, Formula, Formula] };

/** `nearest` rounds to an integer; `powerOfTwo` is `2ᵏ` of an integer k from -126 to 127. */
export type Unary = 'negate' | 'absolute' | 'nearest' | 'powerOfTwo';
export type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum';

/** What a target does for each operation; `V` is a value of its: a number, a variable's name, a local's index. */
export type Target<V> = Readonly<Record<Unary, (a: V) => V>> &
  Readonly<Record<Binary, (a: V, b: V) => V>> & {
    readonly x: V;
    constant(value: number): V;
    ifPositive(a: V, b: V, c: V): V;
  };

/** A function that evaluates formulas at one x, each part of them once. */
export function evaluator<V>(target: Target<V>): (formula: Formula) => V {
  const known = new Map<Formula, V>();
  const compute = (formula: Formula): V => {
    if (formula.op === 'x') return target.x;
    if (formula.op === 'constant') return target.constant(formula.value);
    const [a, b, c] = formula.of.map(evaluate) as [V, V, V];
    return target[formula.op](a, b, c);
  };
  const evaluate = (formula: Formula): V => {
    const before = known.get(formula);
    if (before !== undefined) return before;
    const value = compute(formula);
    known.set(formula, value);
    return value;
  };
  return evaluate;
}

/** A branch `f` with its derivative by the conventions of spec §2. What f makes of NaN is not used: kernels answer NaN. */
export interface FormulaBranch {
  readonly value: Formula;
  readonly derivative: Formula;
}

const x: Formula = { op: 'x' };
const constant = (value: number): Formula => ({ op: 'constant', value });
const unary = (op: Unary) => (a: Formula) => ({ op, of: [a] }) as const;
const binary = (op: Binary) => (a: Formula, b: Formula) => ({ op, of: [a, b] }) as const;
const [negate, absolute] = [unary('negate'), unary('absolute')];
const [nearest, powerOfTwo] = [unary('nearest'), unary('powerOfTwo')];
const [add, subtract, multiply] = [binary('add'), binary('subtract'), binary('multiply')];
const [divide, maximum] = [binary('divide'), binary('maximum')];
const ifPositive = (a: Formula, b: Formula, c: Formula): Formula => ({ op: 'ifPositive', of: [a, b, c] });

export const zero: Formula = constant(0);
export const one: Formula = constant(1);
const two = constant(2);

/** `Σ aₖ vᵏ` by Horner's rule. */
function polynomial(v: Formula, a: readonly number[]): Formula {
  return a.slice(0, -1).reduceRight<Formula>((sum, ak) => add(multiply(sum, v), constant(ak)), constant(a.at(-1)!));
}

/**
 * `eᵛ` for v ≤ 0: `2ᵏ·eʳ`, `r = v - k·ln 2` with |r| ≤ 0.347, and Taylor's polynomial of degree 7, off by 2⁻²⁷·eᵛ at most.
 * ln 2 in two parts (Cody and Waite), so that `k·0.693359375` is exact. Below -87, where 2ᵏ would be subnormal, 0.
 */
export function exponential(v: Formula): Formula {
  const inside = maximum(v, constant(-87));
  const k = nearest(multiply(inside, constant(Math.LOG2E)));
  const r = subtract(
    subtract(inside, multiply(k, constant(0.693359375))),
    multiply(k, constant(Math.LN2 - 0.693359375)),
  );
  const taylor = polynomial(r, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]);
  return ifPositive(add(v, constant(87)), multiply(taylor, powerOfTwo(k)), zero);
}

const positive = ifPositive(x, x, zero);
const isPositive = ifPositive(x, one, zero);

/** `e⁻ˡˣˡ`, from which sigmoid and softplus are made without overflow. */
const decay = exponential(negate(absolute(x)));
const onePlusDecay = add(one, decay);
const logistic = divide(ifPositive(x, one, decay), onePlusDecay);

/** `log(1 + e⁻ˡˣˡ) = 2·artanh s`, `s = e/(2 + e) ≤ 1/3`; the series up to s¹³ is off by 2⁻²⁶ at most. */
const s = divide(decay, add(two, decay));
const logOfOnePlusDecay = multiply(
  multiply(two, s),
  polynomial(multiply(s, s), [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13]),
);

/** `e⁻²ˡˣˡ`; near 0, where `1 - e` cancels, Taylor's polynomial of tanh, off by 2⁻²⁶ at most up to 1/4. */
const squaredDecay = exponential(multiply(constant(-2), absolute(x)));
const onePlusSquaredDecay = add(one, squaredDecay);
const farTangent = divide(subtract(one, squaredDecay), onePlusSquaredDecay);
const nearTangent = multiply(x, polynomial(multiply(x, x), [1, -1 / 3, 2 / 15, -17 / 315, 62 / 2835]));
const isFar = subtract(absolute(x), constant(0.25));

/** The branches of spec §2: what fused kernels know of them. */
export const formulas: Readonly<Record<BranchName, FormulaBranch>> = {
  relu: { value: positive, derivative: isPositive },
  step: { value: isPositive, derivative: zero },
  // Halved first: x² overflows before x²/2 does, and halving is exact wherever x² is not 0.
  halfSquare: { value: multiply(multiply(positive, constant(0.5)), positive), derivative: positive },
  negative: { value: ifPositive(negate(x), x, zero), derivative: ifPositive(negate(x), one, zero) },
  identity: { value: x, derivative: one },
  tanh: {
    value: ifPositive(isFar, ifPositive(x, farTangent, negate(farTangent)), nearTangent),
    derivative: divide(multiply(constant(4), squaredDecay), multiply(onePlusSquaredDecay, onePlusSquaredDecay)),
  },
  sigmoid: { value: logistic, derivative: divide(decay, multiply(onePlusDecay, onePlusDecay)) },
  softplus: { value: add(positive, logOfOnePlusDecay), derivative: logistic },
};
