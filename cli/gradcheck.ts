import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { largestSeed } from '../properties/check-arguments.ts';
import { GradcheckError } from '../properties/gradcheck/calls.ts';
import type { DrawnShapes, Ranges } from '../properties/gradcheck/drawn-inputs.ts';
import type { GradcheckRun } from '../properties/gradcheck/property.ts';
import { gradcheckText, openWarning } from '../properties/gradcheck/report-text.ts';
import { type GradcheckTarget, gradcheckTarget } from '../properties/gradcheck/target.ts';
import { largestRuns, parseInteger, parsePath } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes, internalHelp } from './exit-codes.ts';
import { parseFile, writeOutput } from './output-file.ts';

interface Flags {
  readonly shape?: DrawnShapes;
  readonly range?: Ranges;
  readonly runs: number;
  readonly seed: number;
  readonly path?: string;
  readonly full?: boolean;
  readonly json?: string;
}

const defaultRuns = 20;

export function gradcheckCommand(): Command {
  return new Command('gradcheck')
    .description(
      `Checks the gradient of every element of a function against finite differences of its values, with errors that are derived, on inputs that are drawn, some of them on kinks; those that fail are shrunk.

The module exports one of
  { forward({ x, … }), vjp({ x, … }, dy), jvp?, kinks?, structure? … }
      on Float64Arrays by name; vjp answers { x: dx, … }
  (x, …) => y       a function of TensorFlow.js tensors
  a tf.layers layer
and is JavaScript, or TypeScript where this Node runs it.`,
    )
    .argument('<module>', 'a file and its export, ./layer.js#name (default export: without #name)')
    .option(
      '--shape <shape>',
      'the shape of x, 32,64; or of an input by name, alpha=2,64; repeat the flag for more; an axis by a name is drawn, x=n,64',
      parseShape,
    )
    .option(
      '--range <range>',
      'the least and the largest value of x, 0.1,10; or of an input by name, alpha=0,1; repeat the flag for more (default: about 0)',
      parseRange,
    )
    .option('--runs <count>', 'how many inputs are drawn', parseInteger(1, largestRuns), defaultRuns)
    .option('--seed <seed>', 'what they are drawn from', parseInteger(0, largestSeed), 1)
    .option('--path <path>', 'run one counterexample again, by the line that was printed', parsePath)
    .option('--full', 'measure inputs without structure element by element, however many there are')
    .option('--json <file>', 'write the report to a file, in a folder that is there', parseReportFile)
    .addHelpText(
      'after',
      `
Exit codes:
  0  passed
  1  a gradient is wrong
  2  an argument was wrong, or the module does not export what it should
  3  the function threw, ended the process or never answered
${internalHelp}  5  nothing was compared: no element of a gradient could be measured
`,
    )
    .action(async (module: string, flags: Flags, command: Command) => {
      try {
        process.exitCode = await heldToVerdict(() => run(module, flags));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        command.error(`error: ${error.message}`);
      }
    });
}

/** A module that ends the process, or never answers, would leave it with a code that says something else. */
async function heldToVerdict(check: () => Promise<number>): Promise<number> {
  let verdict: number | 'pending' | 'none' = 'pending';
  let isIdle = false;
  process.once('beforeExit', () => {
    isIdle = true;
  });
  process.once('exit', (code) => {
    if (verdict === 'none' || code === exitCodes.internal) return;
    process.exitCode = verdict === 'pending' ? exitCodes.broke : verdict;
    if (verdict !== 'pending') return;
    const what = isIdle ? 'a promise never settled' : 'the process was ended';
    complain(`error: ${what} before the check was done`);
  });
  try {
    verdict = await check();
    return verdict;
  } finally {
    if (verdict === 'pending') verdict = 'none';
  }
}

/** A module or an export that can't be checked. */
class UsageError extends Error {}

async function run(module: string, { shape, range, runs, seed, path, full, json }: Flags): Promise<number> {
  if (json !== undefined && !hasFolder(json)) {
    complain(`error: --json expected a file in a folder that is there, got ${json}`);
    return exitCodes.internal;
  }
  const target = await load(module);
  let outcome: GradcheckRun;
  try {
    outcome = await gradcheckTarget(target, {
      runs,
      seed,
      ...(shape && { shapes: shape }),
      ...(range && { ranges: range }),
      ...(path && { path }),
      ...(full && { jacobian: 'full' as const }),
    });
  } catch (error) {
    if (error instanceof GradcheckError) {
      complain(`error: ${error.message}`);
      return exitCodes.broke;
    }
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(byFlag(error.message));
    throw error;
  }
  const { report, path: found, counts } = outcome;
  console.log(gradcheckText(report));
  if (report.outcome === 'passed') {
    console.log(`passed on ${outcome.runs} drawn inputs, of which the last is shown:`);
    console.log(`  ${counts.compared} elements compared, ${counts.open} left open, ${counts.vacuous} vacuous`);
    for (const line of openWarning(counts.open, counts.elements)) console.log(line);
  } else if (report.outcome === 'failed') {
    const how = [
      ...Object.entries({ shape, range }).flatMap(([flag, byName]) =>
        Object.entries(byName ?? {}).flatMap(([name, of]) => [`--${flag}`, `${name}=${of.join(',')}`]),
      ),
      ...(full ? ['--full'] : []),
      ...['--seed', `${seed}`],
    ];
    const alone = [...how, '--path', found!];
    const isAlone = path !== undefined || failsAgain(module, alone);
    if (!isAlone)
      console.log('Alone these inputs pass: what is answered depends on what was asked before, so run all.');
    const line = isAlone ? alone : [...how, ...(runs === defaultRuns ? [] : ['--runs', `${runs}`])];
    console.log(`again: npx poolproof gradcheck ${module} ${line.join(' ')}`);
  }
  if (json !== undefined) await writeOutput(json, `${JSON.stringify(written(outcome), plain, 1)}\n`);
  return exitCodeOf[report.outcome];
}

