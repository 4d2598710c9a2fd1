import { kindOf, shown } from '../reference/arguments.ts';
import type { Subject } from '../reference/subject.ts';
import { checkDtype } from './dtypes.ts';
import { checkFacets } from './error-bound.ts';
import type { Law } from './law.ts';

/** The largest seed: fast-check's are 32 bits, and larger ones would draw the Cases of a smaller one. */
export const largestSeed: number = 2 ** 32 - 1;

/** @throws TypeError unless `law` has what a law needs */
export function checkLawArgument(where: string, law: Law): void {
  if (typeof law !== 'object' || law === null) {
    throw new TypeError(`${where}: "law" expected a law, such as an element of laws, got ${shown(law)}`);
  }
  if (typeof law.id !== 'string' || typeof law.check !== 'function') {
    throw new TypeError(`${where}: "law" expected an object with id and check, got ${kindOf(law)} without`);
  }
}

/** @throws TypeError, RangeError naming what is not as a Subject has it */
export function checkSubject(where: string, subject: Subject): void {
  if (typeof subject !== 'object' || subject === null || typeof subject.answer !== 'function') {
    const came = typeof subject === 'object' && subject !== null ? 'an object without answer' : shown(subject);
    throw new TypeError(`${where}: "subject" expected an object with name, dtype, facets and answer, got ${came}`);
  }
  if (typeof subject.name !== 'string') {
    throw new TypeError(`${where}: "subject.name" expected a string, got ${kindOf(subject.name)}`);
  }
  checkDtype(`${where}: "subject"`, subject.dtype);
  checkFacets(`${where}: "subject.facets"`, subject.facets);
  for (const optional of ['jvp', 'doubleVjp', 'liveTensors'] as const) {
    if (subject[optional] !== undefined && typeof subject[optional] !== 'function') {
      throw new TypeError(`${where}: "subject.${optional}" expected a function, got ${kindOf(subject[optional])}`);
    }
  }
}

/** @throws TypeError unless `options` is an object */
export function checkOptions(where: string, options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${where}: "options" expected an object, got ${shown(options)}`);
  }
}

/** @throws TypeError for another kind, RangeError unless `value` is an integer from `least` to `most` */
export function checkInteger(
  where: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  if (typeof value !== 'number') throw new TypeError(`${where} expected an integer ${range}, got ${shown(value)}`);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`${where} expected an integer ${range}, got ${value}`);
  }
}
