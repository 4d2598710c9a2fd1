import { kindOf, shown } from '../../reference/arguments.ts';
import type { Declared, Differentiable, DoubleVjpResult, Shapes, Tensors } from './differentiable.ts';
import type { GradcheckFailure } from './report.ts';

/** How often each of the function's parts was called. */
export interface Calls {
  forward: number;
  vjp: number;
  jvp: number;
  doubleVjp: number;
  twin: number;
}

/** So many answers of each kind are watched. */
const keptAnswers = 3;

/** A function that did not answer as its kind says: it threw, or answered something else than tensors. */
export class GradcheckError extends Error {
  override readonly name = 'GradcheckError';
}

/** Asks a function for its parts: counts, hands out copies of the inputs, notes what it does to them and to its answers. */
export class AskedFunction {
  readonly calls: Calls = { forward: 0, vjp: 0, jvp: 0, doubleVjp: 0, twin: 0 };
  readonly failures: GradcheckFailure[] = [];
  readonly #f: Differentiable;
  readonly #constants: ReadonlySet<string>;
  readonly #shapes: Shapes;
  #outputs: number | undefined;
  /** Answers that later calls must leave alone, with what they were: the first and the last two of each kind. */
  readonly #kept = new Map<string, { readonly tensor: Float64Array; readonly was: Float64Array }[]>();

  constructor(f: Differentiable, { constants = [] }: Declared, shapes: Shapes) {
    this.#f = f;
    this.#shapes = shapes;
    this.#constants = new Set(constants);
  }

  async forward(inputs: Tensors): Promise<Float64Array> {
    this.calls.forward++;
    const y = await this.#run('forward', { inputs }, (given, shapes) => this.#f.forward(given.inputs, shapes));
    return this.#output('forward', y);
  }

  /** `y` of a batch of one row, so many elements. */
  async row(inputs: Tensors, shapes: Shapes, length: number): Promise<Float64Array> {
    this.calls.forward++;
    const y = await this.#run('forward', { inputs }, (given, of) => this.#f.forward(given.inputs, of), shapes);
    return this.#tensor('forward of a batch of one, as "batch" declares', 'y', y, length);
  }

  /** `y` in float64, for the numeric side: of the twin if there is one. */
  async numeric(inputs: Tensors): Promise<Float64Array> {
    if (this.#f.twin === undefined) return this.forward(inputs);
    this.calls.twin++;
    return this.#output(
      'twin',
      await this.#run('twin', { inputs }, (given, shapes) => this.#f.twin!(given.inputs, shapes)),
    );
  }

