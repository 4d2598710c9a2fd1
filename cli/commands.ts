import type { Command } from 'commander';

/** A command by what the list of all says of it, and the rest, which is loaded when it is asked for. */
export type Listed = readonly [usage: string, summary: string, load: () => Promise<Command>];

export const commands: readonly Listed[] = [
  [
    'verify [options]',
    'check the laws on the reference and on every backend, then train MNIST',
    async () => (await import('./verify.ts')).verifyCommand(),
  ],
  [
    'replay [options]',
    'run one counterexample again, by the line that verify printed',
    async () => (await import('./replay.ts')).replayCommand(),
  ],
  [
    'gradcheck [options] <module>',
    'check the gradient of your own function or layer',
    async () => (await import('./gradcheck.ts')).gradcheckCommand(),
  ],
  [
    'mutants [options]',
    'run every check on wrong implementations: which finds which',
    async () => (await import('./mutants.ts')).mutantsCommand(),
  ],
  ['laws', 'list the laws: id, statement, source', async () => (await import('./laws.ts')).lawsCommand()],
  [
    'certify [options] <command...>',
    'certify an implementation in any language over a pipe',
    async () => (await import('./certify.ts')).certifyCommand(),
  ],
  [
    'explain <report.json>',
    'print the report of a certification again',
    async () => (await import('./explain.ts')).explainCommand(),
  ],
  ['certificate', 'verify a certificate', async () => (await import('./certificate.ts')).certificateCommand()],
  [
    'serve [options] <name>',
    'answer for one of our own implementations over a pipe, to be certified',
    async () => (await import('./serve.ts')).serveCommand(),
  ],
  [
    'init <language> [folder]',
    'write the beginning of an implementation that can be certified',
    async () => (await import('./init.ts')).initCommand(),
  ],
  [
    'fixtures',
    'list, check, copy or convert the fixed vectors',
    async () => (await import('./fixtures.ts')).fixturesCommand(),
  ],
  [
    'reproduce',
    'measure the published claims on MReLU and PAP again',
    async () => (await import('./reproduce.ts')).reproduceCommand(),
  ],
];
