import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { conformanceProjects } from './vitest.conformance.ts';

const config: ViteUserConfig = defineConfig({
  test: {
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
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      ...conformanceProjects,
    ],
  },
});

export default config;
