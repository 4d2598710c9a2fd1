import { Command, InvalidArgumentError, Option } from 'commander';
import { type Served, serve } from '../certification/serve.ts';
import { everything } from '../certification/wire.ts';
import { gpuStyles, legalStyles, legalSubject, narrowStyles } from '../properties/legal.ts';
import { mutants } from '../properties/mutants.ts';
import { parseSubject } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { openSubject, type SubjectName, Unavailable, version } from './subjects.ts';

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'Speaks pool-harness/1 on standard input and output for the reference, for a TensorFlow.js backend in Node, or for a deliberately wrong implementation: "poolproof certify -- npx poolproof serve wasm".',
    )
    .argument('<name>', 'reference, or a backend', (text) => parseSubject(text))
    .addOption(
      new Option('--mutant <id>', 'answer as this wrong implementation does; of the reference only')
        .argParser(parseMutant)
        .conflicts('evaluation'),
    )
    .option(
      '--evaluation <name>',
      'compute in another order that is right too, as "f32 blocked fused lerp"',
      parseLegal,
    )
    .action(async (name: SubjectName, { mutant, evaluation }: Flags, command: Command) => {
      const changed = mutant ?? evaluation;
      if (changed !== undefined && name !== 'reference') {
        command.error('error: --mutant and --evaluation expected the reference');
      }
      try {
        await serve(changed ?? (await servedOf(name)));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        complain(`error: ${error.message}`);
        process.exitCode = exitCodes.broke;
      }
    });
}

interface Flags {
  readonly mutant?: Served;
  readonly evaluation?: Served;
}

async function servedOf(name: SubjectName): Promise<Served> {
  const { subject, version: of } = await openSubject(name);
  const implementation = { name: `poolproof ${name}`, version: of.replace(/^poolproof /, ''), language: 'TypeScript' };
  const { dtype, facets } = subject;
  // float64 rounded once is right in every dtype: intermediates may be wider.
  const dtypes = name === 'reference' ? everything.dtypes : [dtype];
  return { implementation, capabilities: { ...everything, dtypes, facets }, subject: () => subject };
}

function parseMutant(text: string): Served {
  const found = mutants.find(({ id }) => id === text);
  if (found === undefined) throw new InvalidArgumentError('Expected an id, as "poolproof mutants" prints them.');
  // One for all dtypes, since some have state.
  const subject = found.make();
  return {
    implementation: { name: `poolproof mutant ${text}`, version, language: 'TypeScript' },
    capabilities: everything,
    subject: () => subject,
  };
}

function parseLegal(text: string): Served {
  const subjects = [...legalStyles, ...narrowStyles, ...gpuStyles].map(legalSubject);
  const found = subjects.find(({ name }) => name === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`Expected one of ${subjects.length} names such as "${subjects[0].name}".`);
  }
  return {
    implementation: { name: `poolproof ${text}`, version, language: 'TypeScript' },
    capabilities: { ...everything, dtypes: [found.dtype], facets: found.facets },
    subject: () => found,
  };
}
