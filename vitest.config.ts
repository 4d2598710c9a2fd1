import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { conformanceProjects } from './vitest.conformance.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    // Besides the pages in Chromium, which end first: one alone, the default on two cores, left a core idle for minutes.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            'node_modules/**',
            'dist/**',
            '.native/**',
            '.stryker-tmp/**',
            'impl/tfjs/conformance.test.ts',
            'impl/tfjs/stock-ops.test.ts',
          ],
          setupFiles: ['./vitest.coverage.ts'],
          // A minute is not enough for some on a busy machine a third as fast as most.
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      ...conformanceProjects,
    ],
  },
});

export default config;
