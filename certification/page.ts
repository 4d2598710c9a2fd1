import * as Plot from '@observablehq/plot';
import { decodeCase } from '../fixtures/case.ts';
import { decodeTensor, type Tensor } from '../fixtures/tensor.ts';
import { caseText } from '../properties/failure-text.ts';
import { againLine } from './again.ts';
import type { Curve } from './curve.ts';
import { diagnosisSentences } from './diagnosis.ts';
import { limits, type WorstElement } from './errors.ts';
import { type Child, htmlPage } from './html.ts';
import {
  type CertificationReport,
  type CheckFailure,
  checkGroupNames,
  checkGroups,
  faultText,
  outcomes,
  rightAloneText,
  shownCapabilities,
  smallestHeading,
  suiteText,
} from './report.ts';

const css = `
:root { color-scheme: light; font: 15px/1.5 system-ui, sans-serif; color: #1f2328; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #d0d7de; padding-bottom: .3rem; }
.verdict { display: inline-block; padding: .2rem .7rem; border-radius: 1rem; color: #fff; font-weight: 600; margin: .8rem 0; }
.conforms { background: #1a7f37; } .fails, .broke { background: #cf222e; } .too, .not { background: #6e7781; }
.muted { color: #57606a; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #eaeef2; vertical-align: top; overflow-wrap: anywhere; }
table.worst { font-size: .8rem; } table.worst td { overflow-wrap: normal; }
th { font-weight: 600; color: #57606a; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
table.counts { width: auto; } table.counts .number { padding-left: 2rem; }
pre { background: #f6f8fa; padding: .8rem; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
.failed { color: #cf222e; font-weight: 600; }
.curves { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } figcaption { color: #57606a; font-size: .85rem; }
.key { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; margin: 0 .35rem 0 1rem; } .key:first-child { margin-left: 0; }
.key.expected { width: 1.4rem; height: .4rem; border-radius: .2rem; background: #afb8c1; vertical-align: .1rem; }
.key.came { background: #0969da; } .key.wrong { background: #cf222e; }
svg { max-width: 100%; height: auto; }
`;

/** `111,454`. */
const exactly = (n: number) => n.toLocaleString('en');

/** `12`, `3k`, `5M`, `9e15`. */
function short(n: number): string {
  if (n < 1000) return String(n);
  if (n < 1e6) return `${Math.round(n / 1000)}k`;
  return n < 1e9 ? `${Math.round(n / 1e6)}M` : n.toExponential(0).replace('+', '');
}

/** `512`, `1k` = 2^10, `1M` = 2^20. */
function binary(n: number): string {
  if (n === Number.POSITIVE_INFINITY) return 'more';
  return n < 1024 ? String(n) : n < 2 ** 20 ? `${n / 1024}k` : `${n / 2 ** 20}M`;
}

