/** Measures training steps. Run by npm run bench. */
import { noiseImages } from '../experiments/convnet.ts';
import { protocols } from '../experiments/protocols.ts';
import { BackendError, type OpenBackend, openBackend } from '../impl/tfjs/backends.ts';
import { createTrainer } from '../impl/tfjs/training/train.ts';
import { installWasmKernels } from '../impl/tfjs/wasm/install.ts';
import { type Activation, mrelu, pap, prelu, relu } from '../reference/activations.ts';
import { batches } from '../reference/batches.ts';
import { initialParameters } from '../reference/network.ts';
import { type Child, startPython } from './child.ts';
import { measureConvnet } from './convnet.ts';
import { measureDropout } from './dropout.ts';
import { layersStep } from './layers-step.ts';
import { quantile } from './quantile.ts';
import { thisMachine, writeFigures } from './run.ts';
import {
  nodeBackends,
  type Participant,
  type Ratio,
  type StepRow,
  slowBackends,
  trainingSection,
} from './training-page.ts';

const activations: readonly Activation[] = [relu, prelu, mrelu(0.8), pap];
/** PAP by the public layers and optimizer, on the two backends that are compared. */
const byLayers = `${pap.name}, tf.layers`;
const sizes = [32, 128];
/** Steps of each participant before and while it is measured; the slow backends take a second or more for one. */
const warmUp = 5;
const rounds = Number(process.env.POOLPROOF_ROUNDS ?? 101);
const slowRounds = Math.min(rounds, 25);

interface Python {
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: Readonly<Record<string, string>>;
}

const absent: Record<string, string> = {};
const backends: OpenBackend[] = [];
for (const name of nodeBackends) {
  try {
    backends.push(await openBackend(name));
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    absent[name] = error.message;
  }
}
const interpreter = process.env.POOLPROOF_PYTHON ?? 'python3';
const python = await startPython<Python>(interpreter, 'training.py');
Object.assign(absent, python?.hello.absent ?? { PyTorch: `${interpreter} does not run` });
for (const [name, why] of Object.entries(absent)) console.log(`${name} is absent: ${why}`);

/** Native TensorFlow takes all cores; wasm is measured with two threads, and once more with one. */
const wasm = backends.find(({ name }) => name === 'wasm');
const native = backends.find(({ name }) => name === 'tensorflow');
let restore = wasm ? installWasmKernels({ threads: 2 }) : () => {};
const rows: StepRow[] = [];
const ratios: Ratio[] = [];
for (const batch of sizes) {
  const times = await measure(batch, activations, participating(backends));
  for (const [participant, ms] of times) {
    const [median, low, high] = [0.5, 0.25, 0.75].map((share) => quantile(ms, share));
    rows.push({ batch, ...participant, median, quartiles: [low, high] });
  }
  const compare = (a: [string, string], b: [string, string], required: number): void => {
    ratios.push(...ratioOf(batch, times, a, b, required));
  };
  for (const name of nodeBackends) compare([name, pap.name], [name, relu.name], 1.05);
  for (const activation of [relu.name, byLayers]) compare(['wasm', activation], ['tensorflow', activation], 1.5);
  if (batch === 128) compare(['tensorflow', relu.name], ['PyTorch', relu.name], 1.6);
}
if (wasm && native) {
  restore();
  restore = installWasmKernels();
  const one = 'wasm, one thread';
  for (const batch of sizes) {
    const times = await measure(batch, [relu], new Map([...participating([native]), [one, wasm]]));
    ratios.push(...ratioOf(batch, times, [one, relu.name], ['tensorflow', relu.name], 1.5));
  }
}
const dropout = sizes.flatMap((batch) =>
  backends
    .filter(({ name }) => name === 'wasm' || name === 'tensorflow')
    .map((backend) => measureDropout(backend, batch)),
);
const convnet = await measureConvnet(backends.filter(({ name }) => name !== 'webgpu'));
restore();
python?.close();

