import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import type { TestProjectConfiguration } from 'vitest/config';
import { bundled, chromium, isolated, launchOptions, noChromium } from './impl/tfjs/chromium-for-tests.ts';
import { requiredTargets, type Target, targets } from './impl/tfjs/targets-for-tests.ts';

/** What a project tells the one test file that all of them run. */
export interface Conformance {
  readonly target: Target;
  /** Cases of each law and kind. */
  readonly runs: number;
  /** The same for stock ops, of which there are many. */
  readonly stockRuns: number;
  /** POOLPROOF_BACKENDS names it: it must be there. */
  readonly required: boolean;
  /** Why it can't run, known before it is tried. */
  readonly absent?: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    conformance: Conformance;
  }
}

const required = requiredTargets();

const test = {
  include: ['impl/tfjs/conformance.test.ts', 'impl/tfjs/stock-ops.test.ts'],
  testTimeout: 300_000,
  hookTimeout: 60_000,
};

function conformance(target: Target, absent?: string): Conformance {
  const runs = Number(process.env.POOLPROOF_CONFORMANCE ?? 20);
  // GPU backends compile a program for each shape.
  const stockRuns = Number(process.env.POOLPROOF_STOCK ?? (target.includes('webg') ? 2 : 3));
  return { target, runs, stockRuns, required: required.includes(target), ...(absent !== undefined && { absent }) };
}

function inNode(target: Target, absent?: string): TestProjectConfiguration {
  return {
    test: {
      ...test,
      name: target,
      setupFiles: ['./vitest.coverage.ts'],
      provide: { conformance: conformance(target, absent) },
    },
  };
}

/** One page for each target; threads need the headers that isolate it. */
function inChromium(name: string, names: readonly Target[], headers = {}): TestProjectConfiguration {
  return {
    server: { headers },
    optimizeDeps: { include: bundled },
    test: {
      ...test,
      name,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        // Vite bundles what a page imports first, which takes more than the minute that is the default on a busy machine.
        connectTimeout: 600_000,
        provider: playwright({ launchOptions }),
        instances: names.map((target) => ({
          browser: 'chromium' as const,
          name: target,
          provide: { conformance: conformance(target) },
        })),
      },
    },
  };
}

const ofChromium = targets.filter((target) => target.startsWith('chromium:'));
const ofThreads = ofChromium.filter((target) => target.endsWith('-threads'));
const others = ofChromium.filter((target) => !ofThreads.includes(target));

/** A project for each target; one whose browser is not there is a project in Node that says so. */
export const conformanceProjects: TestProjectConfiguration[] = [
  ...targets.filter((target) => !ofChromium.includes(target)).map((target) => inNode(target)),
  ...(existsSync(chromium)
    ? [inChromium('chromium', others), inChromium('chromium, isolated', ofThreads, isolated)]
    : ofChromium.map((target) => inNode(target, noChromium))),
];
