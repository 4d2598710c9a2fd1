import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nasty, texts } from '../../certification/report-for-tests.ts';
import { noise, rowOf, rowsOf } from '../claims/rows-for-tests.ts';
import { convnet, surfaceProtocols } from '../convnet-protocol.ts';
import { experiments } from '../experiments.ts';
import { activations, isOfMap, protocols, startProtocols } from '../protocols.ts';
import { type GradientRow, hashOf, type Row, type SurfaceRow } from '../trial.ts';
import { anchorOf, type Block, spansOf } from './block.ts';
import { measuredOf, readMeasured } from './evidence.ts';
import { reportFiles } from './files.ts';
import { html } from './html.ts';
import { markdown } from './markdown.ts';
import { resultsPage } from './page.ts';
import { progressOf } from './plan.ts';
import { triedIn } from './tried.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-report-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const offsets = [-1, 0, 1];

/** A network with surfaces in the shape of a bowl. */
function networkOf(activation: string, seed: number): SurfaceRow {
  const { epochs: _, stepMs: __, gradients: ___, coefficients: ____, ...common } = rowOf('small', 'relu', seed);
  const weight = { layer: 'conv1', index: 3, norm: 1 };
  return {
    ...common,
    protocol: 'convnet',
    activation,
    hash: hashOf({ ...convnet, activation: experiments.landscape.activations.get(activation)! }),
    test: { loss: 1.5, accuracy: 0.5 },
    offsets,
    surfaces: [{ weights: [weight, weight], losses: offsets.map((x) => offsets.map((y) => 1 + x * x + 0.5 * y * y)) }],
  };
}

/** Of a network that is not trained. */
function gradientOf(activation: string, seed: number): GradientRow {
  const { epochs: _, stepMs: __, coefficients: ___, ...row } = rowOf('small', 'relu', seed);
  const [[protocol, it]] = [...startProtocols] as [[string, object]];
  return { ...row, protocol, activation, hash: hashOf({ ...it, activation: activations.get(activation)! }) };
}

const levels = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1];

/** Rows of every kind, so that every figure is drawn. */
const everything: readonly Row[] = [
  ...['relu', 'pap'].flatMap((name) =>
    rowsOf('author-2016', name, 6, (seed) => ({
      loss: 0.1 + 0.01 * noise(seed),
      coefficients: name === 'relu' ? [] : [{ quantiles: { relu: levels, step: levels, sum: levels }, off: 0.1 }],
    })),
  ),
  ...['relu', 'mrelu-0.8', 'mrelu-0.5'].flatMap((name) =>
    rowsOf('batch-128/rate-0.35', name, 3, (seed) => ({
      gradients: [seed],
      epochs: [0.5, 0.2 + 0.01 * noise(seed), 0.3].map((loss) => ({ loss, accuracy: 0.95, trainLoss: loss })),
    })),
  ),
  ...['relu', 'pap'].flatMap((name) => [networkOf(name, 1), networkOf(name, 2)]),
  ...['relu', 'mrelu-0.8'].map((name) => gradientOf(name, 1)),
];

