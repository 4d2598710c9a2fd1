#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { commands } from './commands.ts';
import { complain, complaint } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { version } from './subjects.ts';

const program = new Command('poolproof')
  .description('Proves that an activation layer, forward and backward, is right.')
  .version(version)
  .addHelpText('after', '\n"poolproof <command> --help" says more about a command.');

// The others are listed only: most of them load much.
const asked = process.argv.slice(2).find((word) => !word.startsWith('-'));
for (const [usage, summary, load] of commands) {
  if (usage.split(' ')[0] !== asked) program.command(usage).summary(summary);
  else program.addCommand((await load()).summary(summary));
}
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.helpCommand(false);
  command.exitOverride();
  // One sentence is enough: it names the argument, what was expected and what came.
  command.configureOutput({ outputError: (text, write) => write(complaint(text.replace(/\n\(Did/, ' (Did'))) });
}

const closedPipe = 'EPIPE';
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // Nobody reads on, as `head` does not: the command goes on, and its exit code says what came out.
    if (code === closedPipe) return;
    // Node's own code would be 1, which says that a law failed.
    if (stream !== process.stderr) complain(`error: the output could not be written: ${message}`);
    process.exit(exitCodes.internal);
  });
}

try {
  if (process.argv.length <= 2) program.error(`error: a command is missing, expected ${commandNames()}`);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  else if ((error as NodeJS.ErrnoException | null)?.code !== closedPipe) {
    // Node's own code would be 1, which says that a law failed.
    process.exitCode = exitCodes.internal;
    console.error(error);
  }
}

function commandNames(): string {
  return program.commands.map((command) => command.name()).join(', ');
}
