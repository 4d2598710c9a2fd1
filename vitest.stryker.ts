import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The tests that Stryker runs for each change: those of the reference and of the gradient check, few Cases each. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['reference/*.test.ts', 'properties/gradcheck/*.test.ts'],
    testTimeout: 60_000,
    env: { POOLPROOF_ATTACK: '0.1' },
  },
});

export default config;
