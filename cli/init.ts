import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { wrapped } from '../properties/wrapped.ts';
import { complain } from './complain.ts';
import { exitCodes, internalHelp } from './exit-codes.ts';
import { parseFolder, writeFolder } from './output-folder.ts';

/** What is written for a language: the harness of our own adapter, and a pool in which one function is missing. */
interface Starter {
  /** From `impl/adapters`, by the name that each gets. */
  readonly files: Readonly<Record<string, string>>;
  readonly pool: string;
  readonly needs: string;
  readonly setUp: string;
  /** What starts it. */
  readonly command: string;
  /** The adapter that has all branches. */
  readonly example: string;
}

const languages = ['python', 'rust', 'c', 'go', 'node'] as const;
type Language = (typeof languages)[number];

const starters: Readonly<Record<Language, Starter>> = {
  python: {
    files: { 'harness.py': 'python/harness.py', 'pool.py': 'python/starter/pool.py' },
    pool: 'pool.py',
    needs: 'Python 3.10 and NumPy',
    setUp: 'python3 -m pip install numpy',
    command: 'python3 pool.py',
    example: 'python/numpy_pool.py',
  },
  rust: {
    files: {
      'Cargo.toml': 'rust/Cargo.toml',
      'Cargo.lock': 'rust/Cargo.lock',
      'src/main.rs': 'rust/src/main.rs',
      'src/harness.rs': 'rust/src/harness.rs',
      'src/pool.rs': 'rust/starter/pool.rs',
    },
    pool: 'src/pool.rs',
    needs: 'cargo',
    setUp: 'cargo build --release',
    command: 'target/release/pool-harness',
    example: 'rust/src/pool.rs',
  },
  c: {
    files: {
      Makefile: 'c/Makefile',
      'harness.c': 'c/harness.c',
      'pool.h': 'c/pool.h',
      'pool.c': 'c/starter/pool.c',
    },
    pool: 'pool.c',
    needs: 'a C compiler, make and cJSON (Debian: libcjson-dev)',
    setUp: 'make',
    command: './pool-harness',
    example: 'c/pool.c',
  },
  go: {
    files: { 'go.mod': 'go/go.mod', 'harness.go': 'go/harness.go', 'pool.go': 'go/starter/pool.go' },
    pool: 'pool.go',
    needs: 'Go 1.21',
    setUp: 'go build -o pool-harness',
    command: './pool-harness',
    example: 'go/pool.go',
  },
  node: {
    files: { 'pool.mjs': 'node/starter/pool.mjs' },
    pool: 'pool.mjs',
    needs: 'poolproof as a dependency',
    setUp: 'npm install poolproof',
    command: 'node pool.mjs',
    example: '../../README.md',
  },
};

export function initCommand(): Command {
  return new Command('init')
    .description(
      'Writes a folder with all that speaks the protocol pool-harness/1 in LANGUAGE, and a file with one function to fill in. Says the two commands that then build and certify it. The folder must be new or empty.',
    )
    .addArgument(new Argument('<language>', 'in which the implementation is written').choices(languages))
    .argument('[folder]', 'a new or empty one (default: pool-LANGUAGE)')
    .addHelpText(
      'after',
      `
Exit codes:
  0  written
  2  an argument was wrong, or the folder is not empty; nothing was written
${internalHelp}`,
    )
    .action((language: Language, folder: string = `pool-${language}`, _flags: unknown, command: Command) => {
      try {
        parseFolder(folder);
        writeFolder(folder, starterOf(language));
      } catch (error) {
        if (error instanceof InvalidArgumentError) command.error(`error: "folder" ${folder}: ${error.message}`);
        if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
        complain(`error: the starter could not be written: ${(error as Error).message}`);
        process.exitCode = exitCodes.internal;
        return;
      }
      const { files, pool, setUp } = starters[language];
      const names = [...Object.keys(files), 'README.md'].join(', ');
      const next = `cd ${folder} && ${setUp}\n  ${certifyLine(language)}`;
      process.stdout.write(
        `${wrapped(`${folder}: ${names}`).join('\n')}\n\nFill in the one function of ${join(folder, pool)}, then\n\n  ${next}\n`,
      );
    });
}

const certifyLine = (language: Language): string =>
  `npx poolproof certify --profile smoke -- ${starters[language].command}`;

/** The files of a starter by their paths in its folder. */
function starterOf(language: Language): Map<string, string> {
  const sources = Object.entries(starters[language].files);
  const files = new Map(sources.map(([name, source]) => [name, readFileSync(join(adapters(), source), 'utf8')]));
  return files.set('README.md', readme(language));
}

function readme(language: Language): string {
  const { pool, needs, setUp, command, example } = starters[language];
  return `# My layer

Needs ${needs}.

Fill in the one function of \`${pool}\`, and list there what your layer has; then

    ${setUp}
    ${certifyLine(language)}

The smoke list takes seconds. Without \`--profile smoke\` all vectors are asked and 10,000 fresh cases:

    npx poolproof certify -- ${command}

A failure prints the smallest case, the element that is wrong, and what is allowed for it. An activation pool is
y = Σᵢ cᵢ·fᵢ(x), with coefficients c = κ(alpha): alpha itself (\`free\`, \`fixed\`), with a last one that makes the sum 1
(\`sumToOne\`), or between bounds (\`clip\`). At 0 the conventions are relu(0) = 0, relu′(0) = 0 and step(0) = 0; step′ is 0
everywhere, and of a NaN every branch is NaN, step too. The rest of the files speaks the protocol; a whole example is
\`impl/adapters/${example}\` in poolproof's package.
`;
}

/** `impl/adapters` of the package, from the sources or from the compiled files. */
function adapters(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  return join(here, here.includes(join('dist', 'cli')) ? '../..' : '..', 'impl/adapters');
}