/** Ticks of a logarithmic scale that begins at 0. */
const decades = [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/**
 * One self-contained page: verdict, diagnosis, the smallest failure with the curve around it, errors in ulp, worst inputs.
 *
 * Whatever a subject said becomes text, never markup.
 */
export function certificationPage(report: CertificationReport): string {
  const { document, h, text } = htmlPage();
  const { announcement, outcome, profile, seed, suite, checks, elements, failures, smallest, diagnosis } = report;
  const { name, version, language } = announcement?.implementation ?? {
    name: report.command[0],
    version: '',
    language: '',
  };
  const title = `${name} ${version}`.trim();

  const row = (label: string, ...value: Child[]) => h('tr', {}, h('th', {}, label), h('td', {}, ...value));
  const section = (heading: string, ...children: Child[]) => [h('h2', {}, heading), ...children];
  const failure = ({ id, op, note, law, description, case: encoded }: CheckFailure) => [
    h('p', {}, h('strong', {}, `${id}, ${op}`), ` — ${note}; law ${law}`),
    encoded && h('pre', {}, caseText(decodeCase(encoded)).join('\n')),
    h('p', { class: 'failed' }, description),
  ];
  const worst = ({ id, quantity, index, numbers, ulps, share }: WorstElement) => {
    const [actual, expected, lo, hi] = decodeTensor('numbers', numbers).values;
    return h(
      'tr',
      {},
      h('td', {}, id),
      h('td', {}, `${quantity}[${index.join(', ')}]`),
      h('td', {}, String(actual)),
      h('td', {}, String(expected)),
      h('td', {}, lo === hi ? `exactly ${lo}` : `[${lo}, ${hi}]`),
      h('td', { class: 'number' }, ulps === null ? '∞' : short(ulps)),
      h('td', { class: 'number' }, share === null || share > 1 ? 'wrong' : `${(100 * share).toFixed(0)} %`),
    );
  };

  const parts: Child[] = [
    h('h1', {}, title),
    language && h('div', { class: 'muted' }, language),
    h('div', { class: `verdict ${outcome.split(' ')[0]}` }, outcomes[outcome].text),
    h(
      'table',
      { class: 'counts' },
      h('tr', {}, h('th', {}), h('th', { class: 'number' }, 'passed'), h('th', { class: 'number' }, 'failed')),
      checkGroups
        .filter((group) => checks[group].passed + checks[group].failed > 0)
        .map((group) => {
          const { passed, failed } = checks[group];
          return h(
            'tr',
            {},
            h('th', {}, checkGroupNames[group]),
            h('td', { class: 'number' }, exactly(passed)),
            h('td', { class: failed > 0 ? 'number failed' : 'number' }, exactly(failed)),
          );
        }),
    ),
    h(
      'p',
      { class: 'muted' },
      `${exactly(elements.compared)} elements compared, ${exactly(elements.open)} left open, ${exactly(elements.vacuous)} vacuous. `,
      `Asked: ${suiteText(suite)}, profile ${profile}, seed ${seed}.${report.only === undefined ? '' : ` Asked alone: ${report.only.join(', ')}.`}`,
    ),
    report.missing.length > 0
      ? h('p', { class: 'failed' }, `The profile needs what was not announced: ${report.missing.join(', ')}.`)
      : undefined,
  ];
  if (report.faults.length > 0 || report.ended !== undefined) {
    parts.push(
      section(
        'Faults',
        report.ended && h('p', { class: 'failed' }, report.ended),
        report.faults.map((fault) => [h('p', {}, faultText(fault)), fault.stderr && h('pre', {}, fault.stderr)]),
      ),
    );
  }
  if (diagnosis !== undefined) {
    const [verdict, ...rest] = diagnosisSentences(diagnosis);
    parts.push(
      section(
        'Diagnosis',
        h('p', {}, verdict),
        rest.map((sentence) => h('p', { class: 'muted' }, sentence)),
      ),
    );
  }
  if (smallest !== undefined) parts.push(section(smallestHeading(smallest), failure(smallest)));
  if (report.rightAlone !== undefined) parts.push(h('p', {}, `${rightAloneText(report.rightAlone)}.`));
  const again = againLine(report);
  if (again !== undefined) parts.push(h('p', { class: 'muted' }, 'Asked again by'), h('pre', {}, again));
  if (report.curve !== undefined) parts.push(section('Around it', curves(report.curve)));
  if (failures.length > 0) {
    const [first, ...more] = [0, 1, 2, 3, 4].flatMap((k) => failures[k] ?? []);
    parts.push(section('Failures', [first, ...more].map(failure)));
    const rest = checkGroups.reduce((sum, group) => sum + checks[group].failed, 0) - 1 - more.length;
    if (rest > 0) parts.push(h('p', { class: 'muted' }, `and ${exactly(rest)} more`));
  }
  if (elements.compared > 0) parts.push(section('Errors', histogram(report.errors.histogram)));
  if (report.errors.worst.length > 0) {
    parts.push(
      section(
        'Worst inputs',
        h('p', { class: 'muted' }, 'Of each case the element whose error is the largest share of what is allowed.'),
        h(
          'table',
          { class: 'worst' },
          h(
            'tr',
            {},
            ['case', 'element', 'actual', 'expected', 'allowed'].map((text) => h('th', {}, text)),
            h('th', { class: 'number' }, 'ulp'),
            h('th', { class: 'number' }, 'share'),
          ),
          report.errors.worst.map(worst),
        ),
      ),
    );
  }
  if (announcement !== undefined) {
    const lacking = Object.entries(report.lacking).map(([lack, n]) => `${lack} (${n})`);
    parts.push(
      section(
        'Announced',
        h(
          'table',
          {},
          shownCapabilities.map((part) => row(part, announcement.capabilities[part].join(', ') || 'none')),
          lacking.length > 0 ? row('not announced, so not asked', lacking.join(', ')) : undefined,
        ),
      ),
    );
  }
  parts.push(
    h(
      'p',
      { class: 'muted' },
      `poolproof ${report.poolproof}, ${(report.milliseconds / 1000).toFixed(1)} s, exit code ${report.exitCode}`,
    ),
  );
  return text(`poolproof: ${outcome}`, css, parts);

  function histogram(counts: readonly number[]): Child {
    const last = counts.findLastIndex((n) => n > 0);
    const label = (k: number) => binary(limits[k]);
    const shown = counts.slice(0, Math.max(last, 3) + 1).map((n, k) => ({ error: label(k), elements: n }));
    return h(
      'figure',
      {},
      Plot.plot({
        document,
        width: 868,
        height: 280,
        marginLeft: 60,
        marginTop: 30,
        marginBottom: 45,
        x: {
          label: 'error up to … ulp of the exact result, rounded once',
          labelOffset: 40,
          domain: shown.map(({ error }) => error),
        },
        y: { label: null, type: 'symlog', grid: true, ticks: decades, tickFormat: short },
        marks: [Plot.barY(shown, { x: 'error', y: 'elements', fill: '#0969da' }), Plot.ruleY([0])],
      }),
      h(
        'figcaption',
        {},
        'Elements by their error, on a logarithmic scale. A sum that cancels may be many ulp off and right.',
      ),
    );
  }

  function curves({ pool, x, y, dx, expectedY, expectedDx }: Curve): Child {
    const isSeen = [...(y ? pointsOf(x, y, expectedY) : []), ...(dx ? pointsOf(x, dx, expectedDx) : [])].some(differs);
    return [
      h('p', { class: 'muted' }, pool),
      h('div', { class: 'curves' }, picture('y', x, y, expectedY), picture('dx for dy = 1', x, dx, expectedDx)),
      h(
        'p',
        { class: 'muted' },
        [
          ['expected', 'as it should be'],
          ['came', 'as it came'],
          ...(isSeen ? [['wrong', 'where they differ']] : []),
        ].map(([key, words]) => [h('span', { class: `key ${key}` }), words]),
      ),
      isSeen
        ? undefined
        : h('p', { class: 'muted' }, 'No point of these is wrong: the failure is of an input beside them.'),
    ];
  }

  function picture(label: string, x: Tensor, came: Tensor | undefined, expected: Tensor): Child {
    const points = pointsOf(x, came, expected);
    // A jump is not drawn as a line.
    const sides = [points.filter((p) => p.x <= 0), points.filter((p) => p.x > 0)];
    const finite = points.filter(({ actual }) => Number.isFinite(actual));
    return h(
      'figure',
      {},
      Plot.plot({
        document,
        width: 426,
        height: 300,
        x: { label: 'x', nice: true },
        y: { label, grid: true, nice: true },
        marks: [
          ...sides.map((side) => Plot.line(side, { x: 'x', y: 'expected', stroke: '#afb8c1', strokeWidth: 6 })),
          Plot.dot(finite, { x: 'x', y: 'actual', r: 1.5, fill: '#0969da' }),
          Plot.dot(finite.filter(differs), { x: 'x', y: 'actual', r: 4, fill: '#cf222e' }),
        ],
      }),
    );
  }
}

interface Point {
  readonly x: number;
  readonly expected: number;
  readonly actual: number;
}

function pointsOf(x: Tensor, came: Tensor | undefined, expected: Tensor): Point[] {
  const values = (tensor: Tensor) => [...decodeTensor('curve', tensor).values];
  const [xs, right] = [values(x), values(expected)];
  const got = came && values(came);
  return xs.map((at, k) => ({ x: at, expected: right[k], actual: got?.[k] ?? Number.NaN }));
}

/** By more than can be told apart in a picture. */
function differs({ expected, actual }: Point): boolean {
  if (!Number.isFinite(expected) || Number.isNaN(actual)) return !Object.is(actual, expected);
  return Math.abs(actual - expected) > 1e-3 * (1 + Math.abs(expected));
}
