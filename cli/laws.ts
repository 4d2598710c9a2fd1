import { Command } from 'commander';
import { laws } from '../properties/laws.ts';
import { wrapped } from '../properties/wrapped.ts';

export function lawsCommand(): Command {
  return new Command('laws')
    .description('Lists every law with its permanent id, its statement and its source.')
    .action(() => {
      for (const { id, statement, source } of laws) {
        console.log(id);
        for (const line of [...wrapped(`  ${statement}`), ...wrapped(`  [${source}]`)]) {
          console.log(line);
        }
      }
    });
}
