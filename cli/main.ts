#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { certificateCommand, certifyCommand, explainCommand } from './certify.ts';
import { exitCodes } from './exit-codes.ts';
import { fixturesCommand } from './fixtures.ts';
import { gradcheckCommand } from './gradcheck.ts';
import { initCommand } from './init.ts';
import { lawsCommand } from './laws.ts';
import { mutantsCommand } from './mutants.ts';
import { replayCommand } from './replay.ts';
import { reproduceCommand } from './reproduce.ts';
import { serveCommand } from './serve.ts';
import { version } from './subjects.ts';
import { verifyCommand } from './verify.ts';

const program = new Command('poolproof')
  .description('Proves that an activation layer, forward and backward, is right.')
  .version(version)
  .helpCommand(false)
  .addHelpText('after', '\n"poolproof <command> --help" says more about a command.');

const commands = [
  verifyCommand(),
  replayCommand(),
  gradcheckCommand(),
  mutantsCommand(),
  lawsCommand(),
  certifyCommand(),
  explainCommand(),
  certificateCommand(),
  serveCommand(),
  initCommand(),
  fixturesCommand(),
  reproduceCommand(),
];
for (const command of commands) program.addCommand(command);
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride();
  // One line is enough: it names the argument, what was expected and what came.
  command.configureOutput({ outputError: (text, write) => write(text.replace(/\n\(Did/, ' (Did')) });
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ message }) => {
    // Node's own code would be 1, which says that a law failed; where nobody reads on, that is all there is to say.
    if (stream !== process.stderr) console.error(`error: the output could not be written: ${message}`);
    process.exit(exitCodes.internal);
  });
}

try {
  if (process.argv.length <= 2) program.error(`error: a command is missing, expected ${commandNames()}`);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
  else {
    // Node's own code would be 1, which says that a law failed.
    process.exitCode = exitCodes.internal;
    console.error(error);
  }
}

function commandNames(): string {
  return program.commands.map((command) => command.name()).join(', ');
}
