import { expect } from 'vitest';
import { shown } from '../reference/arguments.ts';
import type { BranchRef, Dtype } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { checkOptions } from './check-arguments.ts';
import { checkDtype, formats } from './dtypes.ts';
import { againLine, failureText } from './failure-text.ts';
import { gradcheckText } from './gradcheck/report-text.ts';
import { type GradcheckTarget, gradcheckTarget, type TargetOptions } from './gradcheck/target.ts';
import type { Law } from './law.ts';
import { laws, lawsNamed } from './laws.ts';
import { ulpsApart } from './ulp.ts';
import { checkLaw } from './verify.ts';

/** Options of `toConform`. */
export interface ConformOptions {
  /** Cases of each law, half of them dyadic; 100 unless given. */
  readonly runs?: number;
  /** 1 unless given, so that a test is the same each time. */
  readonly seed?: number;
  /** Ids or families (`kinks`) of laws; all unless given. */
  readonly laws?: readonly string[];
  /** Branches of your own that the Cases are drawn with. */
  readonly branches?: readonly BranchRef[];
}

const known: readonly (keyof ConformOptions)[] = ['runs', 'seed', 'laws', 'branches'];

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * `await expect(subject).toConform()`: the Subject keeps every law that applies to it.
 * The message of a failure names law, Case and worst element.
 *
 * @throws TypeError, RangeError naming the argument; Error if the Subject breaks
 */
async function toConform(subject: Subject, options: ConformOptions = {}): Promise<MatcherResult> {
  checkOptions('toConform', options, known);
  const { runs = 100, seed = 1, laws: wanted, branches = [] } = options;
  const chosen = wanted === undefined ? laws : lawsWanted(wanted);
  const wrong: string[] = [];
  for (const law of chosen) {
    const { failures, breakage } = await checkLaw(law, subject, { runs, seed, branches });
    if (breakage) throw new Error(`${law.id}: ${breakage.message}\n${againLine({ law: law.id, ...breakage })}`);
    wrong.push(...failures.map(failureText));
  }
  return {
    pass: wrong.length === 0,
    message: () => (wrong.length === 0 ? `${subject.name} keeps all ${chosen.length} laws` : wrong.join('\n\n')),
  };
}

/** The laws of these ids and families, each once. */
function lawsWanted(names: readonly string[]): Law[] {
  if (!Array.isArray(names)) {
    throw new TypeError(`toConform: "laws" expected an array of ids or families, got ${typeof names}`);
  }
  const unknown = names.filter((name) => lawsNamed(name).length === 0);
  if (names.length === 0 || unknown.length > 0) {
    throw new RangeError(
      `toConform: "laws" expected ids or families of laws, got ${unknown.map(String).join(', ') || '[]'}`,
    );
  }
  const chosen = new Set(names.flatMap(lawsNamed));
  return laws.filter((law) => chosen.has(law));
}

/**
 * `await expect(layer).toPassGradcheck({ shape: [8, 16] })`: the gradient of every element is what finite differences
 * of the target measure, on drawn inputs. The message of a failure is the report on the smallest inputs that fail.
 *
 * @throws TypeError, RangeError naming what was expected; GradcheckError for what the target throws
 */
async function toPassGradcheck(
  this: { readonly isNot: boolean },
  target: GradcheckTarget,
  options: TargetOptions = {},
): Promise<MatcherResult> {
  const { report, seed, path } = await gradcheckTarget(target, options);
  const again = path === undefined ? '' : `\nagain: toPassGradcheck({ …, seed: ${seed}, path: '${path}' })`;
  // Where nothing was compared neither this nor its contrary was seen.
  const pass = report.outcome === 'nothing-compared' ? this.isNot : report.passed;
  return { pass, message: () => gradcheckText(report) + again };
}

/** Numbers, and arrays of them of any depth. */
export type Numbers = number | ArrayLike<number> | readonly Numbers[];

