/**
 * Power series on BigInt with `p` fractional bits. Each of the at most p terms costs some units of 2⁻ᵖ, so that every
 * result is off by less than 2¹⁶⁻ᵖ.
 */

/** `eʷ - 1` for |w| ≤ 3: Taylor at w/2ʲ, then `E ← E² + 2E`. */
export function expm1(w: bigint, p: number): bigint {
  const halvings = Math.ceil(Math.sqrt(p / 2)) + 2;
  const B = BigInt(p + halvings);
  // w/2ʲ with j bits more is w as it stands.
  let [term, sum] = [w, w];
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = ((term * w) >> B) / k;
    sum += term;
  }
  for (let j = 0; j < halvings; j++) sum = ((sum * sum) >> B) + 2n * sum;
  return sum >> BigInt(halvings);
}

/** `2 atanh z = log((1 + z) / (1 - z))` */
function twiceAtanh(z: bigint, p: number): bigint {
  const B = BigInt(p);
  const z2 = (z * z) >> B;
  let [term, sum] = [z, 0n];
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = (term * z2) >> B;
  }
  return 2n * sum;
}

/** `log(1 + w)` for |w| ≤ 1/2. */
export function log1p(w: bigint, p: number): bigint {
  return twiceAtanh((w << BigInt(p)) / ((2n << BigInt(p)) + w), p);
}

/** `log m` for m from 1 to 10: `k·log 2 + log(m/2ᵏ)`. */
export function log(m: bigint, p: number): bigint {
  const one = 1n << BigInt(p);
  let [rest, k] = [m, 0n];
  while (3n * rest > 4n * one) {
    rest >>= 1n;
    k++;
  }
  return k * ln2(p) + log1p(rest - one, p);
}

/** `atan w` for |w| ≤ 1: `2 atan(w / (1 + √(1 + w²)))` until the series is short. */
export function atan(w: bigint, p: number): bigint {
  const B = BigInt(p);
  const one = 1n << B;
  let [t, doublings] = [w, 0n];
  while (16n * absolute(t) > one) {
    t = (t << B) / (one + root((one << B) + t * t, 2n));
    doublings++;
  }
  const t2 = (t * t) >> B;
  let [term, sum] = [t, 0n];
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = -(term * t2) >> B;
  }
  return sum << doublings;
}

/** The root of this degree of n ≥ 0, rounded down: Newton, from above. */
export function root(n: bigint, degree: bigint): bigint {
  let guess = 1n << (BigInt(bitLength(n)) / degree + 1n);
  for (;;) {
    const next = ((degree - 1n) * guess + n / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** The number of bits, or up to 3 more. */
export function bitLength(value: bigint): number {
  return 4 * absolute(value).toString(16).length;
}

/** `sin w` (`order` 0) or `cos w` (1) for |w| ≤ π/4. */
export function taylor(order: 0 | 1, w: bigint, p: number): bigint {
  const B = BigInt(p);
  const w2 = (w * w) >> B;
  let term = order === 0 ? w : 1n << B;
  let sum = term;
  for (let k = 2n - BigInt(order); term !== 0n && term !== -1n; k += 2n) {
    term = -((term * w2) >> B) / (k * (k + 1n));
    sum += term;
  }
  return sum;
}

export function absolute(w: bigint): bigint {
  return w < 0n ? -w : w;
}

/** A constant to as many bits as were ever asked for. */
function constant(compute: (p: number) => bigint): (p: number) => bigint {
  let [bits, value] = [0, 0n];
  return (p) => {
    if (p > bits) {
      bits = p + 64;
      value = compute(bits);
    }
    return value >> BigInt(bits - p);
  };
}

/** Machin: `π = 16 atan(1/5) - 4 atan(1/239)`. */
export const pi: (p: number) => bigint = constant((p) => 16n * inverse(5n, -1n, p) - 4n * inverse(239n, -1n, p));
/** `log 2 = 2 atanh(1/3)` */
export const ln2: (p: number) => bigint = constant((p) => 2n * inverse(3n, 1n, p));
/** `log 10 = 3 log 2 + 2 atanh(1/9)` */
export const ln10: (p: number) => bigint = constant((p) => 3n * ln2(p) + 2n * inverse(9n, 1n, p));

/** `atan(1/n)` (sign -1) or `atanh(1/n)` (sign 1). */
function inverse(n: bigint, sign: 1n | -1n, p: number): bigint {
  let term = (1n << BigInt(p)) / n;
  let sum = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = (sign * term) / (n * n);
    sum += term / k;
  }
  return sum;
}
