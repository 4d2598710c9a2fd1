import { existsSync } from 'node:fs';
import { chromium as browsers } from 'playwright';
import { createViteServer } from 'vitest/node';
import { bundled, chromium, isolated, launchOptions, noChromium } from '../impl/tfjs/chromium-for-tests.ts';
import type { KernelRows, measureKernels } from './kernel-rows.ts';

/** Chromium, as the tests start it. */
export interface Chromium {
  /** None where it is absent. */
  readonly version?: string;
  /** In a page of its own, since two variants of a backend can't both be open. */
  readonly measureKernels: typeof measureKernels;
  close(): Promise<void>;
}

/** Pages are served from the project's folder, by Vite as for the tests. */
export async function openChromium(): Promise<Chromium> {
  if (!existsSync(chromium)) return { measureKernels: async () => ({ absent: noChromium }), close: async () => {} };
  const server = await createViteServer({
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, headers: isolated },
    optimizeDeps: { include: bundled },
    plugins: [
      {
        name: 'an empty page',
        configureServer: ({ middlewares }) => {
          middlewares.use('/empty', (_request, response) => {
            for (const [header, value] of Object.entries(isolated)) response.setHeader(header, value);
            response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
          });
        },
      },
    ],
  });
  await server.listen();
  const browser = await browsers.launch(launchOptions);
  return {
    version: browser.version(),
    async measureKernels(...args) {
      const page = await browser.newPage();
      await page.goto(`${server.resolvedUrls!.local[0]}empty`);
      const script = `import('/bench/page.ts').then((page) => page.measureKernels(...${JSON.stringify(args)}))`;
      const rows = await page.evaluate<KernelRows>(script);
      await page.close();
      return rows;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
