import { checkTensor } from './arguments.ts';

/**
 * `C = A·B`, A: `[n, k]`, B: `[k, m]`, C: `[n, m]`, float64, row-major.
 *
 * Row by row of C, four rows of B at a time. Zeros of A are passed over, since most of an image and of a masked
 * activation is 0; but not if B holds an infinity or NaN, where `0·b` is not 0.
 *
 * @throws TypeError unless A and B are Float64Arrays, RangeError if a length does not match
 */
export function product(A: Float64Array, B: Float64Array, n: number, k: number, m: number): Float64Array {
  checkTensor('product', 'A', A, [n, k]);
  checkTensor('product', 'B', B, [k, m]);
  const C = new Float64Array(n * m);
  const skip = allFinite(B);
  const columns = new Int32Array(k);
  for (let i = 0; i < n; i++) {
    let count = 0;
    for (let p = 0; p < k; p++) if (A[i * k + p] !== 0 || !skip) columns[count++] = p;
    const row = i * m;
    let q = 0;
    for (; q + 4 <= count; q += 4) {
      const [p0, p1, p2, p3] = [columns[q], columns[q + 1], columns[q + 2], columns[q + 3]];
      const [a0, a1, a2, a3] = [A[i * k + p0], A[i * k + p1], A[i * k + p2], A[i * k + p3]];
      for (let j = 0; j < m; j++) {
        C[row + j] += a0 * B[p0 * m + j] + a1 * B[p1 * m + j] + a2 * B[p2 * m + j] + a3 * B[p3 * m + j];
      }
    }
    for (; q < count; q++) {
      const p = columns[q];
      const a = A[i * k + p];
      for (let j = 0; j < m; j++) C[row + j] += a * B[p * m + j];
    }
  }
  return C;
}

/** `Aᵀ`, A: `[n, k]`, result `[k, n]`. */
export function transpose(A: Float64Array, n: number, k: number): Float64Array {
  checkTensor('transpose', 'A', A, [n, k]);
  const T = new Float64Array(n * k);
  for (let i = 0; i < n; i++) for (let p = 0; p < k; p++) T[p * n + i] = A[i * k + p];
  return T;
}

function allFinite(values: Float64Array): boolean {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += values[i] * 0;
  return zero === 0;
}
