import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * The tests that Stryker runs for each change, few Cases each. Those of the files that are named by STRYKER_TESTS are
 * enough for most of the checker, and load faster.
 */
const tests = process.env.STRYKER_TESTS?.split(',') ?? ['reference/*.test.ts', 'properties/gradcheck/*.test.ts'];

const config: ViteUserConfig = defineConfig({
  test: {
    include: tests,
    testTimeout: 60_000,
    env: { POOLPROOF_ATTACK: '0.1' },
  },
});

export default config;
