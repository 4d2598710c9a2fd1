import { gradcheck } from '../gradcheck/gradcheck.ts';
import { subjectFunction } from '../gradcheck/subject.ts';
import type { Law } from '../law.ts';

export const measured: Law = {
  id: 'gradient/measured',
  statement: 'the gradient of every element is what differences of the answers measure, kinks and conventions included',
  source: 'spec §2, §4; docs/gradcheck.md',
  async check(c, trial) {
    // An answer of the wrong shape is a finding of this law too.
    await trial.ask(c);
    // Double backward has its own laws, and costs a dozen times as much.
    const { doubleVjp: _, ...f } = subjectFunction(trial.subject, c);
    const { inputs, failures } = await trial.run(c, () => gradcheck(f, { x: c.x, alpha: c.alpha }, { dy: c.dy }));
    for (const { compared, unchecked, vacuous } of inputs) {
      trial.counts.checked += compared;
      trial.counts.unchecked += unchecked;
      trial.counts.vacuous += vacuous;
    }
    const [failure] = failures;
    if (failure !== undefined) trial.broken({ code: 'gradcheck', failure }, c);
  },
};
