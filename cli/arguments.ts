import { InvalidArgumentError } from 'commander';
import type { CaseKind } from '../properties/cases.ts';
import { isPath } from '../properties/check-arguments.ts';
import type { Law } from '../properties/law.ts';
import { familyOf, laws, lawsNamed } from '../properties/laws.ts';
import { type SubjectName, subjectNames } from './subjects.ts';

/** Parsers of arguments for commander: each takes text and returns a value, or says what was expected. */

/** Laws by id or by family, separated by commas; a repeated flag adds to those before. */
export function parseLaws(text: string, before: readonly Law[] = []): Law[] {
  const chosen = new Set(before);
  for (const name of names(text)) {
    const found = lawsNamed(name);
    if (found.length === 0) {
      const [family] = name.split('/');
      const near = laws.filter(({ id }) => familyOf(id) === family).map(({ id }) => id);
      const expected = near.length > 0 ? `one of ${near.join(', ')}` : `an id, or a family: ${families().join(', ')}`;
      throw new InvalidArgumentError(`Expected ${expected}, got "${name}".`);
    }
    for (const law of found) chosen.add(law);
  }
  return laws.filter((law) => chosen.has(law));
}

/** One law by its id. */
export function parseLaw(text: string): Law {
  const law = laws.find(({ id }) => id === text);
  if (law) return law;
  const [found] = parseLaws(text);
  throw new InvalidArgumentError(`Expected the id of one law, such as ${found.id}, got "${text}".`);
}

/** Subjects by name, separated by commas, or `auto` alone. A repeated flag adds to those before. */
export function parseSubjects(text: string, before?: 'auto' | readonly SubjectName[]): 'auto' | SubjectName[] {
  const given = names(text);
  const hasAuto = given.includes('auto');
  if (hasAuto ? given.length > 1 || Array.isArray(before) : before === 'auto') {
    throw new InvalidArgumentError('Expected auto alone, or names.');
  }
  if (hasAuto) return 'auto';
  const chosen = given.map((name) => parseSubject(name, 'auto, '));
  return subjectNames.filter((name) => before?.includes(name) || chosen.includes(name));
}

/** One Subject by name. */
export function parseSubject(text: string, or = ''): SubjectName {
  const name = subjectNames.find((known) => known === text);
  if (name) return name;
  throw new InvalidArgumentError(`Expected ${or}${subjectNames.join(', ')}, got "${text}".`);
}

/** An integer in decimal digits, from `min` to `max`. */
export function parseInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
  };
}

export function parseKind(text: string): CaseKind {
  if (text === 'dyadic' || text === 'general') return text;
  throw new InvalidArgumentError('Expected dyadic or general.');
}

/** The most cases of a law that can be asked for; every one before a counterexample is drawn again by `replay`. */
export const largestRuns = 1_000_000;

/** A path of fast-check: integers separated by colons, the first of them the number of a case. */
export function parsePath(text: string): string {
  if (!isPath(text)) {
    throw new InvalidArgumentError('Expected integers separated by colons, such as 12:0:3.');
  }
  if (Number.parseInt(text, 10) < largestRuns) return text;
  throw new InvalidArgumentError(`Expected a path that starts with an integer below ${largestRuns}.`);
}

/** The families of laws, the first part of their ids. */
export function families(): string[] {
  return [...new Set(laws.map(({ id }) => familyOf(id)))];
}

/** A parser of names among those known, separated by commas; a repeated flag adds to those before. */
export function parseAmong<T extends string>(known: readonly T[]): (text: string, before?: readonly T[]) => T[] {
  return (text, before = []) => {
    const chosen = names(text).map((name) => {
      const found = known.find((one) => one === name);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(`Expected ${known.join(', ')}, got "${name}".`);
    });
    return [...new Set([...before, ...chosen])];
  };
}

/** Names separated by commas. */
export function names(text: string): string[] {
  const found = text.split(',').map((name) => name.trim());
  if (found.includes('')) throw new InvalidArgumentError('Expected names separated by commas.');
  return found;
}
