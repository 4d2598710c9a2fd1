/** Writes what is generated in docs/. Run from the project's folder: npm run docs */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { laws } from '../properties/laws.ts';
import { curvesSvg } from './curves.ts';
import { findings, versions } from './findings.ts';
import { findingsPage } from './findings-page.ts';
import { lawsPage } from './laws-page.ts';

writeFileSync(join('docs', 'laws.md'), lawsPage(laws));
writeFileSync(join('docs', 'curves.svg'), curvesSvg());
writeFileSync(join('docs', 'findings.md'), findingsPage(findings, versions));
