import type { Case } from '../reference/case.ts';

/** Answers by Case kept at once: more than one law asks of one run of Cases. */
const kept = 4000;

/** `compute`, its results kept by what is in the Case: for asking many Subjects about the same Cases. */
export function byContent<T>(compute: (input: Case) => T): (input: Case) => T {
  const results = new Map<string, T>();
  return (input) => {
    const key = contentOf(input);
    let result = results.get(key);
    if (result === undefined) {
      result = compute(input);
      if (results.size >= kept) results.clear();
      results.set(key, result);
    }
    return result;
  };
}

/** Everything in a Case, bit for bit (Node only, where the mutants are run). */
export function contentOf({ pool, dtype, shape, x, alpha, dy }: Case): string {
  const { branches, sharing, constraint } = pool;
  const by = typeof sharing === 'string' ? sharing : `axes ${sharing.sharedAxes}`;
  const kappa = constraint.kind === 'clip' ? `clip ${constraint.bounds}` : constraint.kind;
  const names = branches.map((ref) => (typeof ref === 'string' ? ref : `${ref.name}: ${ref.expression}`));
  return `${dtype} ${shape} ${names} ${by} ${kappa} ${bits(x)} ${bits(alpha)} ${bits(dy)}`;
}

function bits({ buffer, byteOffset, byteLength }: Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}
