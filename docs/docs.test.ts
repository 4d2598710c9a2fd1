import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withTable } from '../bench/figures.ts';
import { laws } from '../properties/laws.ts';
import { benchmarksPage, readBenchmarks } from './benchmarks-page.ts';
import { curvesSvg } from './curves.ts';
import { findings, versions } from './findings/findings.ts';
import { findingsPage } from './findings/page.ts';
import { lawsPage } from './laws-page.ts';
import { resultsFiles } from './results-files.ts';

const benchmarks = readBenchmarks(import.meta.dirname);

it.each([
  ['laws.md', lawsPage(laws)],
  ['curves.svg', curvesSvg()],
  ['findings.md', findingsPage(findings, versions)],
  ['benchmarks.md', benchmarksPage(benchmarks)],
])('%s is what "npm run docs" writes', (file, expected) => {
  expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toBe(expected);
});

it('the report on the claims is what the rows in experiments/results give, every verdict and figure', () => {
  const files = resultsFiles(join(import.meta.dirname, '..'));
  for (const [file, expected] of files) {
    // Not by toBe, which would print pages.
    expect([file, readFileSync(join(import.meta.dirname, file), 'utf8') === expected]).toEqual([file, true]);
    expect(expected.match(/.{0,40}(?:undefined|NaN).{0,40}/)?.[0], file).toBeUndefined();
  }
  const folder = join(import.meta.dirname, 'results');
  const figures = existsSync(folder) ? readdirSync(folder).map((name) => `results/${name}`) : [];
  expect(figures.sort()).toEqual([...files.keys()].filter((file) => file.startsWith('results/')).sort());
});

it('the page of laws holds every law, once', () => {
  const rows = lawsPage(laws).match(/^\| `[^`]+` \|/gm);
  expect(rows?.length).toBe(laws.length);
});

it('the table of docs/gradcheck.md is what docs/benchmarks/gradcheck.json gives', () => {
  const page = readFileSync(new URL('gradcheck.md', import.meta.url), 'utf8');
  expect(withTable(page, benchmarks.gradcheck)).toBe(page);
  expect(() => withTable('', benchmarks.gradcheck)).toThrow('expected the page to hold');
});

it('a finding has an id of its own, and a snippet of at most ten lines that is wrong somewhere', () => {
  expect(new Set(findings.map(({ id }) => id)).size).toBe(findings.length);
  for (const { snippet, right, wrong } of findings) {
    expect(snippet.split('\n').length).toBeLessThanOrEqual(10);
    expect(Object.values(wrong)).not.toContain(right);
    expect(Object.keys(wrong)).not.toEqual([]);
  }
});

it('the page of benchmarks says which backends were not measured', () => {
  const [row, ...rows] = benchmarks.kernels.rows;
  const named = { ...benchmarks, kernels: { ...benchmarks.kernels, rows: [row], absent: { webgpu: 'no driver' } } };
  const page = benchmarksPage(named);
  expect(page).toContain('webgpu was absent (no driver).');
  expect(page).toContain(row.on);
  expect(page).toMatch(/Not measured yet: [^.]*chromium:webgl, /);
  expect(page).not.toMatch(/Not measured yet: [^.]*[ ,]webgpu/);
  expect(rows.length).toBeGreaterThan(0);
});
