import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { toC } from '../fixtures/exports/c.ts';
import type { Exporter } from '../fixtures/exports/exported.ts';
import { toNpy } from '../fixtures/exports/npy.ts';
import { toOnnx } from '../fixtures/exports/onnx.ts';
import { packaged, readSuite, type Suite, SuiteError } from '../fixtures/load.ts';
import { validateSuite } from '../fixtures/validate.ts';
import { flagNames, groups, type Vector } from '../fixtures/vectors.ts';
import { dtypes } from '../properties/dtypes.ts';
import { wrapped } from '../properties/wrapped.ts';
import { parseAmong } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { parseFolder, writeFolder } from './output-folder.ts';

const exporters: Readonly<Record<string, Exporter>> = { onnx: toOnnx, npy: toNpy, c: toC };

interface Chosen {
  readonly fixtures?: string;
  readonly group?: readonly string[];
  readonly dtype?: readonly string[];
  readonly flag?: readonly string[];
}

export function fixturesCommand(): Command {
  const command = new Command('fixtures')
    .description('The fixed vectors with which "poolproof certify" begins, for tests of your own.')
    .helpCommand(false);
  const verb = (name: string, summary: string, description: string) => {
    const made = command.command(name).summary(summary).description(description);
    return made.option('--fixtures <folder>', 'vectors of your own (default: those of poolproof)');
  };
  const filters = (made: Command) =>
    made
      .option('--group <names>', 'only these groups, separated by commas', parseAmong(Object.keys(groups)))
      .option('--dtype <names>', 'only these dtypes', parseAmong(dtypes))
      .option('--flag <names>', 'only vectors with all of these flags, such as nan,unit', parseAmong(flagNames));

  filters(
    verb('list', 'what there is', 'Lists the vectors by group: name, dtypes, flags, and the bug that each hunts.'),
  ).action((chosen: Chosen) => guarded(() => list(choose(readSuite(chosen.fixtures), chosen))));
  verb(
    'validate',
    'whether they are as they were made',
    'Checks the SHA-256 of every file, computes what every vector expects anew by exact arithmetic, and makes the whole suite again to compare every byte. Takes a minute.',
  ).action(({ fixtures }: Chosen) => guarded(() => validate(fixtures)));
  verb('copy', 'copy them', 'Copies the suite, with its manifest, into a new folder.')
    .requiredOption('--out <folder>', 'a new or an empty folder', parseFolder)
    .action(({ fixtures, out }: Chosen & { out: string }) => guarded(() => copy(fixtures, out)));
  filters(
    verb(
      'export',
      'write them in another format',
      `Writes the vectors into a new folder, and says what it left out.
  npy   a folder a vector: arrays of NumPy, case.json
  c     one header of C99: arrays of IEEE bits, a table
  onnx  ONNX's backend tests: test_*/model.onnx with inputs and outputs`,
    ),
  )
    .requiredOption('--format <name>', Object.keys(exporters).join(', '), parseFormat)
    .requiredOption('--out <folder>', 'a new or an empty folder', parseFolder)
    .action((chosen: Chosen & { format: string; out: string }) => guarded(() => write(chosen)));
  command.addHelpText(
    'after',
    `
"poolproof fixtures <command> --help" says more about a command.

Exit codes:
  0  done
  2  an argument was wrong, or the folder is not empty; nothing was written
  4  the vectors are not as they were made, or the folder could not be written
  5  no vector is as asked for; nothing was written
`,
  );
  return command;
}

/** Sets the exit code; what is wrong with the vectors or the folder is told in one line. */
function guarded(act: () => number): void {
  try {
    process.exitCode = act();
  } catch (error) {
    const isAltered = error instanceof SuiteError;
    if (!isAltered && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    process.exitCode = exitCodes.internal;
    const what = isAltered ? 'the vectors can not be trusted' : 'the folder could not be written';
    complain(`error: ${what}: ${(error as Error).message}`);
  }
}

function choose({ vectors }: Suite, { group, dtype, flag }: Chosen): Vector[] {
  return vectors.filter(
    (vector) =>
      (group?.includes(groupOf(vector)) ?? true) &&
      (dtype?.includes(vector.dtype) ?? true) &&
      (flag?.every((one) => vector.flags.includes(one)) ?? true),
  );
}

const groupOf = ({ id }: Vector) => id.split('/')[0];

function none(): number {
  complain('error: expected at least one vector of this group, dtype and flag, got none');
  return exitCodes.notRun;
}

/** Vectors that differ by dtype only are one entry. */
function list(vectors: readonly Vector[]): number {
  if (vectors.length === 0) return none();
  for (const group of Object.keys(groups)) {
    const members = vectors.filter((vector) => groupOf(vector) === group);
    if (members.length === 0) continue;
    const entries = new Map<string, string[]>();
    for (const { id, flags, note, dtype } of members) {
      const key = JSON.stringify([id.split('/')[1], flags.join(' '), note]);
      entries.set(key, [...(entries.get(key) ?? []), dtype]);
    }
    console.log(`${group}: ${members.length}`);
    for (const [key, dtypes] of entries) {
      const [name, flags, note]: string[] = JSON.parse(key);
      const row = `  ${name.padEnd(30)} ${dtypes.join(' ').padEnd(16)}  ${flags}`;
      for (const line of [row, `    ${note}`].flatMap(wrapped)) console.log(line);
    }
  }
  console.log(`in all: ${vectors.length}`);
  return exitCodes.held;
}

function validate(fixtures: string | undefined): number {
  const { version, digest, vectors, bytes } = validateSuite(fixtures);
  const made = bytes ? 'every byte is as it is made' : 'of another version: only its expectations were computed anew';
  console.log(`${vectors} vectors of version ${version}, ${digest.slice(0, 12)}: ${made}`);
  return exitCodes.held;
}

function copy(folder: string = packaged(), out: string): number {
  const { version, digest, paths } = readSuite(folder);
  writeFolder(out, new Map(paths.map((path) => [path, readFileSync(join(folder, path))])));
  console.log(`${paths.length} files of version ${version}, ${digest.slice(0, 12)}, in ${out}`);
  return exitCodes.held;
}

function write(chosen: Chosen & { format: string; out: string }): number {
  const vectors = choose(readSuite(chosen.fixtures), chosen);
  if (vectors.length === 0) return none();
  const { files, count, leftOut } = exporters[chosen.format](vectors);
  const reasons =
    leftOut.size > 0 ? { 'left-out.json': `${JSON.stringify(Object.fromEntries(leftOut), null, 1)}\n` } : {};
  writeFolder(chosen.out, new Map([...files, ...Object.entries(reasons)]));
  console.log(`${count} of ${vectors.length} vectors as ${chosen.format} in ${chosen.out}`);
  for (const [reason, what] of leftOut) {
    for (const line of wrapped(`left out ${what.length} (left-out.json): ${reason}`)) console.log(line);
  }
  return exitCodes.held;
}

function parseFormat(text: string): string {
  if (Object.hasOwn(exporters, text)) return text;
  throw new InvalidArgumentError(`Expected ${Object.keys(exporters).join(', ')}.`);
}