/**
 * `expect(actual).toBeWithinUlp(expected, ulps)`: numbers or arrays, nested as `tensor.arraySync()` gives them, element
 * by element, `ulps` steps of the dtype apart at most. What is expected is rounded to the dtype; what came has to be of it.
 *
 * @throws TypeError for what is neither a number nor an array of them, RangeError for ulps below 0 or an unknown dtype
 */
function toBeWithinUlp(actual: Numbers, expected: Numbers, ulps: number, dtype: Dtype = 'f64'): MatcherResult {
  if (!(ulps >= 0)) throw new RangeError(`toBeWithinUlp: "ulps" expected a number from 0, got ${String(ulps)}`);
  const [came, wanted] = [elementsOf('actual', actual), elementsOf('expected', expected)];
  const places = [...wanted.keys()];
  if (came.size !== wanted.size || places.some((place) => !came.has(place))) {
    return { pass: false, message: () => `expected ${shapeText(wanted)}, got ${shapeText(came)}` };
  }
  checkDtype('toBeWithinUlp', dtype);
  const { round } = formats[dtype];
  const apart = places.map((place) => ulpsWithinRange(came.get(place)!, round(wanted.get(place)!), dtype));
  const worst = apart.reduce((at, distance, i) => (distance > apart[at] ? i : at), 0);
  const place = places[worst] ?? '';
  return {
    pass: apart.every((distance) => distance <= ulps),
    message: () =>
      places.length === 0
        ? 'neither has any element'
        : `element ${place || 0} is ${came.get(place)}, expected ${wanted.get(place)} within ${ulps} ulp of ${dtype}, ${apartText(came.get(place)!, apart[worst], dtype)}`,
  };
}

function apartText(came: number, ulps: number, dtype: Dtype): string {
  return formats[dtype].round(came) === came || Number.isNaN(came)
    ? `they are ${ulps} apart`
    : `and ${came} is no number of ${dtype}`;
}

/** As `ulpsApart`, but that ∞ is as far as can be from every finite number: an overflow is no rounding error. */
function ulpsWithinRange(a: number, b: number, dtype: Dtype): number {
  const apart = ulpsApart(a, b, dtype);
  return apart > 0 && (Math.abs(a) === Infinity || Math.abs(b) === Infinity) ? Infinity : apart;
}

/** The numbers in an array by their places, `1,0`; a number alone has none. */
function elementsOf(argument: string, value: unknown, place = ''): Map<string, number> {
  if (typeof value === 'number') return new Map([[place, value]]);
  const isArray =
    typeof value === 'object' && value !== null && Number.isSafeInteger((value as { length?: unknown }).length);
  if (!isArray) {
    const at = place === '' ? '' : ` at ${place}`;
    throw new TypeError(`toBeWithinUlp: "${argument}" expected numbers or arrays of numbers, got ${shown(value)}${at}`);
  }
  const elements = Array.from(value as ArrayLike<unknown>, (of, i) => [
    ...elementsOf(argument, of, place === '' ? `${i}` : `${place},${i}`),
  ]);
  return new Map(elements.flat());
}

/** `3 elements up to [0,2]`, so that arrays of other shapes are told apart. */
function shapeText(elements: ReadonlyMap<string, number>): string {
  const last = [...elements.keys()].at(-1);
  if (last === undefined) return 'no elements';
  return last === '' ? 'a number' : `${elements.size} elements up to [${last}]`;
}

expect.extend({ toConform, toPassGradcheck, toBeWithinUlp });

declare module 'vitest' {
  interface Matchers<T> {
    /** The Subject keeps every law that applies to it. */
    toConform(options?: ConformOptions): Promise<T>;
    /** The gradient of every element is what finite differences measure. */
    toPassGradcheck(options?: TargetOptions): Promise<T>;
    /** No element is more than so many units in the last place away; NaN is 0 away from NaN. */
    toBeWithinUlp(expected: Numbers, ulps: number, dtype?: Dtype): T;
  }
}
