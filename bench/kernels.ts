/** Measures the kernels on every backend, in Node and in Chromium. Run by npm run bench. */
import type { BackendName } from '../impl/tfjs/backends.ts';
import { targets } from '../impl/tfjs/targets-for-tests.ts';
import { openChromium } from './chromium.ts';
import { type KernelLayer, type KernelRow, measureKernels } from './kernel-rows.ts';
import { kernelsSection } from './kernels-page.ts';
import { thisMachine, writeFigures } from './run.ts';

const image = [32, 14, 14, 64] as const;
const layers: readonly KernelLayer[] = [
  { shape: [128, 512], sharing: 'unit' },
  { shape: [1024, 1024], sharing: 'unit' },
  { shape: image, sharing: 'channel' },
  { shape: image, sharing: 'layer' },
  // Axes by turns shared and not, which the kernels see only after a transpose.
  { shape: image, sharing: { sharedAxes: [2] } },
];
const rounds = Number(process.env.POOLPROOF_ROUNDS ?? 25);

const rows: KernelRow[] = [];
const absent: Record<string, string> = {};
const versions: Record<string, string> = { node: process.versions.node };
const chromium = await openChromium();
if (chromium.version !== undefined) versions.chromium = chromium.version;
for (const target of targets) {
  const name = target.replace('chromium:', '') as BackendName;
  const measure = name === target ? measureKernels : chromium.measureKernels;
  const measured = await measure(name, target, rounds, layers);
  if ('absent' in measured) {
    absent[target] = measured.absent;
    console.log(`${target} is absent: ${measured.absent}`);
  } else {
    versions[target] = measured.version;
    rows.push(...measured.rows);
  }
}
await chromium.close();

const figures = { rounds, machine: thisMachine(), versions, absent, rows };
writeFigures('kernels', figures);
console.log(kernelsSection(figures));