describe('the files', () => {
  const files = reportFiles(measuredOf(everything));

  it('hold every figure that the page names, drawn alone', () => {
    const named = [...files.get('results.md')!.matchAll(/\]\((results\/[^)]+\.svg)\)/g)].map(([, name]) => name);
    expect(named.toSorted()).toEqual([...files.keys()].filter((name) => name.endsWith('.svg')).toSorted());
    expect(named.length).toBe(11);
    for (const name of named) {
      const svg = files.get(name)!;
      expect(svg).toMatch(/^<svg style="[^"]*" xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('are one page that asks for nothing else', () => {
    const page = files.get('results.html')!;
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import/);
    const { document } = parseHTML(page);
    expect(document.querySelectorAll('figure > svg').length).toBe(11);
    const anchors = [...document.querySelectorAll('a')].map((a) => a.getAttribute('href')!);
    // Nine claims, what they are of and how it is judged, every cell, mean-loss from elsewhere, and what was tried.
    expect(new Set(anchors).size).toBe(13);
    for (const anchor of anchors) expect(document.querySelector(anchor)).not.toBeNull();
  });

  it('answer first, define every protocol, and fold the long tables away', () => {
    const page = files.get('results.md')!;
    const lines = page.split('\n');
    expect(lines[2]).toMatch(/^Is a PAP better than ReLU\? On the published network, at the published rate of 0\.1, /);
    for (const name of [...protocols.keys(), ...surfaceProtocols.keys()].filter((each) => !isOfMap(each))) {
      expect(page).toContain(`| \`${name}\` | `);
    }
    const visible = page.slice(0, page.indexOf('<details>'));
    expect(visible).not.toContain('| batch-128/rate-0.35 | mean loss');
  });

  it('say how many figures chance may decide wrongly', () => {
    const rows = ['relu', 'pap'].flatMap((name) =>
      rowsOf('author-2016', name, 6, (seed) => ({ loss: 0.1 + 0.01 * noise(seed) })),
    );
    // Four of mnist-table, and one each of mean-loss, consistency and training-time.
    expect(reportFiles(measuredOf(rows)).get('results.md')!).toMatch(
      /Of 7 figures 7 have an interval, and \d are decided\. .* in 2\.5 % of experiments: 0\.175 of these figures/,
    );
  });

  it('give no interval of fewer than five values', () => {
    const rows = ['relu', 'pap'].flatMap((name) => rowsOf('author-2016', name, 3, (seed) => ({ loss: 0.1 * seed })));
    const cells = reportFiles(measuredOf(rows)).get('results.md')!;
    expect(cells).toContain('Each figure: mean loss, pap / relu.');
    expect(cells.replaceAll('\u00a0', ' ')).toContain('| author-2016 | 3 + 3 | 1.00 | ≤ 0.720 |');
    expect(cells).not.toContain('e+308');
  });

  it('are the same for the same rows, whatever was drawn before', () => {
    expect(reportFiles(measuredOf(everything))).toEqual(files);
  });
});

