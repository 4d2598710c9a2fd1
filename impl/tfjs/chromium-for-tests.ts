/** How tests and benchmarks start Chromium, and serve the pages that it opens. */

/** Debian's, unless given. */
export const chromium: string = process.env.POOLPROOF_CHROMIUM ?? '/usr/bin/chromium';

/** Why nothing runs in it. */
export const noChromium: string = `there is no ${chromium} (Debian: chromium; or POOLPROOF_CHROMIUM)`;

export const launchOptions: { executablePath: string; chromiumSandbox: boolean; args: string[] } = {
  executablePath: chromium,
  chromiumSandbox: false,
  // SwiftShader stands in for a GPU, for WebGL as for WebGPU; the rest keeps Chromium from calling home.
  args: [
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--enable-unsafe-webgpu',
    '--enable-features=Vulkan',
    '--use-webgpu-adapter=swiftshader',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** What isolates a page, which threads need, and clocks that are finer than 0.1 ms. */
export const isolated: Record<string, string> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** What Vite has to bundle before the first page asks for it. */
export const bundled: string[] = [
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  'fast-check',
];
