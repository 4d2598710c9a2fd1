import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Certificate, differences, parseCertificate } from '../certification/certificate.ts';
import type { Suite } from '../fixtures/load.ts';
import { parseInteger } from './arguments.ts';
import { exitCodesText, type RunFlags, run, suiteOf, type Words, withRunOptions } from './certification-run.ts';
import { certificationText } from './certification-text.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { version } from './subjects.ts';

const seeds = 2 ** 32;

export function certificateCommand(): Command {
  const verify = withRunOptions(
    new Command('verify')
      .summary('run a certificate again and compare')
      .description(
        'Checks that the certificate is as it was made, asks COMMAND everything that it says again, and compares what comes out byte for byte. Then it asks as many fresh cases of another seed, since whoever made the certificate could prepare for its own.',
      )
      .argument('<file>', 'a certificate'),
  )
    .option('--seed <number>', 'of the other fresh cases (default: a random one)', parseInteger(0, seeds - 1))
    .addHelpText('after', exitCodesText)
    .action(
      async (
        path: string,
        words: Words,
        { fixtures, seed, ...flags }: RunFlags & { readonly seed?: number },
        command: Command,
      ) => {
        let certificate: Certificate;
        try {
          certificate = parseCertificate(readFileSync(path, 'utf8'));
        } catch (error) {
          complain(`error: ${path}: ${(error as Error).message}`);
          process.exitCode = exitCodes.internal;
          return;
        }
        const { seed: stated } = certificate.predicate.core;
        if (seed === stated) command.error(`error: --seed expected another than the certificate's, ${stated}`);
        const suite = suiteOf(fixtures);
        if (suite === undefined) return;
        const code = await verified(suite, certificate, seed ?? otherSeed(stated), { ...flags, command: words });
        process.exitCode ??= code;
      },
    );
  return new Command('certificate').addCommand(verify);
}

function otherSeed(seed: number): number {
  return (seed + randomInt(1, seeds)) % seeds;
}

/** Runs a certificate again, then fresh Cases of a seed of the verifier's; the exit code of the first that fails. */
async function verified(
  suite: Suite,
  certificate: Certificate,
  seed: number,
  flags: RunFlags & { readonly command: Words },
): Promise<number> {
  const { id, core } = certificate.predicate;
  const { profile, runs } = core;
  const options = { ...flags, profile, runs, minCases: 1, known: new Set<string>(), version };
  const again = await run(suite, { ...options, seed: core.seed });
  if (again === undefined) return exitCodes.usage;
  process.stdout.write(certificationText(again));
  const found = differences(certificate, again);
  for (const line of found) console.log(`DIFFERS: ${line}`);
  if (found.length > 0) {
    console.log(`NOT VERIFIED: certificate ${id}`);
    return again.exitCode || exitCodes.failed;
  }
  // Of gradients no certificate of inference says anything.
  const challenge = await run(suite, { ...options, seed, profile: profile === 'forward' ? profile : 'challenge' });
  if (challenge === undefined) return exitCodes.usage;
  const isVerified = challenge.outcome === 'conforms';
  process.stdout.write(`\nFresh cases of the seed ${seed}:\n\n${certificationText(challenge)}`);
  console.log(`${isVerified ? 'VERIFIED' : 'NOT VERIFIED'}: certificate ${id}`);
  return challenge.exitCode;
}
