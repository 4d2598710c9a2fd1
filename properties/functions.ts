import { add, compare, type Dyadic, dyadic, negate, scale, subtract, zero } from './exact.ts';

/**
 * tanh, sigmoid and softplus to an absolute error below 2⁻¹⁶⁰, by fixed-point arithmetic on BigInt.
 * All three come from `q = e^-|x|`, which lies in (0, 1].
 */

/** Fractional bits of the fixed-point numbers. */
const B = 208;
const unit = 1n << BigInt(B);

/** `tanh(x) = (1 - q²) / (1 + q²)`, odd. */
export function tanh(x: number): Dyadic {
  const a = Math.abs(x);
  if (a < 2 ** -60) {
    // tanh a = a - a³/3 + …: the cubic term is below 2⁻¹⁸⁰.
    return dyadic(x);
  }
  const q2 = square(expNegative(a));
  const t = fromFixed(divide(unit - q2, unit + q2));
  return x < 0 ? negate(t) : t;
}

/** `tanh′(x) = 4q² / (1 + q²)²` */
export function tanhDerivative(x: number): Dyadic {
  const q2 = square(expNegative(Math.abs(x)));
  return fromFixed(divide(4n * q2, square(unit + q2)));
}

/** `sigmoid(x) = 1 / (1 + q)` for x ≥ 0, `q / (1 + q)` for x < 0. */
export function sigmoid(x: number): Dyadic {
  const q = expNegative(Math.abs(x));
  return fromFixed(divide(x < 0 ? q : unit, unit + q));
}

/** `sigmoid′(x) = q / (1 + q)²` */
export function sigmoidDerivative(x: number): Dyadic {
  const q = expNegative(Math.abs(x));
  return fromFixed(divide(q, square(unit + q)));
}

/** `softplus(x) = max(x, 0) + log(1 + q)`, `log(1 + q) = 2 atanh(q / (2 + q))`. */
export function softplus(x: number): Dyadic {
  if (x === Number.NEGATIVE_INFINITY) return zero;
  const q = expNegative(Math.abs(x));
  const z = divide(q, 2n * unit + q);
  const z2 = square(z);
  let term = z;
  let sum = 0n;
  for (let k = 1n; term > 0n; k += 2n) {
    sum += term / k;
    term = (term * z2) >> BigInt(B);
  }
  const log = fromFixed(2n * sum);
  return x > 0 ? add(dyadic(x), log) : log;
}

/** `exp(aᵢ) / Σ exp(aⱼ)`; the numbers must be finite. */
export function softmax(alphas: readonly number[]): Dyadic[] {
  const top = dyadic(Math.max(...alphas));
  const powers = alphas.map((a) => expNegative(subtract(top, dyadic(a))));
  const total = powers.reduce((sum, e) => sum + e, 0n);
  return powers.map((e) => fromFixed(divide(e, total)));
}

/** `e⁻ᵃ` for a ≥ 0: Taylor at a/2¹⁶, squared 16 times, which costs 17 of the 208 bits. */
function expNegative(a: number | Dyadic): bigint {
  const exact =
    typeof a === 'number' ? (a > limit ? undefined : dyadic(a)) : compare(a, dyadic(limit)) > 0 ? undefined : a;
  if (exact === undefined) return 0n;
  const r = toFixed(scale(negate(exact), -16));
  let term = unit;
  let sum = unit;
  for (let k = 1n; term !== 0n && k < 64n; k++) {
    term = (term * r) / unit / k;
    sum += term;
  }
  for (let i = 0; i < 16; i++) sum = square(sum);
  return sum;
}

/** e⁻¹⁴⁵ < 2⁻²⁰⁸ */
const limit = 145;

function square(a: bigint): bigint {
  return (a * a) >> BigInt(B);
}

function divide(a: bigint, b: bigint): bigint {
  return (a << BigInt(B)) / b;
}

function toFixed({ m, e }: Dyadic): bigint {
  return e + B >= 0 ? m << BigInt(e + B) : m / (1n << BigInt(-e - B));
}

function fromFixed(m: bigint): Dyadic {
  return { m, e: -B };
}
