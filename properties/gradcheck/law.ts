import type { Law } from '../law.ts';
import { gradcheck } from './gradcheck.ts';
import { subjectFunction } from './subject.ts';

/**
 * The gradient check of a Subject, in the form of a law, so that it is drawn, shrunk and replayed as one. It is not among
 * the laws: it judges whole answers, as the laws of agreement do, by what it measures itself.
 */
export const gradcheckLaw: Law = {
  id: 'gradcheck/measured',
  statement: 'the gradient of every element is what differences of the answers measure, kinks and conventions included',
  source: 'spec §2, §4; docs/gradcheck.md',
  async check(c, trial) {
    // An answer of the wrong shape is a finding of this law too.
    await trial.ask(c);
    // Double backward has its own laws, and costs a dozen times as much.
    const { doubleVjp: _, ...f } = subjectFunction(trial.subject, c);
    const { inputs, failures } = await trial.run(c, () => gradcheck(f, { x: c.x, alpha: c.alpha }, { dy: c.dy }));
    for (const { compared, open, vacuous } of inputs) {
      trial.counts.compared += compared;
      trial.counts.open += open;
      trial.counts.vacuous += vacuous;
    }
    const [failure] = failures;
    if (failure !== undefined) trial.broken({ code: 'gradcheck', failure }, c);
  },
};
