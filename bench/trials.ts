/** Measures trials side by side against one after the other and writes the figures. Run by npm run bench. */
import { cpus } from 'node:os';
import { loadMnist } from '../experiments/data/mnist.ts';
import { activations, protocols } from '../experiments/protocols.ts';
import type { Trial } from '../experiments/trial.ts';
import { startWorkers, type Workers } from '../experiments/workers.ts';
import { quantile } from './quantile.ts';
import { thisMachine, writeFigures } from './run.ts';
import type { TrialsFigures, TrialsRow } from './trials-page.ts';

const rounds = Number(process.env.POOLPROOF_ROUNDS ?? 7);
const epochsOf = { small: 4, 'author-2016': 1 } as const;
const name = 'tensorflow';
const cores = cpus().length;

// Downloaded here, so that no two workers do.
await loadMnist();

const trialOf = (protocol: keyof typeof epochsOf, seed: number): Trial => ({
  protocol: { ...protocols.get(protocol)!, activation: activations.get('pap')!, epochs: epochsOf[protocol] },
  seed,
});
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const atOnce = startWorkers(1);
const inTurn = startWorkers(cores);
const run = (workers: Workers, trial: Trial) => workers.run({ trial, backend: name }, () => {});
const seeds = Array.from({ length: cores }, (_, k) => k + 1);
const ways = {
  atOnce: (protocol: keyof typeof epochsOf) => Promise.all(seeds.map((seed) => run(atOnce, trialOf(protocol, seed)))),
  inTurn: async (protocol: keyof typeof epochsOf) => {
    for (const seed of seeds) await run(inTurn, trialOf(protocol, seed));
  },
};

const rows: TrialsRow[] = [];
let versions: TrialsFigures['versions'] = {};
for (const protocol of ['small', 'author-2016'] as const) {
  const times = { atOnce: [] as number[], inTurn: [] as number[] };
  // The first of each opens its backend and loads its data.
  versions = (await ways.atOnce(protocol))[0].versions;
  await ways.inTurn(protocol);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (['atOnce', 'inTurn'] as const) : (['inTurn', 'atOnce'] as const);
    for (const way of order) times[way].push(await seconds(() => ways[way](protocol)));
  }
  const spread = (of: readonly number[]) => [quantile(of, 0.25), quantile(of, 0.5), quantile(of, 0.75)] as const;
  const row = {
    protocol,
    epochs: epochsOf[protocol],
    atOnce: spread(times.atOnce),
    inTurn: spread(times.inTurn),
    ratio: quantile(
      times.inTurn.map((time, round) => time / times.atOnce[round]),
      0.5,
    ),
  };
  rows.push(row);
  console.log(protocol, row);
}
atOnce.stop();
inTurn.stop();
const figures: TrialsFigures = { machine: thisMachine(), versions, absent: {}, backend: name, rounds, rows };
writeFigures('trials', figures);