/** Whether a process that was asked nothing before finds the failure too; one that gets stuck or breaks does not pass. */
function failsAgain(module: string, flags: readonly string[]): boolean {
  const command = [process.argv[1], 'gradcheck', module, ...flags];
  const { status } = spawnSync(process.execPath, command, { stdio: 'ignore', timeout: 60_000 });
  return status !== exitCodes.held && status !== exitCodes.notRun;
}

const exitCodeOf = {
  passed: exitCodes.held,
  failed: exitCodes.failed,
  'nothing-compared': exitCodes.notRun,
} as const;

/** The name of a file to be written. Where its folder is missing, `run` says that the report can't be kept. */
function parseReportFile(text: string): string {
  return text !== '' && !hasFolder(text) ? text : parseFile(text);
}

function hasFolder(file: string): boolean {
  return statSync(dirname(resolve(file)), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The report with what the run says besides, and the inputs that fail; those that pass may be large. */
function written({ report, runs, counts, path, inputs }: GradcheckRun): object {
  return { ...report, runs, counts, ...(path !== undefined && { path, drawn: inputs }) };
}

/** The message of an error about an option of `gradcheckTarget`, by the flag that it came from; `shapes.y` comes from the module. */
function byFlag(message: string): string {
  return message
    .replace(/^gradcheck\w*: (?=.*"(shapes?|ranges?|path)(?!\.y")\b)/, '')
    .replaceAll(/"(shape|range)s?(?:\.(?!y")(\w+))?"/g, (_, flag, name) => (name ? `--${flag} ${name}` : `--${flag}`))
    .replaceAll('"path"', '--path')
    .replace('--shape or --shape', '--shape');
}

/** What a module exports under a name. */
async function load(module: string): Promise<GradcheckTarget> {
  const [, file, name = 'default'] = /^([^#]+)(?:#([^#]+))?$/.exec(module) ?? [];
  if (file === undefined) throw new UsageError(`expected a file and its export, ./layer.js#name, got "${module}"`);
  const exports = await import(pathToFileURL(resolve(file)).href).catch((error: Error & { code?: string }) => {
    const hint = error.code === 'ERR_UNKNOWN_FILE_EXTENSION' ? '; this Node runs JavaScript alone: compile it' : '';
    throw new UsageError(`${file}: ${error.message}${hint}`);
  });
  if (Object.hasOwn(exports, name)) return exports[name];
  const names = Object.keys(exports).join(', ') || 'a module with exports';
  throw new UsageError(`"${name}" is no export of ${file}, expected ${names}`);
}

/** `32,64`, `alpha=2,64`, `x=n,64`. */
function parseShape(text: string, before: DrawnShapes = {}): DrawnShapes {
  const [, name = 'x', axes] = /^(?:(\w+)=)?((?:\w+(?:,\w+)*)?)$/.exec(text) ?? [];
  if (axes === undefined || axes.split(',').some((axis) => /^\d+\D/.test(axis))) {
    throw new InvalidArgumentError('Expected lengths separated by commas, such as 32,64 or alpha=2,64.');
  }
  // A typing error, such as --shape abc, would draw inputs of 1 to 6 elements.
  const notLengths = axes
    .split(',')
    .find((axis) => /^(NaN|Infinity)$/.test(axis) || (axis === text && /^\D/.test(axis)));
  if (notLengths !== undefined) {
    throw new InvalidArgumentError(`Expected lengths, or the name of an axis as in x=n or n,64, got ${notLengths}.`);
  }
  checkNewName('shape', name, before);
  const shape = axes === '' ? [] : axes.split(',').map((axis) => (/^\d+$/.test(axis) ? Number(axis) : axis));
  return { ...before, [name]: shape };
}

/** `0.1,10`, `alpha=-1,1`. */
function parseRange(text: string, before: Ranges = {}): Ranges {
  const [, name = 'x', lo, hi] = /^(?:(\w+)=)?([^,\s]+),([^,\s]+)$/.exec(text) ?? [];
  const range = [Number(lo), Number(hi)] as const;
  if (!(Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] <= range[1])) {
    throw new InvalidArgumentError('Expected the least and the largest value, such as 0.1,10 or alpha=0,1.');
  }
  checkNewName('range', name, before);
  return { ...before, [name]: range };
}

function checkNewName(what: string, name: string, before: object): void {
  // What every object has would be taken for a declaration of the module's own.
  if (name in {}) throw new InvalidArgumentError(`Expected the name of an input, got ${name}.`);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`Expected one ${what} of ${name}, got two.`);
}

/** JSON has no NaN, no ∞ and no -0: they are written as text; tensors as arrays. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Float64Array) return [...value];
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
