import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { availableBackends } from './available-for-tests.ts';
import { BackendError, type BackendName, backendNames, backendsHere, openAuto, openBackend } from './backends.ts';

/** Runs `act` while the matrix product of these backends answers zeros. */
async function withWrongMatMul<T>(names: readonly BackendName[], act: () => Promise<T>): Promise<T> {
  const kernels = names.flatMap((backendName) => tf.getKernel('BatchMatMul', backendName) ?? []);
  for (const kernel of kernels) {
    tf.unregisterKernel(kernel.kernelName, kernel.backendName);
    tf.registerKernel({ ...kernel, kernelFunc: ({ inputs }) => tf.zerosLike(inputs.a as tf.Tensor) });
  }
  try {
    return await act();
  } finally {
    for (const kernel of kernels) {
      tf.unregisterKernel(kernel.kernelName, kernel.backendName);
      tf.registerKernel(kernel);
    }
  }
}

/** backends.ts as it is where requiring tfjs-node fails like this. */
async function withNativeFailing(error: Error): Promise<typeof import('./backends.ts')> {
  vi.resetModules();
  vi.doMock('node:module', () => ({
    createRequire: () => () => {
      throw error;
    },
  }));
  return await import('./backends.ts');
}

afterEach(() => {
  vi.doUnmock('node:module');
  vi.resetModules();
});

const available = await availableBackends();

describe('openBackend', () => {
  it.each(available)('opens $name and makes it current, again by use()', async ({ name }) => {
    const before = tf.memory().numTensors;
    const backend = await openBackend(name);
    expect(backend.tf).toBe(tf);
    expect(tf.getBackend()).toBe(name);
    expect(backend.version).toMatch(/^tfjs\S* 4\.\d+\.\d+/);
    await openBackend('cpu');
    backend.use();
    expect(tf.getBackend()).toBe(name);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('does not advise another backend', async () => {
    const warn = vi.spyOn(console, 'warn');
    await openBackend('cpu');
    tf.dispose(tf.zeros([2]));
    expect(warn).not.toHaveBeenCalled();
  });

  it('always has cpu and wasm, which npm installs', () => {
    expect(available.map(({ name }) => name)).toEqual(expect.arrayContaining(['wasm', 'cpu']));
  });

  it('says that a backend is broken when it computes wrongly', async () => {
    const error = await withWrongMatMul(['cpu'], () => openBackend('cpu').catch((e: unknown) => e));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ backend: 'cpu', state: 'broken' });
    expect((error as Error).message).toContain(
      'self-test: matMul expected [-0.25, 0.5, 0.375, 0.25], got [0, 0, 0, 0]',
    );
  });

  it('tells absent from broken, and what to do', async () => {
    const missing = new Error("Cannot find module '@tensorflow/tfjs-node'\nRequire stack:");
    const absent = await withNativeFailing(Object.assign(missing, { code: 'MODULE_NOT_FOUND' }));
    await expect(absent.openBackend('tensorflow')).rejects.toMatchObject({
      state: 'absent',
      message: expect.stringContaining('npm run setup:native'),
    });
    const inner = new Error("Cannot find module '@mapbox/node-pre-gyp'");
    const broken = await withNativeFailing(Object.assign(inner, { code: 'MODULE_NOT_FOUND' }));
    await expect(broken.openBackend('tensorflow')).rejects.toMatchObject({
      state: 'broken',
      message: expect.stringContaining(inner.message),
    });
  });

  it('says that a backend of browsers is absent in Node', async () => {
    await expect(openBackend('webgl')).rejects.toMatchObject({
      state: 'absent',
      message: expect.stringContaining('it runs in browser only'),
    });
  });

  it('says that webgpu is absent where Vulkan has no driver, and what to do', async () => {
    vi.doMock('webgpu', () => ({ create: () => ({ requestAdapter: async () => null }), globals: {} }));
    const fresh = await import('./backends.ts');
    await expect(fresh.openBackend('webgpu').then(() => 'opened')).rejects.toMatchObject({
      state: 'absent',
      message: expect.stringMatching(/Vulkan has found no driver.*libvulkan1/),
    });
    vi.doUnmock('webgpu');
  });

  const wordless = {
    toString() {
      throw new Error('no text');
    },
  };
  it.each<[unknown, string, ErrorConstructor]>([
    ['opengl', '"opengl"', RangeError],
    ['toString', '"toString"', RangeError],
    [1n, '1', TypeError],
    [wordless, '{}', TypeError],
    [Symbol('a'), 'Symbol(a)', TypeError],
    [undefined, 'undefined', TypeError],
  ])('refuses a name that is none', async (name, came, Kind) => {
    await expect(openBackend(name as BackendName)).rejects.toThrow(
      new Kind(`openBackend: "name" expected ${backendNames.join(', ')}, got ${came}`),
    );
    await expect(openBackend(name as BackendName)).rejects.toThrow(Kind);
  });
});

describe('openAuto', () => {
  it('takes the first that works and says what became of those before it', async () => {
    const { backend, passedOver } = await openAuto();
    expect(backend.name).toBe(available[0].name);
    expect([...passedOver.map(({ name }) => name), backend.name]).toEqual(
      backendsHere().slice(0, backendsHere().indexOf(backend.name) + 1),
    );
  });

  it('passes over what loads but fails its self-test', async () => {
    const { backend, passedOver } = await withWrongMatMul(['tensorflow', 'wasm'], () => openAuto());
    expect(backend.name).toBe('cpu');
    expect(passedOver.map(({ name }) => name)).toEqual(['tensorflow', 'wasm']);
    const states = passedOver.filter(({ name }) => available.some((open) => open.name === name));
    expect(states.length).toBeGreaterThan(0);
    for (const { state, reason } of states) {
      expect(state).toBe('broken');
      expect(reason).toContain('self-test: matMul');
    }
  });

  it('names the argument that is wrong', async () => {
    const empty = 'openAuto: "names" expected at least one name, got []';
    await expect(openAuto([])).rejects.toEqual(new RangeError(empty));
    const text = 'openAuto: "names" expected an array, got "cpu"';
    await expect(openAuto('cpu' as unknown as BackendName[])).rejects.toEqual(new TypeError(text));
  });

  it('throws when none works', async () => {
    const names = available.map(({ name }) => name);
    const broken = withWrongMatMul(names, () => openAuto(names).then(() => 'opened'));
    await expect(broken).rejects.toBeInstanceOf(BackendError);
  });
});

describe('availableBackends', () => {
  it('fails for an expected backend that does not open, and only for that', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await expect(withWrongMatMul(['wasm'], () => availableBackends('cpu, wasm'))).rejects.toMatchObject({
      backend: 'wasm',
    });
    const open = await withWrongMatMul(['wasm'], () => availableBackends('cpu'));
    expect(open.map(({ name }) => name)).toEqual(available.map(({ name }) => name).filter((name) => name !== 'wasm'));
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('not tested: backend "wasm" is broken'));
    warn.mockRestore();
  });

  it('refuses a name that is none', async () => {
    await expect(availableBackends('cpu,native')).rejects.toThrow(
      'POOLPROOF_BACKENDS: expected names among cpu, wasm, tensorflow, webgpu, chromium:webgl',
    );
  });
});