  async vjp(inputs: Tensors, dy: Float64Array): Promise<Tensors> {
    this.calls.vjp++;
    const given = { inputs, dy: { dy } };
    return this.#tensors(
      'vjp',
      inputs,
      await this.#run('vjp', given, (g, shapes) => this.#f.vjp(g.inputs, g.dy.dy, shapes)),
    );
  }

  async jvp(inputs: Tensors, tangents: Tensors): Promise<Float64Array> {
    this.calls.jvp++;
    const given = { inputs, tangents };
    return this.#output(
      'jvp',
      await this.#run('jvp', given, (g, shapes) => this.#f.jvp!(g.inputs, g.tangents, shapes)),
    );
  }

  async doubleVjp(inputs: Tensors, dy: Float64Array, cotangents: Tensors): Promise<DoubleVjpResult> {
    this.calls.doubleVjp++;
    const groups = { inputs, dy: { dy }, cotangents };
    const answer: unknown = await this.#run('doubleVjp', groups, (g, shapes) =>
      this.#f.doubleVjp!(g.inputs, g.dy.dy, g.cotangents, shapes),
    );
    if (answer === null || typeof answer !== 'object' || ArrayBuffer.isView(answer) || Array.isArray(answer)) {
      throw new GradcheckError(`doubleVjp: expected an object with inputs and dy, got ${kindOf(answer)}`);
    }
    const given = answer as Record<keyof DoubleVjpResult, unknown>;
    return {
      inputs: this.#tensors('doubleVjp', inputs, given.inputs),
      dy: this.#tensor('doubleVjp', 'dy', given.dy, dy.length),
    };
  }

  /** Notes answers that were written over since they were given. */
  checkKept(): void {
    for (const [what, answers] of this.#kept) for (const answer of answers) this.#checkAnswer(what, answer);
    this.#kept.clear();
  }

  #checkAnswer(what: string, { tensor, was }: { tensor: Float64Array; was: Float64Array }): void {
    const at = firstDifference(tensor, was);
    if (at < 0 || this.failures.some((f) => f.code === 'overwritten' && f.what === what)) return;
    this.failures.push({ code: 'overwritten', what, element: at });
  }

  /**
   * Keeps an answer. One that is let go is looked at before; the first is kept to the end, for buffers that take turns, and
   * looked at each time, since its turn may come once more for what it held at first.
   */
  #keep(what: string, tensor: Float64Array, was: Float64Array): void {
    const answers = this.#kept.get(what) ?? [];
    this.#kept.set(what, answers);
    if (answers.length > 0) this.#checkAnswer(what, answers[0]);
    if (answers.length === keptAnswers) this.#checkAnswer(what, answers.splice(1, 1)[0]);
    answers.push({ tensor, was });
  }

  /**
   * Hands out copies, in objects of their own, and compares them afterwards, so that a function that changes its inputs is
   * named, and harms nothing.
   */
  async #run<T>(
    what: string,
    groups: Readonly<Record<string, Tensors>> & { readonly inputs: Tensors },
    call: (given: Record<string, Tensors>, shapes: Shapes) => T | Promise<T>,
    shapes: Shapes = this.#shapes,
  ): Promise<T> {
    const copies: Record<string, Tensors> = {};
    const given: Record<string, Record<string, Float64Array>> = {};
    for (const [group, tensors] of Object.entries(groups)) {
      copies[group] = copiesOf(tensors);
      given[group] = { ...copies[group] };
    }
    let answer: T;
    try {
      answer = await call(given, copiesOf(shapes));
    } catch (cause) {
      // What a part that asks another says already.
      if (cause instanceof GradcheckError) throw cause;
      // Most often since it calls an input by another name: only the function knows what its inputs are called.
      const names = cause instanceof TypeError ? ` (given the inputs ${Object.keys(groups.inputs).join(', ')})` : '';
      throw thrown(what, cause, names);
    }
    for (const [group, tensors] of Object.entries(groups)) {
      for (const [name, tensor] of Object.entries(tensors)) {
        const copy = copies[group][name];
        // Another tensor in its place, none, or one whose memory was given away, differs from the first element on.
        this.#checkMutated(what, name, given[group][name] === copy ? firstDifference(copy, tensor) : 0);
        this.#checkAlias(what, name, copy, answer);
      }
      const added = Object.keys(given[group]).find((name) => !Object.hasOwn(tensors, name));
      if (added !== undefined) this.#checkMutated(what, added, 0);
    }
    this.#checkShared(what, answer);
    return answer;
  }

  #checkMutated(what: string, input: string, element: number): void {
    if (element < 0 || this.failures.some((f) => f.code === 'mutated' && f.input === input && f.what === what)) return;
    this.failures.push({ code: 'mutated', what, input, element });
  }

  #checkAlias(what: string, input: string, given: Float64Array, answer: unknown): void {
    const isAliased = tensorsIn(answer).some(([, tensor]) => overlap(tensor, given));
    if (isAliased && !this.failures.some((f) => f.code === 'aliased' && f.what === what && f.input === input)) {
      this.failures.push({ code: 'aliased', what, input });
    }
  }

  /** What is added to one of two answers that share memory, as an optimizer does, would go into both. */
  #checkShared(what: string, answer: unknown): void {
    const tensors = tensorsIn(answer);
    for (const [k, [input, tensor]] of tensors.entries()) {
      const other = tensors.slice(0, k).find(([, before]) => overlap(before, tensor))?.[0];
      if (other === undefined) continue;
      if (this.failures.some((f) => f.code === 'shared' && f.what === what && f.input === input)) continue;
      this.failures.push({ code: 'shared', what, input, other });
    }
  }

  #output(what: string, y: unknown): Float64Array {
    const tensor = this.#tensor(what, 'y', y, this.#outputs);
    this.#outputs = tensor.length;
    return tensor;
  }

  #tensors(what: string, inputs: Tensors, answer: unknown): Tensors {
    if (answer === null || typeof answer !== 'object' || ArrayBuffer.isView(answer) || Array.isArray(answer)) {
      throw new GradcheckError(`${what}: expected an object with a Float64Array for each input, got ${kindOf(answer)}`);
    }
    const tensors: Record<string, Float64Array> = {};
    for (const [name, { length }] of Object.entries(inputs)) {
      if (this.#constants.has(name)) continue;
      tensors[name] = this.#tensor(what, name, (answer as Record<string, unknown>)[name], length);
    }
    // Whoever forgot to give an input would believe that its gradient was checked.
    const unknown = Object.keys(answer).find((name) => !Object.hasOwn(inputs, name));
    if (unknown !== undefined) {
      const names = Object.keys(inputs).join(', ');
      throw new GradcheckError(`${what}: expected gradients of the given inputs, ${names}, got "${unknown}" too`);
    }
    return tensors;
  }

  /** A copy of an answer, which is kept to see whether it stays as it is. */
  #tensor(what: string, name: string, tensor: unknown, length: number | undefined): Float64Array {
    if (!(tensor instanceof Float64Array)) {
      throw new GradcheckError(`${what}: "${name}" expected a Float64Array, got ${kindOf(tensor)}`);
    }
    if (length !== undefined && tensor.length !== length) {
      throw new GradcheckError(`${what}: "${name}" expected ${length} elements, got ${tensor.length}`);
    }
    // One whose memory was given away can't be copied.
    const was = tensor.length === 0 ? new Float64Array(0) : tensor.slice();
    this.#keep(`${name} of ${what}`, tensor, was);
    return was;
  }
}

