import * as tf from '@tensorflow/tfjs';
import type { Facet } from '../../reference/subject.ts';
import { isMissing, NotInstalled } from './not-installed.ts';
import { activationPool } from './op.ts';
import { shown } from './parameters.ts';

/**
 * `webgl-f16` is webgl with half-precision textures, as on devices that have no others; `wasm-threads` is wasm's
 * threaded build, which needs a cross-origin isolated page.
 */
export type BackendName = 'tensorflow' | 'wasm' | 'wasm-threads' | 'cpu' | 'webgpu' | 'webgl' | 'webgl-f16';

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

type Host = 'node' | 'browser';

/** What a backend is like. */
interface Backend {
  /** What `tf` calls it; two that share this can't both be open. */
  readonly registered: string;
  readonly hosts: readonly Host[];
  /**
   * Measured, forward, backward and second order, on every branch: `ftz` where subnormal inputs or results become 0, on
   * native TensorFlow in the second order only, which is made of its own ops. Of GPU backends on SwiftShader.
   */
  readonly facets: readonly Facet[];
  /** Flags of `tf.env()`, set once it is loaded. */
  readonly flags?: Readonly<Record<string, boolean>>;
  /** Registers it with `tf` and says its version; throws `NotInstalled` when there is nothing to load. */
  load(): Promise<string>;
  /** Whether what was opened is what the name says; `true` unless given. */
  isIt?(): boolean | Promise<boolean>;
  /** What to do when it is absent or broken. */
  readonly hint: string;
}

