import { readFileSync } from 'node:fs';
import { type CertificationFigures, certificationSection } from '../bench/certification-page.ts';
import { type Figures, gradcheckTable } from '../bench/figures.ts';
import { type KernelFigures, kernelsSection } from '../bench/kernels-page.ts';
import { type TrainingFigures, trainingSection } from '../bench/training-page.ts';
import { type TrialsFigures, trialsSection } from '../bench/trials-page.ts';

/** `docs/benchmarks/*.json`. */
export interface Benchmarks {
  readonly gradcheck: Figures;
  readonly kernels: KernelFigures;
  readonly training: TrainingFigures;
  readonly certification: CertificationFigures;
  readonly trials: TrialsFigures;
}

/** What was measured last; `docs` is the folder. */
export function readBenchmarks(docs: string): Benchmarks {
  const read = (name: string) => JSON.parse(readFileSync(`${docs}/benchmarks/${name}.json`, 'utf8'));
  return {
    gradcheck: read('gradcheck'),
    kernels: read('kernels'),
    training: read('training'),
    certification: read('certification'),
    trials: read('trials'),
  };
}

/** docs/benchmarks.md */
export function benchmarksPage({ gradcheck, kernels, training, certification, trials }: Benchmarks): string {
  return `# Benchmarks

\`npm run bench\` measures all of this and writes [JSON](benchmarks), from which this page is made. Each table comes from
one run in which everything takes turns: compare times only within a table, and best by the ratios within one round.

${kernelsSection(kernels)}

${trainingSection(training)}

${trialsSection(trials)}

${certificationSection(certification)}

## The gradient check

For a layer of 32 × 64 units; [gradcheck.md](gradcheck.md#compared) says what is compared, and how.

${gradcheckTable(gradcheck)}
`;
}
