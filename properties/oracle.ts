import { all, create, type MathJsInstance } from 'mathjs';
import type { BranchName } from '../reference/case.ts';

/**
 * Values and derivatives of the transcendental branches in BigNumber, written from the formulas of spec §2 with mathjs:
 * the independent oracle of `functions.ts` and of the reference, with which it shares no code.
 */
const math: MathJsInstance = create(all!, { number: 'BigNumber', precision: 80 });

/** The branches that are not piecewise polynomial. */
export type Smooth = Extract<BranchName, 'tanh' | 'sigmoid' | 'softplus'>;

const values: Readonly<Record<Smooth, string>> = {
  tanh: '(exp(2 x) - 1) / (exp(2 x) + 1)',
  sigmoid: '1 / (1 + exp(-x))',
  softplus: 'log(1 + exp(x))',
};

const compiled: ReadonlyMap<Smooth, { f: math.EvalFunction; df: math.EvalFunction }> = new Map(
  (Object.keys(values) as Smooth[]).map((name) => [
    name,
    { f: math.compile(values[name]), df: math.derivative(values[name], 'x').compile() },
  ]),
);

/** `f(x)` or `f′(x)` to about 60 digits for |x| ≤ 100: the cancellation at small x costs some of the 80. */
export function smoothValue(name: Smooth, side: 'f' | 'df', x: number): math.BigNumber {
  return compiled.get(name)![side].evaluate({ x: exactly(x) });
}

/** A float64 as a BigNumber without the detour of its shortest decimal form: m · 2ᵉ with integers. */
export function exactly(x: number): math.BigNumber {
  if (x === 0) return math.bignumber(0);
  const e = Math.floor(Math.log2(Math.abs(x))) - 60;
  const scaled = e < -1000 ? x * 2 ** 1000 * 2 ** (-e - 1000) : x * 2 ** -e;
  return math.multiply(math.bignumber(BigInt(scaled).toString()), math.pow(math.bignumber(2), e)) as math.BigNumber;
}