const wasmHeap = () => (tf.backend() as never as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8;

/** Not `floatPrecision()` of the backend, which says 16 here too. */
const hasFloat32 = () => tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');

const webgl: Omit<Backend, 'facets'> = {
  registered: 'webgl',
  hosts: ['browser'],
  // Else small tensors are computed by the cpu backend.
  flags: { WEBGL_CPU_FORWARD: false, WEBGL_FORCE_F16_TEXTURES: false },
  // `@tensorflow/tfjs` has it.
  load: async () => `tfjs-backend-webgl ${tf.version['tfjs-backend-webgl']}`,
  isIt: hasFloat32,
  hint: 'it needs WebGL with textures of 32-bit floats',
};

const wasm: Omit<Backend, 'hosts'> = {
  registered: 'wasm',
  facets: ['pairwise'],
  flags: { WASM_HAS_MULTITHREAD_SUPPORT: false },
  load: loadWasm,
  hint: 'install @tensorflow/tfjs-backend-wasm of the version of @tensorflow/tfjs',
};

const table: Readonly<Record<BackendName, Backend>> = {
  tensorflow: {
    registered: 'tensorflow',
    hosts: ['node'],
    facets: ['ftz', 'pairwise'],
    load: async () => (await import('./node.ts')).loadNative(),
    hint: 'install @tensorflow/tfjs-node, or build it where its download is unreachable: "npm run setup:native", for an installed package "bash node_modules/poolproof/scripts/setup-native.sh"',
  },
  wasm: { ...wasm, hosts: ['node', 'browser'] },
  'wasm-threads': {
    ...wasm,
    hosts: ['browser'],
    flags: { WASM_HAS_MULTITHREAD_SUPPORT: true },
    async load() {
      const isIsolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
      if (!isIsolated) throw new NotInstalled('the page is not cross-origin isolated');
      return loadWasm();
    },
    isIt: () => wasmHeap().buffer instanceof SharedArrayBuffer,
    hint: 'serve the page with the headers COOP (same-origin) and COEP (require-corp)',
  },
  cpu: {
    registered: 'cpu',
    hosts: ['node', 'browser'],
    facets: ['pairwise'],
    load: async () => `tfjs ${tf.version_core}`,
    hint: 'install @tensorflow/tfjs again',
  },
  webgpu: {
    registered: 'webgpu',
    hosts: ['node', 'browser'],
    facets: ['ftz', 'pairwise'],
    flags: { WEBGPU_CPU_FORWARD: false },
    load: loadWebgpu,
    hint: 'install @tensorflow/tfjs-backend-webgpu; in Node also webgpu, and a Vulkan driver (Debian: libvulkan1, and without a GPU chromium-common for its SwiftShader)',
  },
  webgl: { ...webgl, facets: ['ftz', 'pairwise'] },
  'webgl-f16': {
    ...webgl,
    facets: ['ftz', 'pairwise', 'storage:f16'],
    flags: { ...webgl.flags, WEBGL_FORCE_F16_TEXTURES: true },
    isIt: () => !hasFloat32(),
    hint: 'it needs WebGL with textures of 16-bit floats',
  },
};

/** In the order in which `openAuto` prefers them. */
export const backendNames: readonly BackendName[] = Object.keys(table) as BackendName[];

/** Those that run here, in Node or in a browser. */
export function backendsHere(): readonly BackendName[] {
  const host: Host = tf.env().getBool('IS_NODE') ? 'node' : 'browser';
  return backendNames.filter((name) => table[name].hosts.includes(host));
}

/** What is open, by its name in `tf`. */
const open = new Map<string, BackendName>();

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
  const { registered, facets, flags = {}, load, isIt = () => true, hint } = table[name];
  silenceAdvice();
  try {
    if (!backendsHere().includes(name)) throw new NotInstalled(`it runs in ${table[name].hosts.join(' and ')} only`);
    const version = await load();
    const other = open.get(registered);
    if (other !== undefined && other !== name) throw new Error(`"${other}" is open, which excludes it`);
    for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
    if (!(await tf.setBackend(registered))) throw new Error('tf.setBackend refused it');
    open.set(registered, name);
    if (!(await isIt())) throw new Error('what has opened is another variant');
    await selfTest();
    return { name, version, facets, tf, use: () => use(registered) };
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

/**
 * The first of `names`, by default of all that run here, that works, and why those before it were passed over.
 *
 * @throws BackendError if none does; TypeError, RangeError for names that are none
 */
export async function openAuto(
  names: readonly BackendName[] = backendsHere(),
): Promise<{ backend: OpenBackend; passedOver: PassedOver[] }> {
  if (!Array.isArray(names)) throw new TypeError(`openAuto: "names" expected an array, got ${shown(names)}`);
  if (names.length === 0) throw new RangeError('openAuto: "names" expected at least one name, got []');
  const passedOver: PassedOver[] = [];
  let last: unknown;
  for (const name of names) {
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

/** `tf.setBackend` is asynchronous only for a backend that was never used, and every open one was. */
function use(registered: string): void {
  if (tf.getBackend() !== registered) void tf.setBackend(registered);
}

async function loadWasm(): Promise<string> {
  const { version_wasm } = await installed('@tensorflow/tfjs-backend-wasm', import('@tensorflow/tfjs-backend-wasm'));
  return `tfjs-backend-wasm ${version_wasm}`;
}

/** Where there is no `navigator.gpu` the package registers nothing, now or later: so that comes first. */
async function loadWebgpu(): Promise<string> {
  if (tf.env().getBool('IS_NODE')) await (await import('./node.ts')).provideWebgpu();
  else if ((globalThis as { navigator?: { gpu?: object } }).navigator?.gpu === undefined) {
    throw new NotInstalled('the browser has no navigator.gpu');
  }
  await installed('@tensorflow/tfjs-backend-webgpu', import('@tensorflow/tfjs-backend-webgpu'));
  return `tfjs-backend-webgpu ${tf.version_core}`;
}

async function installed<T>(name: string, module: Promise<T>): Promise<T> {
  try {
    return await module;
  } catch (error) {
    throw isMissing(name, error) ? new NotInstalled(`${name} is not installed`, { cause: error }) : error;
  }
}

/** Keeps tfjs' cpu backend from advising tfjs-node at its first tensor: which backend runs is said by the caller. */
function silenceAdvice(): void {
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu?.firstUse) cpu.firstUse = false;
}

/** A pool forward and backward, and a matrix product, on numbers for which every right answer is exact. */
async function selfTest(): Promise<void> {
  const tensors = tf.tidy(() => {
    const x = tf.tensor2d([-1, 2, 0.5, 0], [2, 2]);
    const alpha = tf.tensor2d([0.75, 0.5, 0.25, 0.5], [2, 2]);
    const dy = tf.tensor2d([1, -2, 4, 8], [2, 2]);
    const { value, grads } = tf.valueAndGrads((v, a) => activationPool(v, a))([x, alpha], dy);
    return [value, ...grads, tf.matMul(x, alpha)];
  });
  const expected = {
    y: [0, 1.5, 0.625, 0],
    dx: [0, -1, 3, 0],
    dalpha: [2, -4, 4, -2],
    matMul: [-0.25, 0.5, 0.375, 0.25],
  };
  try {
    for (const [i, [what, values]] of Object.entries(expected).entries()) check(what, await tensors[i].data(), values);
  } finally {
    tf.dispose(tensors);
  }
}

function check(what: string, actual: ArrayLike<number>, expected: readonly number[]): void {
  if (!expected.every((value, i) => value === actual[i]) || actual.length !== expected.length) {
    const came = Array.from(actual).join(', ');
    throw new Error(`self-test: ${what} expected [${expected.join(', ')}], got [${came}]`);
  }
}
