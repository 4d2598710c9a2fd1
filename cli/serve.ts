import { Command, InvalidArgumentError } from 'commander';
import { type Served, serve } from '../certification/serve.ts';
import { everything } from '../certification/wire.ts';
import type { Mutant } from '../properties/mutants/mutant.ts';
import { mutants } from '../properties/mutants.ts';
import { parseSubject } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { openSubject, type SubjectName, Unavailable, version } from './subjects.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .summary('answer for one of our own implementations over a pipe, to be certified')
    .description(
      'Speaks pool-harness/1 on standard input and output for the reference, for a TensorFlow.js backend in Node, or for a deliberately wrong implementation: "poolproof certify -- npx poolproof serve wasm".',
    )
    .argument('<name>', 'reference, or a backend', (text) => parseSubject(text))
    .option('--mutant <id>', 'answer as this wrong implementation does; of the reference only', parseMutant)
    .action(async (name: SubjectName, { mutant }: { mutant?: Mutant }, command: Command) => {
      if (mutant !== undefined && name !== 'reference') command.error('error: --mutant expected the reference');
      try {
        await serve(mutant === undefined ? await servedOf(name) : wrong(mutant));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        console.error(`error: ${error.message}`);
        process.exitCode = exitCodes.broke;
      }
    });
}

async function servedOf(name: SubjectName): Promise<Served> {
  const { subject, version: of } = await openSubject(name);
  const implementation = { name: `poolproof ${name}`, version: of.replace(/^poolproof /, ''), language: 'TypeScript' };
  const { dtype, facets } = subject;
  // float64 rounded once is right in every dtype: intermediates may be wider.
  const dtypes = name === 'reference' ? everything.dtypes : [dtype];
  return { implementation, capabilities: { ...everything, dtypes, facets }, subject: () => subject };
}

function wrong({ id, make }: Mutant): Served {
  // One for all dtypes, since some have state.
  const subject = make();
  return {
    implementation: { name: `poolproof mutant ${id}`, version, language: 'TypeScript' },
    capabilities: everything,
    subject: () => subject,
  };
}

function parseMutant(text: string): Mutant {
  const found = mutants.find(({ id }) => id === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Expected an id, as "poolproof mutants" prints them.');
}
