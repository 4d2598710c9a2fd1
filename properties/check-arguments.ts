import { checkInput, kindOf, shown } from '../reference/arguments.ts';
import type { Subject } from '../reference/subject.ts';
import { checkDtype } from './dtypes.ts';
import { checkFacets } from './error-bound.ts';
import type { Law } from './law.ts';

/** The largest seed: fast-check's are 32 bits, and larger ones would draw the Cases of a smaller one. */
export const largestSeed: number = 2 ** 32 - 1;

/** Whether it is a path of fast-check: integers separated by colons, the first of them the number of a run. */
export function isPath(path: unknown): path is string {
  return typeof path === 'string' && /^\d+(:\d+)*$/.test(path);
}

/** @throws RangeError unless `path` is one of fast-check or left out */
export function checkPath(where: string, path: unknown): void {
  if (path === undefined || isPath(path)) return;
  throw new RangeError(`${where}: "path" expected integers separated by colons, got ${shown(path)}`);
}

/** The error for a path that does not lead to `what`. */
export function leadsNowhere(where: string, what: string, path: string, cause?: unknown): RangeError {
  return new RangeError(`${where}: "path" expected the way to ${what}, got "${path}"`, { cause });
}

/** @throws TypeError unless `law` has what a law needs */
export function checkLawArgument(where: string, law: Law): void {
  if (typeof law !== 'object' || law === null) {
    throw new TypeError(`${where}: "law" expected a law, such as an element of laws, got ${shown(law)}`);
  }
  const missing = typeof law.id !== 'string' ? 'id' : typeof law.check !== 'function' ? 'check' : undefined;
  if (missing !== undefined) {
    throw new TypeError(`${where}: "law" expected an object with id and check, got ${kindOf(law)} without ${missing}`);
  }
}

/** @throws TypeError, RangeError naming what is not as a Subject has it */
export function checkSubject(where: string, subject: Subject, name: string = 'subject'): void {
  if (typeof subject !== 'object' || subject === null || typeof subject.answer !== 'function') {
    const came = typeof subject === 'object' && subject !== null ? 'an object without answer' : shown(subject);
    throw new TypeError(`${where}: "${name}" expected an object with name, dtype, facets and answer, got ${came}`);
  }
  if (typeof subject.name !== 'string') {
    throw new TypeError(`${where}: "${name}.name" expected a string, got ${kindOf(subject.name)}`);
  }
  checkDtype(`${where}: "${name}"`, subject.dtype);
  checkFacets(`${where}: "${name}.facets"`, subject.facets);
  for (const optional of ['jvp', 'doubleVjp', 'liveTensors'] as const) {
    checkCallback(`${where}: "${name}.${optional}"`, subject[optional]);
  }
}

/** @throws TypeError unless `options` is an object of `known` options only */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  checkInput(where, 'options', options);
  if (Array.isArray(options)) throw new TypeError(`${where}: "options" expected an object, got an array`);
  checkKeys(`${where}: "options"`, options, known);
}

/** @throws TypeError naming the first key that is not `known`: misspelt, it would say nothing */
export function checkKeys(where: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new TypeError(`${where} expected ${known.join(', ')}, got ${shown(unknown)}`);
}

/** @throws TypeError unless `value` is a function or left out */
export function checkCallback(where: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`${where} expected a function, got ${kindOf(value)}`);
}