describe('what rows say', () => {
  const tags = (page: string) => [...parseHTML(page).document.querySelectorAll('*')].map(({ tagName }) => tagName);
  const say = (said: string) =>
    measuredOf([{ ...rowOf('small', 'relu', 1), protocol: said, activation: said, backend: said }]);

  it('is text on the page, never markup', () => {
    const plain = (said: string) => tags(html('x', resultsPage(say(said))));
    const expected = plain('x');
    expect(expected).not.toContain('SCRIPT');
    // Backticks and brackets are ours to mark up code and links with, which is harmless.
    const check = (said: string) => {
      expect(plain(said.replaceAll(/[`[\]]/g, ''))).toEqual(expected);
    };
    fc.assert(fc.property(texts, check), { numRuns: 20, examples: nasty.map((text) => [text]) });
    expect(plain('`x` [x](#x)')).not.toContain('SCRIPT');
  }, 120_000);

  it('is no markup in Markdown, and stays in its cell', () => {
    const table: Block = { kind: 'table', head: ['a'], rows: [['<b>|*x*\n_y_ \\']] };
    expect(markdown([table], 'x')).toBe('| a |\n| --- |\n| &lt;b>\\|\\*x\\* \\_y\\_ \\\\ |\n');
    expect(markdown([{ kind: 'list', items: ['a', '*b'] }], 'x')).toBe('1. a\n2. \\*b\n');
    const lines: Block = { kind: 'table', head: ['a'], rows: [[['<b>\n', 'b|']]] };
    expect(markdown([lines], 'x')).toBe('| a |\n| --- |\n| &lt;b> <br>b\\| |\n');
  });
});

it('marks up code and links', () => {
  expect(spansOf('a `b` [c d](#c-d).')).toEqual([
    { kind: 'plain', text: 'a ' },
    { kind: 'code', text: 'b' },
    { kind: 'plain', text: ' ' },
    { kind: 'link', text: 'c d', to: 'c-d' },
    { kind: 'plain', text: '.' },
  ]);
  expect(anchorOf('The claims, again')).toBe('the-claims-again');
});

describe('a folder of results', () => {
  const write = (name: string, ...lines: readonly string[]) => writeFileSync(join(folder, name), lines.join('\n'));

  it('that is empty gives a report without a verdict', () => {
    const page = reportFiles(readMeasured(folder)).get('results.md')!;
    expect(page.match(/\| not measured on /g)?.length).toBe(9);
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it('that is not there is refused by name', () => {
    expect(() => readMeasured(join(folder, 'absent'))).toThrow(/absent: expected a folder of results, there is none/);
  });

  it('with the same trial in two files is refused, naming both', () => {
    for (const name of ['a.ndjson', 'b.ndjson']) write(name, JSON.stringify(rowOf('small', 'relu', 7)), '');
    expect(() => readMeasured(folder)).toThrow(/b\.ndjson: small, relu, seed 7: the same trial is in .*a\.ndjson/);
  });

  it('is read as a whole; an unfinished row is counted, and a folder in it passed over', () => {
    mkdirSync(join(folder, 'small.ndjson.lock.ndjson'));
    write('small.ndjson', JSON.stringify(rowOf('small', 'relu', 1)), '{"proto');
    write('convnet.ndjson', JSON.stringify(networkOf('pap', 1)), '');
    const { rows, networks, surfaces, unfinished } = readMeasured(folder);
    expect([rows.length, networks.length, surfaces.length]).toEqual([1, 1, 1]);
    expect(surfaces[0].measures!.anisotropy).toBeCloseTo(0.5, 9);
    expect([...unfinished]).toEqual([[join(folder, 'small.ndjson'), 7]]);
  });

  it('that is damaged is refused, with the file and the line', () => {
    write('small.ndjson', JSON.stringify(rowOf('small', 'relu', 1)), '{}', '');
    expect(() => readMeasured(folder)).toThrow(/small\.ndjson, line 2: "protocol"/);
  });
});

it('what was tried stands in the order of the registry, what it does not know last', () => {
  const other = rowOf('small', 'relu', 1, { hash: '0123456789abcdef', protocol: 'other' });
  const rows = [other, rowOf('small', 'pap', 1), rowOf('author-2016', 'pap', 1), rowOf('small', 'relu', 1)];
  expect(triedIn(rows).map(({ protocol, activation }) => [protocol, activation])).toEqual([
    ['author-2016', 'pap'],
    ['small', 'relu'],
    ['small', 'pap'],
    ['other', 'relu'],
  ]);
});

it('rows of protocols that are not in the registry are counted, networks too', () => {
  const hash = '0123456789abcdef';
  const rows = [rowOf('small', 'relu', 1, { hash }), { ...networkOf('relu', 1), hash }, networkOf('pap', 1)];
  expect(reportFiles(measuredOf(rows)).get('results.md')).toContain('in no cell above; there are 2.');
});

it('the time of surfaces that are left is that of networks of the same activation', () => {
  const network = (name: string) => ({ ...networkOf(name, 1), seconds: 360 });
  const page = (names: readonly string[]) => reportFiles(measuredOf(names.map(network))).get('results.md')!;
  const all = ['relu', 'mrelu-0.8', 'mrelu-0.5', 'pap', 'pap-0.8'];
  expect(page(all)).toContain('| `npx poolproof reproduce landscape` | 5 of 10 | 30 min |');
  expect(page(all.slice(1))).toContain('| `npx poolproof reproduce landscape` | 4 of 10 | unknown |');
});

it('every command of the plan asks for trials, and names what it does not take by default', () => {
  const commands = progressOf([]).map(({ command }) => command);
  expect(new Set(commands).size).toBe(commands.length);
  expect(commands).toContain('npx poolproof reproduce mnist --activation mrelu-0.8,mrelu-0.5 --trials 5');
  expect(progressOf([]).every(({ asked, done }) => asked > 0 && done === 0)).toBe(true);
});

it('progress counts the trials that are asked for, by their keys', () => {
  const rows = [
    ...rowsOf('small', 'relu', 3, () => ({ loss: 0.2 })),
    rowOf('small', 'relu', 95),
    rowOf('small', 'relu', 4, { hash: '0123456789abcdef' }),
  ];
  const lines = progressOf(rows).flatMap(({ lines }) => lines);
  const small = lines.find(({ protocol, activation }) => protocol === 'small' && activation === 'relu');
  expect(small).toMatchObject({ asked: 94, done: 3, dead: 0, loss: expect.closeTo(0.2, 12) });
});
