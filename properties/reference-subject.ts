import { doubleVjp, forward, jvp, vjp } from '../reference/pool.ts';
import type { Subject } from '../reference/subject.ts';

/** The float64 reference as a Subject. */
export const referenceSubject: Subject = {
  name: 'reference',
  dtype: 'f64',
  facets: [],
  answer: (input) => ({ y: forward(input), ...vjp(input) }),
  jvp,
  doubleVjp,
};
