import { Command } from 'commander';
import { laws } from '../properties/laws.ts';
import { wrap } from './table.ts';

export function lawsCommand(): Command {
  return new Command('laws')
    .description('Lists every law with its permanent id, its statement and its source.')
    .action(() => {
      for (const { id, statement, source } of laws) {
        console.log(id);
        for (const line of [...wrap(`  ${statement}`, 80, '  '), ...wrap(`  [${source}]`, 80, '  ')]) {
          console.log(line);
        }
      }
    });
}
