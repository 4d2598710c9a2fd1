import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** On what figures were measured, and what was not there. */
export interface Run {
  readonly machine: { readonly cores: number; readonly model: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: Readonly<Record<string, string>>;
}

export function thisMachine(): Run['machine'] {
  return { cores: cpus().length, model: cpus()[0].model };
}

/** Writes the figures, of which "npm run docs" makes a page. */
export function writeFigures(
  name: 'gradcheck' | 'kernels' | 'training' | 'certification' | 'trials',
  figures: Run,
): void {
  writeFileSync(join('docs', 'benchmarks', `${name}.json`), `${JSON.stringify(figures, null, 1)}\n`);
}

/** The end of a sentence, and sentences on what was absent. */
export function ranOn({ machine, versions, absent }: Run): string {
  const of = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const missing = Object.entries(absent).map(([name, why]) => ` ${name} was absent (${why}).`);
  return `${machine.cores} cores, ${machine.model}; ${of.join(', ')}.${missing.join('')}`;
}
