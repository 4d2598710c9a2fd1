import { formats } from '../properties/dtypes.ts';
import type { Differentiable } from '../properties/gradcheck/differentiable.ts';
import { gradcheck } from '../properties/gradcheck/gradcheck.ts';
import { subjectFunction } from '../properties/gradcheck/subject.ts';
import { legalSubject } from '../properties/legal.ts';
import type { Answer, Case } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { declaredLayer, normalInputs, shapes } from './layer.ts';

/** The smallest errors of one element of the PAP layer at `[32, 64]` that are seen in each of the elements tried. */
export interface Smallest {
  /** How many elements of each tensor were tried. */
  readonly elements: number;
  /** In ulp of float32, by the oracle: of `y` and `dx` on normal draws, of `dalpha` on a dyadic Case. */
  readonly ulps: Readonly<Record<keyof Answer, number>>;
  /** Relative, by differences of the float64 forward alone: of `dx` and `dalpha`. */
  readonly relative: { readonly dx: number; readonly dalpha: number };
}

const elements = 8;
const right = legalSubject({ dtype: 'f32', sum: 'forward', fused: false, form: 'plain', flush: false });
const [rows, units] = shapes.x as [number, number];

export async function smallestSeen(): Promise<Smallest> {
  const quarter = (k: number) => ((k * 7919) % 65) / 4 - 8;
  const dyadic = caseOf(quarter, (k) => quarter(k + 3), quarter);
  const { x, alpha } = normalInputs(1);
  const { x: dy } = normalInputs(2);
  const general = caseOf(
    (k) => x[k],
    (k) => alpha[k],
    (k) => dy[k],
  );
  const oracle = (name: keyof Answer, c: Case) => smallest([32, 16, 8, 4, 2, 1], (ulps) => seenByOracle(name, c, ulps));
  const differences = (name: 'x' | 'alpha') =>
    smallest([1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14], (relative) =>
      seenByDifferences(name, relative),
    );
  return {
    elements,
    ulps: { y: await oracle('y', general), dx: await oracle('dx', general), dalpha: await oracle('dalpha', dyadic) },
    relative: { dx: await differences('x'), dalpha: await differences('alpha') },
  };
}

/** Of errors from the largest on, the last that is seen before one is not; Infinity where none is. */
async function smallest(errors: readonly number[], isSeen: (error: number) => Promise<boolean>): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  for (const error of errors) {
    if (!(await isSeen(error))) break;
    last = error;
  }
  return last;
}

/** Whether an error is seen in each of the elements of `tensor` that are tried, spread over those that are not 0. */
async function inEach(tensor: Float64Array, isSeen: (element: number) => Promise<boolean>): Promise<boolean> {
  const sites = [...tensor.keys()].filter((i) => tensor[i] !== 0);
  for (let k = 0; k < elements; k++) {
    if (!(await isSeen(sites[Math.floor((k * sites.length) / elements)]))) return false;
  }
  return true;
}

async function seenByOracle(name: keyof Answer, c: Case, ulps: number): Promise<boolean> {
  const exact = await right.answer(c);
  return inEach(exact[name], async (element) => {
    const v = exact[name][element];
    const ulp = 2 ** (Math.floor(Math.log2(Math.abs(v))) + 1 - formats.f32.p);
    const wrong: Subject = {
      ...right,
      async answer(given) {
        const answer = await right.answer(given);
        return { ...answer, [name]: answer[name].map((e, i) => (i === element && e === v ? e + ulps * ulp : e)) };
      },
    };
    return !(await gradcheck(subjectFunction(wrong, c), { x: c.x, alpha: c.alpha }, { dy: c.dy })).passed;
  });
}

async function seenByDifferences(name: 'x' | 'alpha', relative: number): Promise<boolean> {
  const inputs = { ...normalInputs(1) };
  const dy = normalInputs(2).x;
  const given = await declaredLayer.vjp(inputs, dy, shapes);
  return inEach(given[name], async (element) => {
    const wrong: Differentiable = {
      ...declaredLayer,
      async vjp(...asked) {
        const gradients = await declaredLayer.vjp(...asked);
        const gradient = gradients[name];
        return { ...gradients, [name]: gradient.with(element, gradient[element] * (1 + relative)) };
      },
    };
    return !(await gradcheck(wrong, inputs, { dy })).passed;
  });
}

function caseOf(x: (k: number) => number, alpha: (k: number) => number, dy: (k: number) => number): Case {
  return {
    pool: { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' } },
    dtype: 'f32',
    shape: shapes.x,
    x: Float64Array.from({ length: rows * units }, (_, k) => x(k)),
    alpha: Float64Array.from({ length: 2 * units }, (_, k) => alpha(k)),
    dy: Float64Array.from({ length: rows * units }, (_, k) => dy(k)),
  };
}
