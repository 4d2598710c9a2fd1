import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import type { Facet } from '../../reference/subject.ts';
import { activationPool } from './op.ts';
import { shown } from './parameters.ts';

export type BackendName = 'cpu' | 'wasm' | 'tensorflow';

/** A backend that is loaded, has passed its self-test and is the current one of `tf`. */
export interface OpenBackend {
  readonly name: BackendName;
  readonly version: string;
  readonly facets: readonly Facet[];
  /** The one TensorFlow.js of this thread; all backends share it. */
  readonly tf: typeof tf;
  /** Makes this backend the current one again. */
  use(): void;
}

/** A backend that can't be used: `absent` when it is not installed, `broken` when it does not load or computes wrongly. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly backend: BackendName;
  readonly state: 'absent' | 'broken';

  constructor(backend: BackendName, state: 'absent' | 'broken', reason: string, options?: ErrorOptions) {
    super(`backend "${backend}" is ${state}: ${reason}`, options);
    this.backend = backend;
    this.state = state;
  }
}

/** What a backend is like. */
interface Backend {
  /** Measured, forward and backward, on every branch: `ftz` where subnormal inputs or results become 0. */
  readonly facets: readonly Facet[];
  /** Registers it with `tf` and says its version; throws `NotInstalled` when there is nothing to load. */
  load(): Promise<string>;
  /** What to do when it is absent or broken. */
  readonly hint: string;
}

const table: Readonly<Record<BackendName, Backend>> = {
  tensorflow: {
    facets: ['ftz'],
    load: loadNative,
    hint: 'install @tensorflow/tfjs-node, or build it where its download is unreachable: "npm run setup:native", for an installed package "bash node_modules/poolproof/scripts/setup-native.sh"',
  },
  wasm: {
    facets: ['pairwise'],
    load: loadWasm,
    hint: 'install @tensorflow/tfjs-backend-wasm of the version of @tensorflow/tfjs',
  },
  cpu: { facets: ['pairwise'], load: async () => `tfjs ${tf.version_core}`, hint: 'install @tensorflow/tfjs again' },
};

/** In the order in which `openAuto` prefers them. */
export const backendNames: readonly BackendName[] = ['tensorflow', 'wasm', 'cpu'];

/**
 * Loads a backend, makes it the current one and tests it.
 *
 * @throws BackendError saying what to do; TypeError, RangeError for a name that is none
 */
export async function openBackend(name: BackendName): Promise<OpenBackend> {
  if (!backendNames.includes(name)) {
    const Kind = typeof name === 'string' ? RangeError : TypeError;
    throw new Kind(`openBackend: "name" expected ${backendNames.join(', ')}, got ${shown(name)}`);
  }
  const { facets, load, hint } = table[name];
  silenceAdvice();
  try {
    const version = await load();
    if (!(await tf.setBackend(name))) throw new Error('tf.setBackend refused it');
    selfTest();
    return { name, version, facets, tf, use: () => use(name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const state = error instanceof NotInstalled ? 'absent' : 'broken';
    throw new BackendError(name, state, `${reason}; ${hint}`, { cause: error });
  }
}

/** Why a backend was not taken. */
export interface PassedOver {
  readonly name: BackendName;
  readonly state: 'absent' | 'broken';
  readonly reason: string;
}

/** The first of `backendNames` that works, and why those before it were passed over. @throws BackendError if none does. */
export async function openAuto(): Promise<{ backend: OpenBackend; passedOver: PassedOver[] }> {
  const passedOver: PassedOver[] = [];
  let last: unknown;
  for (const name of backendNames) {
    try {
      return { backend: await openBackend(name), passedOver };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      passedOver.push({ name, state: error.state, reason: error.message });
      last = error;
    }
  }
  throw last;
}

class NotInstalled extends Error {}

/** `tf.setBackend` is asynchronous only for a backend that was never used, and every open one was. */
function use(name: BackendName): void {
  if (tf.getBackend() !== name) void tf.setBackend(name);
}

async function loadWasm(): Promise<string> {
  try {
    const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
    return `tfjs-backend-wasm ${version_wasm}`;
  } catch (error) {
    if (isNotFound(error)) throw new NotInstalled('@tensorflow/tfjs-backend-wasm is not installed', { cause: error });
    throw error;
  }
}

/** tfjs-node as installed, else as `scripts/setup-native.sh` builds it into `.native/`. */
async function loadNative(): Promise<string> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const places = [...new Set([packageRoot(), process.cwd()])].map((folder) => join(folder, '.native', 'native.js'));
  let failure: unknown;
  for (const place of [fileURLToPath(import.meta.url), ...places]) {
    try {
      const node: { version: Record<string, string> } = createRequire(place)('@tensorflow/tfjs-node');
      const backend = tf.findBackend('tensorflow') as { binding?: { TF_Version?: string } } | null;
      if (backend === null) throw new Error('tfjs-node has registered itself with another copy of @tensorflow/tfjs');
      return `tfjs-node ${node.version['tfjs-node']}, TensorFlow ${backend.binding?.TF_Version}`;
    } catch (error) {
      if (!isNotFound(error)) failure ??= error;
    }
  }
  throw failure ?? new NotInstalled('@tensorflow/tfjs-node is not installed');
}

/** The folder of poolproof's package.json, above the sources as well as above the compiled files. */
function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'poolproof') return folder;
    if (folder === dirname(folder)) return here;
  }
}

/** Whether the package itself is missing; a file missing inside of an installed one means that it is broken. */
function isNotFound(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return false;
  return /Cannot find (module|package) '@tensorflow\/(tfjs-node|tfjs-backend-wasm)'/.test(message ?? '');
}

/** Keeps tfjs' cpu backend from advising tfjs-node at its first tensor: which backend runs is said by the caller. */
function silenceAdvice(): void {
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu?.firstUse) cpu.firstUse = false;
}

/** A pool forward and backward, and a matrix product, on numbers for which every right answer is exact. */
function selfTest(): void {
  tf.tidy(() => {
    const x = tf.tensor2d([-1, 2, 0.5, 0], [2, 2]);
    const alpha = tf.tensor2d([0.75, 0.5, 0.25, 0.5], [2, 2]);
    const dy = tf.tensor2d([1, -2, 4, 8], [2, 2]);
    const pool = tf.valueAndGrads((v, a) => activationPool(v!, a!));
    const { value, grads } = pool([x, alpha], dy);
    check('y', value, [0, 1.5, 0.625, 0]);
    check('dx', grads[0]!, [0, -1, 3, 0]);
    check('dalpha', grads[1]!, [2, -4, 4, -2]);
    check('matMul', tf.matMul(x, alpha), [-0.25, 0.5, 0.375, 0.25]);
  });
}

function check(what: string, tensor: tf.Tensor, expected: readonly number[]): void {
  const actual = [...tensor.dataSync()];
  if (!expected.every((value, i) => value === actual[i]) || actual.length !== expected.length) {
    throw new Error(`self-test: ${what} expected [${expected.join(', ')}], got [${actual.join(', ')}]`);
  }
}
