import { Command, InvalidArgumentError } from 'commander';
import { largestSeed } from '../properties/check-arguments.ts';
import { gradcheckLaw } from '../properties/gradcheck/law.ts';
import { findKills } from '../properties/kills.ts';
import type { Law } from '../properties/law.ts';
import { laws } from '../properties/laws.ts';
import { type Group, groups, type Mutant } from '../properties/mutants/mutant.ts';
import { mutants } from '../properties/mutants.ts';
import { names, parseAmong, parseInteger } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { isEnough, killsText } from './kills-text.ts';
import { parseFile, writeOutput } from './output-file.ts';
import { progressOn } from './progress.ts';

interface Flags {
  readonly runs: number;
  readonly seed: number;
  readonly group?: readonly Group[];
  readonly mutant?: readonly Mutant[];
  readonly json?: string;
}

/** The laws, and the gradient check. */
const checks: readonly Law[] = [...laws, gradcheckLaw];

export function mutantsCommand(): Command {
  return new Command('mutants')
    .description(
      'Runs every law and the gradient check on every deliberately wrong implementation and prints which finds which, the share that is found by group, and what each law alone finds when agreement with the reference and the gradient check, which both judge whole answers, are left out.',
    )
    .option('--runs <count>', 'cases of each law, half of them dyadic', parseInteger(1, 1_000_000), 200)
    .option('--seed <seed>', 'what the cases are drawn from', parseInteger(0, largestSeed), 1)
    .option('--group <names>', `among ${groups.join(', ')} (default: all)`, parseAmong(groups))
    .option('--mutant <ids>', 'ids of mutants, as the table prints them (default: all)', parseMutants)
    .option('--json <file>', 'write the table to a file', parseFile)
    .addHelpText(
      'after',
      `
Exit codes:
  0  at least 98 % of them are found, and all of kink, special, state and shape
  1  fewer
  2  an argument was wrong; nothing was run
`,
    )
    .action(async ({ group, mutant, ...flags }: Flags, command: Command) => {
      const chosen = mutants.filter(
        (one) => (group?.includes(one.group) ?? true) && (mutant?.some(({ id }) => id === one.id) ?? true),
      );
      if (chosen.length === 0) command.error('error: no mutant is of that group and has that id');
      process.exitCode = await run(chosen, flags);
    });
}

async function run(chosen: readonly Mutant[], { runs, seed, json }: Omit<Flags, 'group' | 'mutant'>): Promise<number> {
  const progress = progressOn(process.stderr);
  progress.begin('mutants', checks.length * chosen.length);
  let done = 0;
  const kills = await findKills(chosen, checks, {
    runs,
    seed,
    async onPair(law) {
      progress.update('mutants', ++done, law.id);
      // Laws await promises only: without this turn of the event loop no bar and no signal would come through.
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  const found = kills.filter((row) => row.some(Boolean)).length;
  progress.end('mutants', `${found} of ${chosen.length} found`);
  progress.stop();
  process.stdout.write(killsText(chosen, checks, kills));
  if (json !== undefined) {
    const rows = chosen.map(({ id, group: of, bug }, m) => ({
      id,
      group: of,
      bug,
      killers: checks.filter((_, k) => kills[m][k]).map((law) => law.id),
    }));
    await writeOutput(
      json,
      `${JSON.stringify({ schema: 'poolproof-mutants/1', runs, seed, mutants: rows }, null, 1)}\n`,
    );
  }
  return isEnough(chosen, kills) ? exitCodes.held : exitCodes.failed;
}

function parseMutants(text: string): Mutant[] {
  return names(text).map((id) => {
    const mutant = mutants.find((known) => known.id === id);
    if (mutant === undefined) throw new InvalidArgumentError(`Expected the id of a mutant, got "${id}".`);
    return mutant;
  });
}