const figures = {
  rounds: { cpu: slowRounds, others: rounds },
  machine: thisMachine(),
  versions: {
    node: process.versions.node,
    ...Object.fromEntries(backends.map(({ name, version }) => [name, version])),
    ...python?.hello.versions,
  },
  absent,
  rows,
  ratios,
  dropout,
  convnet,
};
writeFigures('training', figures);
console.log(trainingSection(figures));

/** The median over the rounds of one participant's steps by another's: what slows the machine down slows down both. */
function ratioOf(
  batch: number,
  times: ReadonlyMap<Participant, readonly number[]>,
  a: [string, string],
  b: [string, string],
  required: number,
): Ratio[] {
  const [ours, theirs] = [a, b].map(
    ([on, activation]) => [...times].find(([one]) => one.on === on && one.activation === activation)?.[1],
  );
  if (!ours || !theirs) return [];
  const shares = ours.map((ms, round) => ms / theirs[round]);
  const [ratio, low, high] = [0.5, 0.25, 0.75].map((share) => quantile(shares, share)) as [number, number, number];
  return [{ batch, what: `${a.join(' ')} / ${b.join(' ')}`, ratio, quartiles: [low, high], required }];
}

function participating(all: readonly OpenBackend[]): Map<string, OpenBackend> {
  return new Map(all.map((backend) => [backend.name, backend]));
}

/** What makes one step after another. */
interface Stepping {
  step(): Promise<unknown>;
  dispose(): void;
}

/** The milliseconds of every participant's steps, all by turns: round after round each makes one. */
async function measure(
  batch: number,
  activations: readonly Activation[],
  backends: ReadonlyMap<string, OpenBackend>,
): Promise<Map<Participant, number[]>> {
  const steps = new Map<Participant, () => Promise<number>>();
  const disposals: (() => void)[] = [];
  const add = (activation: string, on: string, backend: OpenBackend, open: () => Stepping): void => {
    backend.use();
    const { step, dispose } = open();
    disposals.push(() => {
      backend.use();
      dispose();
    });
    steps.set({ on, activation }, async () => {
      backend.use();
      const start = performance.now();
      await step();
      return performance.now() - start;
    });
  };
  const without = { ...protocols.get('author-2016')!, batch, dropout: 0 };
  const data = batches(without, noiseImages(batch, 784), 1).next().value;
  // Backends take turns, so that every step begins with what another has left in the caches.
  for (const activation of activations) {
    for (const [on, backend] of backends) {
      add(activation.name, on, backend, () => {
        const protocol = { ...without, activation };
        const trainer = createTrainer(protocol, initialParameters(protocol, 1));
        return { step: () => trainer.step(data), dispose: () => trainer.dispose() };
      });
    }
  }
  for (const [on, backend] of backends) {
    const isCompared = activations.includes(pap) && !slowBackends.includes(backend.name);
    if (isCompared) add(byLayers, on, backend, () => layersStep(without, data));
  }
  if (python && !('PyTorch' in absent)) steps.set({ on: 'PyTorch', activation: relu.name }, pytorchStep(python, batch));
  const times = new Map<Participant, number[]>([...steps.keys()].map((participant) => [participant, []]));
  const all = [...steps];
  for (let round = -warmUp; round < rounds; round++) {
    // Each is first by turns.
    const first = Math.abs(round) % all.length;
    for (const [participant, step] of [...all.slice(first), ...all.slice(0, first)]) {
      if (slowBackends.some((name) => name === participant.on) && (round < -1 || round >= slowRounds)) continue;
      const ms = await step();
      if (round >= 0) times.get(participant)!.push(ms);
    }
  }
  for (const free of disposals) free();
  return times;
}

function pytorchStep(python: Child<Python>, batch: number): () => Promise<number> {
  return async () => (await python.ask({ batch })) as number;
}