/** What the function threw where it was asked for `what`. */
function thrown(what: string, cause: unknown, hint = ''): GradcheckError {
  // An error may be of another realm, and what is no error may have no text.
  const { message = typeof cause === 'string' ? cause : shown(cause) }: { message?: unknown } = Object(cause);
  return new GradcheckError(`${what} threw: ${message}${hint}`, { cause });
}

/** What a function of the caller answers, or a GradcheckError that names it. */
export function answerOf<T>(what: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    throw cause instanceof GradcheckError ? cause : thrown(what, cause);
  }
}

/** An object of its own with copies by the same names. */
export function copiesOf<T>(all: Readonly<Record<string, { slice(): T }>>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).map(([name, each]) => [name, each.slice()]));
}

/** The tensors of an answer by name, those of `inputs` of double backward among them; one alone is `y`. */
function tensorsIn(answer: unknown): [string, Float64Array][] {
  if (answer instanceof Float64Array) return [['y', answer]];
  const parts: [string, unknown][] = Object.entries(answer ?? {});
  const { inputs } = Object(answer);
  if (inputs !== null && typeof inputs === 'object' && !ArrayBuffer.isView(inputs))
    parts.push(...Object.entries(inputs));
  return parts.filter((part): part is [string, Float64Array] => part[1] instanceof Float64Array);
}

/** Whether two tensors have an element in common: two parts of one buffer may lie apart. */
function overlap(a: Float64Array, b: Float64Array): boolean {
  const start = Math.max(a.byteOffset, b.byteOffset);
  const end = Math.min(a.byteOffset + a.byteLength, b.byteOffset + b.byteLength);
  return a.buffer === b.buffer && start < end;
}

/**
 * The first element, but for those that are left out, that is not the same, bit for bit but for the sign of 0 and NaN
 * payloads, or that only one of the two has; -1 if there is none.
 */
export function firstDifference(a: Float64Array, b: Float64Array, leftOut?: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const p = a[i];
    const q = b[i];
    if (p !== q && !(Number.isNaN(p) && Number.isNaN(q)) && leftOut?.[i] !== 1) return i;
  }
  return a.length === b.length ? -1 : length;
}
