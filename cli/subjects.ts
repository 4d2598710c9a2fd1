import { readFileSync } from 'node:fs';
import type { BackendName } from '../impl/tfjs/backends.ts';
import { referenceSubject } from '../properties/reference-subject.ts';
import type { Subject } from '../reference/subject.ts';

/** What `--backend` takes: the float64 reference, or a TensorFlow.js backend in Node. */
export type SubjectName = 'reference' | Extract<BackendName, 'cpu' | 'wasm' | 'tensorflow' | 'webgpu'>;

/** In the order of the columns of reports. */
export const subjectNames: readonly SubjectName[] = ['reference', 'cpu', 'wasm', 'tensorflow', 'webgpu'];

export interface OpenSubject {
  readonly subject: Subject;
  readonly version: string;
}

/** A Subject that can't be asked: not installed, or it does not load or compute as it should. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
  readonly state: 'absent' | 'broken';

  constructor(state: 'absent' | 'broken', reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.state = state;
  }
}

/** poolproof's own version. */
export const version: string = readVersion();

/** The one place that joins names to Subjects. A backend is loaded when it is asked for. @throws Unavailable */
export async function openSubject(name: SubjectName): Promise<OpenSubject> {
  if (name === 'reference') return { subject: referenceSubject, version: `poolproof ${version}` };
  const { BackendError, openBackend, tfjsSubject } = await loadTfjs();
  try {
    const backend = await openBackend(name);
    return { subject: tfjsSubject(backend), version: backend.version };
  } catch (error) {
    if (error instanceof BackendError) throw new Unavailable(error.state, error.message, { cause: error });
    throw error;
  }
}

/** `impl/tfjs`, whose TensorFlow.js is a peer that need not be installed. @throws Unavailable */
export async function loadTfjs(): Promise<typeof import('../impl/tfjs/index.ts')> {
  try {
    return await import('../impl/tfjs/index.ts');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'@tensorflow/tfjs'")) throw error;
    throw new Unavailable('absent', '@tensorflow/tfjs is not installed; npm install @tensorflow/tfjs', {
      cause: error,
    });
  }
}

/** From package.json, which lies one folder above the sources and two above the compiled files. */
function readVersion(): string {
  for (const above of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(above, import.meta.url), 'utf8')).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('poolproof: no package.json above the command line');
}
