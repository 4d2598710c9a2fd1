import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type CertificationReport, reportFormat } from '../certification/report.ts';
import { packaged } from '../fixtures/load.ts';
import { wrongBySchema } from '../fixtures/schema.ts';
import { certificationText } from './certification-text.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .argument('<report.json>', 'what "certify --json" wrote')
    .action((path: string, _: unknown, command: Command) => {
      let report: CertificationReport | null = null;
      try {
        report = JSON.parse(readFileSync(path, 'utf8'));
      } catch (error) {
        command.error(`error: report.json expected a report: ${(error as Error).message}`);
      }
      if (report?.format !== reportFormat) {
        command.error(`error: "format" of the report expected ${reportFormat}, got ${JSON.stringify(report?.format)}`);
      }
      const wrong = wrongBySchema(join(packaged(), '../schemas'))('report', report);
      if (wrong !== undefined) command.error(`error: report.json expected a whole report: ${wrong}`);
      process.stdout.write(certificationText(report));
    });
}
