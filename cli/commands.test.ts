import { Help } from 'commander';
import { expect, it } from 'vitest';
import { commands } from './commands.ts';

it.each(commands)('%s is listed as it is', async (usage, _, load) => {
  expect(new Help().subcommandTerm(await load())).toBe(usage);
});
