import type { Law } from '../properties/law.ts';
import { checkLaw, type LawResult } from '../properties/verify.ts';
import type { Dtype } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import { type OpenSubject, Unavailable } from './subjects.ts';

/** What is to be checked: cases of each law on each Subject, and the seed that they are drawn from. */
export interface CheckRequest {
  readonly runs: number;
  readonly seed: number;
}

/** What is told while one Subject is checked. */
export type CheckEvent =
  | { readonly type: 'open'; readonly version: string; readonly dtype: Dtype; readonly facets: readonly Facet[] }
  | { readonly type: 'unavailable'; readonly state: 'absent' | 'broken'; readonly reason: string }
  | { readonly type: 'progress'; readonly law: string; readonly done: number }
  | { readonly type: 'result'; readonly result: LawResult };

/** Progress is told at most so often, in milliseconds. */
const interval = 100;

/** Checks the laws one after the other on one Subject and tells what comes of each. */
export async function checkSubject(
  open: () => Promise<OpenSubject>,
  laws: readonly Law[],
  { runs, seed }: CheckRequest,
  tell: (event: CheckEvent) => void,
): Promise<void> {
  let opened: OpenSubject;
  try {
    opened = await open();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    tell({ type: 'unavailable', state: error.state, reason: error.message });
    return;
  }
  const { subject, version } = opened;
  tell({ type: 'open', version, dtype: subject.dtype, facets: subject.facets });
  let told = 0;
  for (const [k, law] of laws.entries()) {
    let done = k * runs;
    const onCase = () => {
      done++;
      const now = performance.now();
      if (now - told < interval) return;
      told = now;
      tell({ type: 'progress', law: law.id, done });
    };
    tell({ type: 'result', result: await checkLaw(law, subject, { runs, seed, onCase }) });
    // Laws await promises only: without this turn of the event loop no message and no signal would come through.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
