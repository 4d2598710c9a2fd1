import type { Case } from '../reference/case.ts';
import type { Check } from './plan.ts';
import type { CheckFailure, CheckGroup, Totals, Trouble } from './report.ts';
import { failureOf } from './trouble.ts';

/** Failures that are kept of each group. */
export const mostFailures = 20;

/** A check that failed on a Case that can be asked again. */
export interface FirstFailure {
  readonly check: Check;
  readonly group: CheckGroup;
}

/** What came of the checks so far. */
export class Tally {
  readonly checks: Record<CheckGroup, { -readonly [name in keyof Totals]: Totals[name] }> = {
    vectors: { passed: 0, failed: 0 },
    invalid: { passed: 0, failed: 0 },
    accumulated: { passed: 0, failed: 0 },
    challenge: { passed: 0, failed: 0 },
    repeated: { passed: 0, failed: 0 },
  };
  readonly failures: CheckFailure[] = [];
  #first: FirstFailure | undefined;
  #firstFault: FirstFailure | undefined;
  readonly #known: ReadonlySet<string>;
  readonly #only: ReadonlySet<string>;
  readonly #asked = new Set<string>();
  readonly #passed = new Set<string>();
  readonly #knownFailing = new Set<string>();

  /** `known`: ids of checks that are known to fail; `only`: those that alone are to be asked. */
  constructor(known: ReadonlySet<string>, only: ReadonlySet<string> = new Set()) {
    this.#known = known;
    this.#only = only;
  }

  /** The first wrong reply on a Case; the first Case that breaks the subject only where there is none. */
  get first(): FirstFailure | undefined {
    return this.#first ?? this.#firstFault;
  }

  get knownFailing(): string[] {
    return [...this.#knownFailing];
  }

  /** Known to fail, and passed throughout. */
  get unexpectedlyPassed(): string[] {
    return [...this.#known].filter((id) => this.#passed.has(id) && !this.#knownFailing.has(id));
  }

  /** Listed by the caller, and asked under no op. */
  get notAsked(): string[] {
    return [...new Set([...this.#known, ...this.#only])].filter((id) => !this.#asked.has(id));
  }

  count(group: CheckGroup, check: Omit<Check, 'case'> & { case?: Case }, trouble: Trouble | undefined): void {
    const { id } = check;
    this.#asked.add(id);
    if (trouble === undefined) {
      this.checks[group].passed++;
      this.#passed.add(id);
      return;
    }
    if (this.#known.has(id)) {
      this.#knownFailing.add(id);
      return;
    }
    this.checks[group].failed++;
    this.#list(failureOf(group, check, trouble));
    if (check.case === undefined || group === 'repeated') return;
    const failure = { check: check as Check, group };
    if (trouble.code === 'fault') this.#firstFault ??= failure;
    else this.#first ??= failure;
  }

  /** The first of each group, and each once: what is in the smoke list too is asked twice. */
  #list(failure: CheckFailure): void {
    const listed = this.failures.filter(({ kind }) => kind === failure.kind);
    if (listed.length >= mostFailures || listed.some(({ id, op }) => id === failure.id && op === failure.op)) return;
    this.failures.push(failure);
  }
}
