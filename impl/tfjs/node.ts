/** What the backends of Node need of Node; loaded only there. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { isMissing, NotInstalled } from './not-installed.ts';

/** tfjs-node as installed, else as `scripts/setup-native.sh` builds it into `.native/`; returns its version. */
export async function loadNative(): Promise<string> {
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
      if (!isMissing('@tensorflow/tfjs-node', error)) failure ??= error;
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

/** Where Debian's chromium-common puts SwiftShader, a Vulkan driver in software. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Gives Node the `navigator.gpu` of a browser, by npm's `webgpu` (Dawn) and Vulkan: a GPU's driver, else SwiftShader. */
export async function provideWebgpu(): Promise<void> {
  const host = globalThis as { navigator?: { gpu?: unknown } };
  if (host.navigator?.gpu !== undefined) return;
  // Added to the drivers of the machine, not put in their place. Read when Dawn loads Vulkan.
  if (existsSync(swiftShader)) process.env.VK_ADD_DRIVER_FILES ??= swiftShader;
  let webgpu: typeof import('webgpu');
  try {
    webgpu = await import('webgpu');
  } catch (error) {
    if (isMissing('webgpu', error)) throw new NotInstalled('webgpu is not installed', { cause: error });
    throw error;
  }
  const gpu = webgpu.create([]);
  if ((await gpu.requestAdapter()) === null) throw new NotInstalled('Vulkan has found no driver');
  Object.assign(host, webgpu.globals);
  // Node has a navigator, without a setter, from version 21 on.
  if (host.navigator === undefined) host.navigator = {};
  Object.defineProperty(host.navigator, 'gpu', { value: gpu, configurable: true });
}
