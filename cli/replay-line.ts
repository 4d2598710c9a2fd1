import type { CaseKind } from '../properties/cases.ts';

/** What finds one counterexample again. */
export interface Counterexample {
  readonly law: string;
  readonly kind: CaseKind;
  readonly seed: number;
  readonly path: string;
}

/** The line to paste that runs it again. */
export function replayLine(backend: string, { law, kind, seed, path }: Counterexample): string {
  return `npx poolproof replay --law ${law} --backend ${backend} --seed ${seed} --kind ${kind} --path ${path}`;
}
