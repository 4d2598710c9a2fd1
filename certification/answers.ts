import { encodeFinding } from '../fixtures/finding.ts';
import { type Expectation, expectation } from '../properties/interval.ts';
import { judge } from '../properties/judge.ts';
import type { Case } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import { type ErrorStatistics, Errors } from './errors.ts';
import type { Check } from './plan.ts';
import type { CertificationReport, Trouble } from './report.ts';
import type { Outcome } from './session.ts';
import { troubleOf } from './trouble.ts';

/** Judges what a subject answers, under the facets that it announced, and knows how near its answers came. */
export class Answers {
  facets: readonly Facet[] = [];
  readonly #elements = { compared: 0, open: 0, vacuous: 0 };
  readonly #errors = new Errors();
  readonly #expected = new WeakMap<Case, Expectation>();

  get elements(): CertificationReport['elements'] {
    return this.#elements;
  }

  get errors(): ErrorStatistics {
    return this.#errors.statistics();
  }

  /** What is wrong with an outcome. */
  judge({ case: c }: Pick<Check, 'case'>, outcome: Outcome): Trouble | undefined {
    return this.#judge(c, outcome).trouble;
  }

  /** The same, and counts the elements of the answer. */
  count({ id, case: c }: Pick<Check, 'id' | 'case'>, outcome: Outcome): Trouble | undefined {
    const { trouble, counts } = this.#judge(c, outcome);
    if ('tensors' in outcome) {
      this.#elements.compared += counts!.compared;
      this.#elements.open += counts!.open;
      this.#elements.vacuous += counts!.vacuous;
      this.#errors.add(id, c, outcome.tensors, this.#expect(c));
    }
    return trouble;
  }

  #judge(c: Case, outcome: Outcome) {
    if (!('tensors' in outcome)) return { trouble: troubleOf(outcome) };
    const { finding, counts } = judge(c, this.facets, outcome.tensors, (input) => this.#expect(input));
    return { trouble: finding && encodeFinding(finding), counts };
  }

  #expect(input: Case): Expectation {
    const allowed = this.#expected.get(input) ?? expectation(input, this.facets);
    this.#expected.set(input, allowed);
    return allowed;
  }
}
