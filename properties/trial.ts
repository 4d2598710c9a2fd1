import { kindOf, shown } from '../reference/arguments.ts';
import type { Answer, Case, GradientCotangents, SecondOrder, Tangents } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { type Allowed, isVacuous, permits } from './allowed.ts';
import { checkSubject } from './check-arguments.ts';
import { type Format, formats, heldFormat } from './dtypes.ts';
import { absolute, add, compare, type Dyadic, dyadic, subtract, toNumber, zero } from './exact.ts';
import type { Direction, Finding } from './failure.ts';
import { type Expectation, expectation } from './interval.ts';
import { indexIn, positionsOf } from './positions.ts';

/** How many elements were compared, and how many a rule of the spec leaves open. */
export interface Counts {
  compared: number;
  open: number;
  vacuous: number;
}

/** A Subject that threw where it should have answered: it broke, which is not a numeric failure. */
export class SubjectError extends Error {
  readonly input: Case;

  constructor(subject: string, input: Case, cause: unknown) {
    super(`${subject} threw: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'SubjectError';
    this.input = input;
  }
}

/** A Subject that did not answer in time. */
export class SubjectTimeout extends SubjectError {
  constructor(subject: string, input: Case, milliseconds: number) {
    super(subject, input, undefined);
    this.name = 'SubjectTimeout';
    this.message = `${subject} gave no answer within ${milliseconds / 1000} s`;
  }
}

/** A broken law's evidence, thrown by a Trial as soon as one comparison fails. */
export class LawBroken extends Error {
  readonly finding: Finding;
  readonly input: Case;
  readonly directions: readonly Direction[];

  constructor(finding: Finding, input: Case, directions: readonly Direction[] = []) {
    super(finding.code);
    this.name = 'LawBroken';
    this.finding = finding;
    this.input = input;
    this.directions = directions;
  }
}

export type Quantity = keyof Answer;

/** A Case with the Subject's answer and what the spec allows as one. */
export interface Answered {
  readonly input: Case;
  readonly answer: Answer;
  readonly allowed: Expectation;
}

/** Element `at` of another answer, with the sign that it enters a sum with. */
export interface Part {
  readonly of: Answered;
  readonly at: number;
  readonly sign?: 1 | -1;
}

/** Two sums that a law equates, and how far they may be apart. */
export interface Balance {
  readonly actual: readonly (number | Dyadic)[];
  readonly expected: readonly (number | Dyadic)[];
  readonly slack: number | Dyadic;
}

interface Fault {
  readonly actual: number;
  readonly expected: number;
  readonly lo: number;
  readonly hi: number;
  /** How far outside, in multiples of what is allowed. */
  readonly excess: number;
}

type Verdict = 'not spoken of' | 'open' | 'vacuous' | 'right' | Fault;

/** One law on one Case: asks the Subject, compares, counts. The first comparison that fails throws `LawBroken`. */
export class Trial {
  readonly subject: Subject;
  /** The format of what the Subject takes and answers. */
  readonly format: Format;
  readonly counts: Counts = { compared: 0, open: 0, vacuous: 0 };
  /** How often the Subject was called. */
  calls = 0;
  readonly #expect: typeof expectation;
  readonly #timeout: number;
  /** Of the last question for forward mode or double backward. */
  #directions: readonly Direction[] = [];

  /** `timeout`: milliseconds that the Subject may take for one answer by a promise; 30,000 unless given. */
  constructor(subject: Subject, timeout = 30_000, expect: typeof expectation = expectation) {
    checkSubject('Trial', subject);
    this.subject = subject;
    this.format = heldFormat(subject);
    this.#expect = expect;
    this.#timeout = timeout;
  }

  /** The Subject's answer, checked for kind and length. */
  async ask(input: Case): Promise<Answer> {
    const { x, alpha } = input;
    // `dalpha` may be left out under `fixed` (spec §1).
    const dalpha = input.pool.constraint.kind === 'fixed' ? undefined : alpha.length;
    const answer = await this.run(input, () => this.subject.answer(input));
    return this.#tensors<Answer>(input, 'answer', answer, { y: x.length, dx: x.length, dalpha });
  }

  /** The Subject's forward mode, which it must have; checked for kind and length. */
  async jvp(input: Case, tangents: Tangents): Promise<Float64Array> {
    this.#directions = directionsOf(input, { tx: tangents.tx, talpha: tangents.talpha });
    const ty = await this.run(input, () => this.subject.jvp!(input, tangents));
    this.#checkTensor(input, 'ty', ty, input.x.length);
    return ty;
  }

  /** The Subject's double backward, which it must have; checked for kind and length. */
  async doubleVjp(input: Case, cotangents: GradientCotangents): Promise<SecondOrder> {
    const { x, alpha } = input;
    this.#directions = directionsOf(input, { ddx: cotangents.ddx, ddalpha: cotangents.ddalpha });
    const answer = await this.run(input, () => this.subject.doubleVjp!(input, cotangents));
    const sizes = { toX: x.length, toDy: x.length, toAlpha: alpha.length };
    return this.#tensors<SecondOrder>(input, 'the answer of doubleVjp', answer, sizes);
  }

  /** The Subject's number of tensors alive, which it must have. */
  async liveTensors(input: Case): Promise<number> {
    const count: unknown = await this.run(input, () => this.subject.liveTensors!());
    if (!Number.isSafeInteger(count)) {
      this.broken({ code: 'kind', quantity: 'liveTensors()', expected: 'an integer', actual: shown(count) }, input);
    }
    return count as number;
  }

  /** Runs the Subject on `input`; what it throws, and that it does not answer in time, becomes a `SubjectError`. */
  async run<T>(input: Case, call: () => T | Promise<T>): Promise<T> {
    this.calls++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = () =>
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new SubjectTimeout(this.subject.name, input, this.#timeout)), this.#timeout);
      });
    try {
      const answer = call();
      return await (answer instanceof Promise ? Promise.race([answer, late()]) : answer);
    } catch (cause) {
      throw cause instanceof SubjectTimeout ? cause : new SubjectError(this.subject.name, input, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the spec allows this Subject to answer. */
  expect(input: Case): Expectation {
    return this.#expect(input, this.subject.facets);
  }

  /** Every element lies in what is allowed. */
  within(input: Case, quantity: string, actual: Float64Array, allowed: readonly Allowed[]): void {
    this.#compare(input, quantity, allowed.length, (i) => {
      const element = allowed[i];
      if (element.open !== undefined) return 'open';
      if (permits(element, actual[i])) return isVacuous(element) ? 'vacuous' : 'right';
      const { lo, hi, exact } = element;
      return { actual: actual[i], expected: exact, lo, hi, excess: excessOf(element, actual[i]) };
    });
  }

  /**
   * `|Σ actual - Σ expected| ≤ slack` at each element, taken exactly on the answers; NaN slack leaves it open,
   * `undefined` says that the law does not speak of it.
   */
  balance(input: Case, quantity: string, size: number, element: (i: number) => Balance | undefined): void {
    this.#compare(input, quantity, size, (i) => {
      const sides = element(i);
      if (sides === undefined) return 'not spoken of';
      const { actual, expected } = sides;
      if (Number.isNaN(sides.slack)) return 'open';
      const limit = typeof sides.slack === 'number' ? dyadic(sides.slack) : sides.slack;
      const slack = toNumber(limit, formats.f64, 'up');
      const came = exactSum(actual);
      const wanted = exactSum(expected);
      const value = wanted === undefined ? Number.NaN : toNumber(wanted, formats.f64);
      const allowed = { expected: value, lo: value - slack, hi: value + slack };
      if (came === undefined || wanted === undefined) return { ...allowed, actual: Number.NaN, excess: Infinity };
      const difference = absolute(subtract(came, wanted));
      if (compare(difference, limit) <= 0) return 'right';
      return {
        ...allowed,
        actual: toNumber(came, formats.f64),
        excess: toNumber(difference, formats.f64) / (slack || 1),
      };
    });
  }

  /** The Subject's answer with what the spec allows. */
  async askAbout(input: Case): Promise<Answered> {
    return { input, answer: await this.ask(input), allowed: this.expect(input) };
  }

  /**
   * Each element is the sum of other answers' elements, within the sum of all their bounds; where each is one value by
   * the point rule that means bit for bit.
   */
  equate(
    whole: Answered,
    name: Quantity,
    parts: (i: number) => readonly Part[],
    where: (i: number) => boolean = () => true,
  ): void {
    const { input, answer, allowed } = whole;
    this.balance(input, name, answer[name].length, (i) => {
      const others = parts(i);
      const bounds = others.map(({ of, at }) => of.allowed[name][at]);
      return {
        actual: [answer[name][i]],
        expected: others.map(({ of, at, sign }) => (sign ?? 1) * of.answer[name][at]),
        slack: where(i) ? slackOf(allowed[name][i], ...bounds) : Number.NaN,
      };
    });
  }

  /** Each element that the law speaks of has the expected value; only the sign of zero and NaN payloads are free. */
  same(
    input: Case,
    quantity: string,
    actual: Float64Array,
    expected: (i: number) => number,
    applies: (i: number) => boolean = () => true,
  ): void {
    this.#compare(input, quantity, actual.length, (i) => {
      if (!applies(i)) return 'not spoken of';
      const [came, value] = [actual[i], expected(i)];
      if (came === value || (Number.isNaN(came) && Number.isNaN(value))) return 'right';
      return { actual: came, expected: value, lo: value, hi: value, excess: Math.abs(came - value) || Infinity };
    });
  }

  #compare(input: Case, quantity: string, size: number, judge: (i: number) => Verdict): void {
    let compared = 0;
    let wrong = 0;
    let worst: { at: number; fault: Fault } | undefined;
    for (let i = 0; i < size; i++) {
      const verdict = judge(i);
      if (verdict === 'not spoken of') continue;
      if (verdict === 'open') this.counts.open++;
      else compared++;
      if (verdict === 'vacuous') this.counts.vacuous++;
      if (typeof verdict === 'string') continue;
      wrong++;
      if (worst === undefined || verdict.excess > worst.fault.excess) worst = { at: i, fault: verdict };
    }
    this.counts.compared += compared;
    if (worst === undefined) return;
    const { excess: _, ...fault } = worst.fault;
    const index = indexOf(input, quantity, worst.at);
    this.broken({ code: 'outside', quantity, index, ...fault, wrong, compared }, input);
  }

  /** Whether the Subject may treat one of these values as 0 (facet `ftz`). */
  mayFlush(input: Case, ...values: readonly number[]): boolean {
    const smallest = 2 ** formats[input.dtype].normalExponent;
    return this.subject.facets.includes('ftz') && values.some((v) => v !== 0 && Math.abs(v) < smallest);
  }

  broken(finding: Finding, input: Case): never {
    throw new LawBroken(finding, input, this.#directions);
  }

  /** The tensors of an answer, each read once, since a getter may throw. Without a size, one may be left out. */
  #tensors<T>(input: Case, what: string, answer: unknown, sizes: Readonly<Record<string, number | undefined>>): T {
    if (typeof answer !== 'object' || answer === null) {
      const expected = `an object of ${Object.keys(sizes).join(', ')}`;
      this.broken({ code: 'kind', quantity: what, expected, actual: shown(answer) }, input);
    }
    const tensors: Record<string, unknown> = {};
    for (const [name, size] of Object.entries(sizes)) {
      try {
        tensors[name] = (answer as Record<string, unknown>)[name];
      } catch (cause) {
        throw new SubjectError(this.subject.name, input, cause);
      }
      if (size !== undefined) this.#checkTensor(input, name, tensors[name], size);
    }
    return tensors as T;
  }

  #checkTensor(input: Case, quantity: string, tensor: unknown, expected: number): void {
    if (!(tensor instanceof Float64Array)) {
      this.broken({ code: 'kind', quantity, expected: 'a Float64Array', actual: kindOf(tensor) }, input);
    }
    if (tensor.length !== expected) {
      this.broken({ code: 'shape', quantity, expected, actual: tensor.length }, input);
    }
  }
}

/** Copies, the first shaped as `x`, the second as `alpha`. */
function directionsOf({ pool, shape }: Case, tensors: Readonly<Record<string, Float64Array>>): Direction[] {
  const { rows, shape: kept } = positionsOf(pool, shape);
  return Object.entries(tensors).map(([name, values], k) => ({
    name,
    shape: k === 0 ? shape : [rows, ...kept],
    values: values.slice(),
  }));
}

/** The slack that one or more allowed elements leave together: the sum of their bounds; NaN if one of them is open. */
export function slackOf(...elements: readonly Allowed[]): number {
  let total = 0;
  for (const { open, nan, infinite, exact, bound } of elements) {
    if (open !== undefined || nan || infinite || !Number.isFinite(exact)) return Number.NaN;
    total += bound;
  }
  // The bounds are added in float64: 2⁻⁵⁰ more covers that.
  const covered = total * (1 + 2 ** -50);
  return covered < Number.POSITIVE_INFINITY ? covered : Number.NaN;
}

/** `Σ terms`, exactly; `undefined` if one of them is not finite. */
function exactSum(terms: readonly (number | Dyadic)[]): Dyadic | undefined {
  let total = zero;
  for (const term of terms) {
    if (typeof term === 'number' && !Number.isFinite(term)) return undefined;
    total = add(total, typeof term === 'number' ? dyadic(term) : term);
  }
  return total;
}

function excessOf({ lo, hi, bound }: Allowed, actual: number): number {
  if (!Number.isFinite(actual) || lo > hi) return Number.POSITIVE_INFINITY;
  return (actual < lo ? lo - actual : actual - hi) / (bound || Math.abs(hi) || 1);
}

function indexOf({ pool, shape }: Case, quantity: string, flat: number): number[] {
  const { rows, shape: kept } = positionsOf(pool, shape);
  return indexIn(quantity.startsWith('dalpha') ? [rows, ...kept] : shape, flat);
}
