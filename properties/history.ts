import type { Answer, Case } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { shrinkCase } from './shrink.ts';
import { copyCase } from './transform.ts';

/** Cases kept of what a Subject was asked. */
const kept = 64;

/** A Subject that keeps a copy of the last Cases that it was asked. */
export class Recorder {
  readonly subject: Subject;
  #asked: Case[] = [];
  #marked: readonly Case[] = [];

  constructor(subject: Subject) {
    this.subject = {
      name: subject.name,
      dtype: subject.dtype,
      facets: subject.facets,
      ...(subject.jvp && { jvp: subject.jvp.bind(subject) }),
      ...(subject.doubleVjp && { doubleVjp: subject.doubleVjp.bind(subject) }),
      ...(subject.liveTensors && { liveTensors: subject.liveTensors.bind(subject) }),
      answer: (input: Case): Answer | Promise<Answer> => {
        this.#asked.push(copyCase(input));
        return subject.answer(input);
      },
    };
  }

  /** Remembers where a law begins to ask. */
  mark(): void {
    this.#asked = this.#asked.slice(-kept);
    this.#marked = this.#asked.slice();
  }

  /** What was asked before the last mark. */
  get before(): readonly Case[] {
    return this.#marked;
  }
}

/** Whether a law still fails on its Case when a fresh Subject was asked these Cases first. */
type Fails = (history: readonly Case[]) => Promise<boolean>;

/**
 * A shortest sequence among the Cases asked that makes the law fail: no Case of it can be left out. Looks back ever
 * further, then removes by delta debugging (Zeller, Hildebrandt 2002). `undefined` if none of them does.
 */
export async function shortestHistory(asked: readonly Case[], fails: Fails): Promise<readonly Case[] | undefined> {
  for (let size = 1; ; size *= 2) {
    const window = asked.slice(-size);
    if (await fails(window)) return reduce(window, fails);
    if (size >= asked.length) return undefined;
  }
}

async function reduce(history: readonly Case[], fails: Fails): Promise<readonly Case[]> {
  let current = history;
  for (let parts = 2; current.length > 1; ) {
    const length = Math.ceil(current.length / parts);
    const starts = Array.from({ length: Math.ceil(current.length / length) }, (_, k) => k * length);
    const smaller =
      (await first(
        starts.map((start) => current.slice(start, start + length)),
        fails,
      )) ??
      (await first(
        starts.map((start) => current.toSpliced(start, length)),
        fails,
      ));
    if (smaller !== undefined) {
      current = smaller;
      parts = 2;
    } else if (length === 1) break;
    else parts = Math.min(current.length, 2 * parts);
  }
  return current;
}

async function first(candidates: readonly (readonly Case[])[], fails: Fails): Promise<readonly Case[] | undefined> {
  for (const candidate of candidates) if (candidate.length > 0 && (await fails(candidate))) return candidate;
  return undefined;
}

/** The same sequence with every Case of it shrunk. */
export async function shrinkHistory(history: readonly Case[], fails: Fails): Promise<readonly Case[]> {
  let current = history;
  for (const k of history.keys()) {
    for (let isSmaller = true; isSmaller; ) {
      isSmaller = false;
      for (const smaller of shrinkCase(current[k])) {
        const candidate = current.with(k, smaller);
        if (!(await fails(candidate))) continue;
        current = candidate;
        isSmaller = true;
        break;
      }
    }
  }
  return current;
}
