/** Writes what is generated in docs/. Run from the project's folder: npm run docs */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTable } from '../bench/figures.ts';
import { laws } from '../properties/laws.ts';
import { benchmarksPage, readBenchmarks } from './benchmarks-page.ts';
import { curvesSvg } from './curves.ts';
import { findings, versions } from './findings/findings.ts';
import { findingsPage } from './findings/page.ts';
import { lawsPage } from './laws-page.ts';
import { resultsFiles } from './results-files.ts';

writeFileSync(join('docs', 'laws.md'), lawsPage(laws));
writeFileSync(join('docs', 'curves.svg'), curvesSvg());
writeFileSync(join('docs', 'findings.md'), findingsPage(findings, versions));

const benchmarks = readBenchmarks('docs');
writeFileSync(join('docs', 'benchmarks.md'), benchmarksPage(benchmarks));
const gradcheck = join('docs', 'gradcheck.md');
writeFileSync(gradcheck, withTable(readFileSync(gradcheck, 'utf8'), benchmarks.gradcheck));

const results = resultsFiles('.');
// Figures of before, of which there may have been more.
rmSync(join('docs', 'results'), { recursive: true, force: true });
mkdirSync(join('docs', 'results'));
for (const [name, content] of results) writeFileSync(join('docs', name), content);
