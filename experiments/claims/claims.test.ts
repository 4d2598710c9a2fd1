import { describe, expect, it } from 'vitest';
import { experiments } from '../experiments.ts';
import { isRegistered } from '../registry.ts';
import type { TrialRow } from '../trial.ts';
import { type ClaimId, type Comparison, type Evidence, type Finding, judge, verdictOf } from './claim.ts';
import { claims } from './claims.ts';
import { noise, rowOf, rowsOf } from './rows-for-tests.ts';
import { isDead } from './runs.ts';
import { verdictText } from './words.ts';

function measure(id: ClaimId, evidence: Partial<Evidence>): Finding {
  return claims
    .find((claim) => claim.id === id)!
    .measure({ rows: [], gradients: [], surfaces: [], stepRatios: [], ...evidence });
}

const kindOf = (id: ClaimId, rows: readonly TrialRow[]) => measure(id, { rows }).verdict.kind;

/** relu at `a ± sa`, pap at `b ± sb`. */
function both(a: number, sa: number, b: number, sb: number, n = 20, protocol = 'author-2016'): TrialRow[] {
  return [
    ...rowsOf(protocol, 'relu', n, (seed) => ({ loss: a + sa * noise(seed) })),
    ...rowsOf(protocol, 'pap', n, (seed) => ({ loss: b + sb * noise(seed + 1) })),
  ];
}

it('every claim has an id of its own, and is not measured yet without rows', () => {
  expect(new Set(claims.map(({ id }) => id)).size).toBe(9);
  for (const { id } of claims) {
    const { verdict, ours, comparisons } = measure(id, {});
    expect(verdict).toMatchObject({
      kind: 'not measured yet',
      missing: expect.stringMatching(/trial|surfaces|gradients/),
    });
    expect(ours).toBe('–');
    expect(comparisons).toEqual([]);
  }
});

it('a finding is a function of the rows, in whatever order they are', () => {
  const rows = both(0.11, 0.008, 0.067, 0.002);
  for (const { id } of claims) expect(measure(id, { rows: rows.toReversed() })).toEqual(measure(id, { rows }));
});

describe('mnist-table', () => {
  const table = (relu: number, pap: number) => [
    ...rowsOf('author-2016', 'relu', 20, (seed) => ({
      loss: relu + 0.005 * noise(seed),
      accuracy: 0.9671 + 0.002 * noise(seed),
    })),
    ...rowsOf('author-2016', 'pap', 20, (seed) => ({
      loss: pap + 0.002 * noise(seed),
      accuracy: 0.9788 + 0.0005 * noise(seed),
    })),
  ];
  it('holds for the published figures, and not for others', () => {
    expect(kindOf('mnist-table', table(0.1102, 0.0672))).toBe('holds');
    expect(kindOf('mnist-table', table(0.1402, 0.0672))).toBe('does not hold');
    expect(kindOf('mnist-table', table(0.1102, 0.0572))).toBe('does not hold');
    expect(kindOf('mnist-table', table(0.1102 + 2 * 0.0078, 0.0672))).toBe('not decided yet');
  });
});

describe('mean-loss', () => {
  it.each([
    [both(0.11, 0.005, 0.066, 0.005), 'holds'],
    [both(0.11, 0.005, 0.1, 0.005), 'does not hold'],
    [both(0.11, 0.005, 0.11 * 0.72, 0.005), 'not decided yet'],
    [both(0.11, 0.005, 0.066, 0.005, 4), 'not decided yet'],
    [both(0.11, 0.005, 0.066, 0.005, 20, 'small'), 'not measured yet'],
    [[...both(0.11, 0.005, 0.066, 0.005), ...both(0.2, 0.005, 0.2, 0.005, 20, 'small')], 'holds'],
    [[...both(0.11, 0.005, 0.11 * 0.72, 0.005), ...both(0.2, 0.005, 0.2, 0.005, 20, 'small')], 'not decided yet'],
  ] as const)('%#: the truth is known', (rows, kind) => {
    expect(kindOf('mean-loss', rows)).toBe(kind);
  });

  it('is decided by the published protocol, with its figure, and names what others give', () => {
    const others = [...both(0.2, 0.005, 0.2, 0.005, 20, 'small'), ...both(0.2, 0.005, 0.1, 0.005, 20, 'iters-94')];
    const { verdict, ours } = measure('mean-loss', { rows: [...others, ...both(0.11, 0.005, 0.11 * 0.72, 0.005)] });
    expect(ours).toMatch(/^0\.7/);
    expect(verdictText(verdict)).toBe(
      'not decided on author-2016; elsewhere it holds on iters-94, it does not hold on small',
    );
  });

  it('says that an effect is larger than claimed', () => {
    const { verdict, caveat } = measure('mean-loss', { rows: both(0.11, 0.005, 0.03, 0.005) });
    expect(verdictText(verdict, caveat)).toBe('holds on author-2016, by more than claimed');
  });

  it('counts dead runs, in the figure and apart', () => {
    const rows = [
      ...both(0.11, 0.005, 0.066, 0.005),
      rowOf('author-2016', 'relu', 101, { loss: Math.LN10, accuracy: 0.1 }),
      rowOf('author-2016', 'relu', 102, { loss: null, accuracy: 0.1 }),
    ];
    const { comparisons, cells } = measure('mean-loss', { rows });
    expect(comparisons[0].n).toEqual([20, 21]);
    expect(comparisons[0].value).toBeLessThan(0.33);
    expect(comparisons[0].alive).toBeCloseTo(0.6, 1);
    expect(cells[0]).toMatchObject({ activation: 'relu', n: 21, dead: 2, excluded: 1, alive: expect.closeTo(0.11, 2) });
  });

  it('leaves out rows with another number of epochs than their protocol', () => {
    const rows = both(0.11, 0.005, 0.066, 0.005);
    const short = rowOf('author-2016', 'pap', 50, { loss: 9, hash: '0123456789abcdef' });
    expect(isRegistered(short)).toBe(false);
    expect(measure('mean-loss', { rows: [...rows, short] })).toEqual(measure('mean-loss', { rows }));
  });
});

it('consistency: the spread, not the mean', () => {
  expect(kindOf('consistency', both(0.11, 0.02, 0.11, 0.004))).toBe('holds');
  expect(kindOf('consistency', both(0.11, 0.004, 0.06, 0.004))).toBe('does not hold');
  expect(kindOf('consistency', both(0.11, 0.01, 0.06, 0.004))).toBe('not decided yet');
  expect(kindOf('consistency', both(0.11, 0, 0.06, 0))).toBe('not decided yet');
  const [comparison] = measure('consistency', { rows: both(0.11, 0.02, 0.11, 0.004) }).comparisons;
  expect(comparison.tests[1].p).toBeLessThan(1e-4);
});

describe('training-time', () => {
  const timed = (ratio: number) => [
    ...rowsOf('author-2016', 'relu', 9, (seed) => ({ stepMs: 2 + seed })),
    ...rowsOf('author-2016', 'pap', 9, (seed) => ({ stepMs: ratio * (2 + seed) })),
  ];
  it('compares pairs, and is two-sided', () => {
    expect(kindOf('training-time', timed(1.1))).toBe('holds');
    expect(kindOf('training-time', timed(1.01))).toBe('does not hold');
    expect(kindOf('training-time', timed(1.3))).toBe('does not hold');
  });

  it('leaves out a pair from two backends', () => {
    const rows = timed(1.1).map((row) => (row.activation === 'pap' ? { ...row, backend: 'wasm' } : row));
    expect(kindOf('training-time', rows)).toBe('not measured yet');
  });

  it('names the benchmark', () => {
    const stepRatios = [{ batch: 32, what: 'wasm pap / wasm relu', ratio: 0.976 }];
    expect(measure('training-time', { rows: timed(1.1), stepRatios }).sentence).toContain(
      '0.976 (wasm pap / wasm relu',
    );
  });
});

describe('high-lr', () => {
  const at = 'author-2016/rate-0.35';
  const shares = (relu: number, mrelu: number, n = 6) => [
    ...rowsOf(at, 'relu', n, (seed) => ({ accuracy: seed <= relu ? 0.95 : 0.1 })),
    ...['mrelu-0.8', 'mrelu-0.5'].flatMap((name) =>
      rowsOf(at, name, n, (seed) => ({ accuracy: seed <= mrelu ? 0.95 : 0.1 })),
    ),
  ];
  it.each([
    [shares(0, 6), 'holds'],
    [shares(2, 4), 'holds'],
    [shares(6, 6), 'does not hold'],
    [shares(0, 0), 'does not hold'],
    [shares(0, 4, 4), 'not decided yet'],
    [shares(3, 6), 'not decided yet'],
  ] as const)('%#: by the share that learns', (rows, kind) => {
    expect(kindOf('high-lr', rows)).toBe(kind);
  });

  it('needs both MReLUs', () => {
    const one = shares(0, 6).filter(({ activation }) => activation !== 'mrelu-0.8');
    expect(verdictText(measure('high-lr', { rows: one }).verdict)).toBe(
      `decided in part on ${at}: holds for mrelu-0.5; open: mrelu-0.8`,
    );
  });

  it('names the largest rate that each learns at, and cells as claimed that are not judged', () => {
    const rows = [
      rowOf('batch-128/rate-0.1', 'relu', 1),
      rowOf('batch-128/rate-0.35', 'mrelu-0.5', 1),
      rowOf('batch-128/rate-0.35', 'relu', 1, { accuracy: 0.1 }),
      rowOf(at, 'relu', 1, { accuracy: 0.1, hash: '0123456789abcdef' }),
    ];
    const { sentence, verdict } = measure('high-lr', { rows });
    expect(verdict.kind).toBe('not measured yet');
    expect(sentence).toContain('relu 0.1, mrelu-0.5 0.35');
    expect(sentence).toContain('on batch-128/rate-0.35 learn relu 0 of 1, mrelu-0.5 1 of 1.');
    expect(sentence).toContain('Trainings of 1 epochs on author-2016/rate-0.35, which are judged nowhere');
  });
});

describe('slope', () => {
  const steep = (name: string, gradient: number, protocol = 'author-2016') =>
    rowsOf(protocol, name, 9, (seed) => ({ gradients: [gradient * (1 + 0.01 * noise(seed))] }));
  /** The same, with a curve that is as rough. */
  const rough = (name: string, size: number, protocol = 'author-2016') =>
    steep(name, size, protocol).map((row) => ({
      ...row,
      epochs: [0.2, 0.2 + 0.1 * row.gradients[0], 0.2].map((loss) => ({ loss, accuracy: 0.9, trainLoss: loss })),
    }));
  const three = (protocol: string, [relu, near, half]: readonly [number, number, number]) => [
    ...rough('relu', relu, protocol),
    ...rough('mrelu-0.8', near, protocol),
    ...rough('mrelu-0.5', half, protocol),
  ];

  it('gradients and curves are compared within pairs', () => {
    expect(kindOf('slope', three('author-2016', [1, 0.9, 0.5]))).toBe('holds');
    expect(kindOf('slope', three('author-2016', [1, 1.2, 1.5]))).toBe('does not hold');
    expect(measure('slope', { rows: three('author-2016', [1, 0.9, 1.5]) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['gradient at the start (mrelu-0.8 / relu)', 'roughness of the curve (mrelu-0.8 / relu)'],
    });
  });

  it('is decided in part while an MReLU or the curves are missing', () => {
    const gradients = [...steep('relu', 1), ...steep('mrelu-0.8', 1.2), ...steep('mrelu-0.5', 1.5)];
    const pairs = '(mrelu-0.8 / relu, mrelu-0.5 / relu, mrelu-0.5 / mrelu-0.8)';
    const { verdict, sentence } = measure('slope', { rows: gradients });
    expect(verdictText(verdict)).toBe(
      `decided in part on author-2016: does not hold for gradient at the start ${pairs}; open: roughness of the curve ${pairs}`,
    );
    expect(sentence).toContain(`it is open for roughness of the curve ${pairs}.`);
    const noHalf = three('author-2016', [1, 0.9, 0.5]).filter(({ activation }) => activation !== 'mrelu-0.5');
    expect(kindOf('slope', noHalf)).toBe('decided in part');
  });

  it('a network counts once, whatever the rates, and no other has a voice in it', () => {
    const rows = [
      ...three('author-2016', [1, 1.2, 1.5]).flatMap((row) => [
        row,
        rowOf('author-2016/rate-0.05', row.activation, row.seed, { gradients: row.gradients }),
      ]),
      ...three('small', [1, 0.5, 0.4]),
    ];
    const { verdict, n } = measure('slope', { rows });
    expect(n).toBe('9 pairs');
    expect(verdictText(verdict)).toBe('does not hold on author-2016; elsewhere it holds on small');
  });

  it('the roughness of a curve leaves out dead pairs, and shows them', () => {
    const curve = (name: string, bend: number, dead: number) =>
      rowsOf('small', name, 9, (seed) => ({
        gradients: [1],
        epochs: [0.2, 0.2 + (seed <= dead ? 1e-6 : bend), 0.2].map((loss) => ({
          loss,
          accuracy: seed <= dead ? 0.1 : 0.9,
          trainLoss: loss,
        })),
      }));
    const { comparisons } = measure('slope', { rows: [...curve('relu', 0.1, 0), ...curve('mrelu-0.8', 0.2, 3)] });
    const found = comparisons.find(({ part }) => part?.startsWith('roughness of the curve'))!;
    expect(found).toMatchObject({ n: [6], value: expect.closeTo(2, 6) });
    expect(found.withDead).toBeLessThan(0.1);
  });
});

const weight = { layer: 'conv1', index: 0, norm: 1 };
const surface = (activation: string, pair: number, anisotropy: number, depth = anisotropy) => ({
  protocol: 'convnet' as string,
  activation,
  seed: 1,
  learned: true,
  pair,
  weights: [weight, weight] as const,
  offsets: [-1, 0, 1],
  losses: [
    [2, 1, 2],
    [1, 0, 1],
    [2, 1, 2],
  ],
  measures: { anisotropy, roughness: 1, depth },
});

it.each([
  [2, 'open'],
  [6, 'does not hold'],
] as const)('slope: surfaces of %i networks count as so many, however many pairs each has: %s', (networks, outcome) => {
  const rough = (activation: string, roughness: number) =>
    Array.from({ length: networks }, (_, k) =>
      Array.from({ length: 20 }, (_, pair) => ({
        ...surface(activation, pair, 0.5),
        seed: k + 1,
        measures: { anisotropy: 0.5, depth: 1, roughness: roughness * (1 + 0.05 * noise(k + pair)) },
      })),
    ).flat();
  const { comparisons } = measure('slope', { surfaces: [...rough('relu', 1), ...rough('mrelu-0.8', 2)] });
  expect(comparisons).toMatchObject([{ n: [networks], value: expect.closeTo(2, 9), outcome }]);
});

describe('trench', () => {
  const surfaces = (n: number, pap: number, depth = pap) =>
    Array.from({ length: n }, (_, pair) => [surface('relu', pair, 2), surface('pap', pair, pap, depth)]).flat();
  it('counts the pairs of the same weights', () => {
    expect(measure('trench', { surfaces: surfaces(40, 3) }).verdict.kind).toBe('holds');
    expect(measure('trench', { surfaces: surfaces(40, 1) }).verdict.kind).toBe('does not hold');
    expect(measure('trench', { surfaces: surfaces(40, 3, 1) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['anisotropy (pap)'],
    });
    expect(measure('trench', { surfaces: surfaces(39, 3) }).verdict.kind).toBe('not decided yet');
  });
  it('judges each protocol on its own, and takes no pair across two', () => {
    const [, variant] = [...experiments.landscape.protocols.keys()] as [string, string];
    const elsewhere = (n: number, pap: number) => surfaces(n, pap).map((each) => ({ ...each, protocol: variant }));
    const both = measure('trench', { surfaces: [...surfaces(40, 1), ...elsewhere(40, 3)] });
    expect(verdictText(both.verdict)).toBe(`does not hold on convnet; elsewhere it holds on ${variant}`);
    expect(both.cells.map(({ protocol, n }) => [protocol, n])).toContainEqual([variant, 40]);
    const across = [...surfaces(40, 3).filter(({ activation }) => activation === 'relu'), ...elsewhere(40, 3)];
    const noRelu = across.filter(({ protocol, activation }) => protocol === 'convnet' || activation === 'pap');
    expect(measure('trench', { surfaces: noRelu }).comparisons).toEqual([]);
  });
  it('says what the surfaces can not show', () => {
    const { sentence } = measure('trench', { surfaces: surfaces(40, 0.995) });
    expect(sentence).toContain('of the 80 surfaces of relu and PAPs with an anisotropy above 0.99, 0 have a weight');
    expect(sentence).toContain('for 40 of 40 of relu, 40 of 40 of pap;');
  });
  it('surfaces of networks that have not learned are counted, not judged', () => {
    const dead = surfaces(40, 3).map((each) => ({ ...each, learned: each.activation !== 'pap' }));
    const { verdict, cells, sentence } = measure('trench', { surfaces: dead });
    expect(verdict.kind).toBe('not measured yet');
    expect(sentence).toContain('Networks that have not learned: 1 of 1 of pap on convnet.');
    expect(cells.find(({ activation }) => activation === 'pap')).toMatchObject({ n: 0, dead: 40, excluded: 0 });
  });
});

describe('pathways', () => {
  const trained = (off: number, low: number, high: number) =>
    rowsOf('author-2016', 'pap', 6, (seed) => {
      const d = [low, low, 0.4, 0.5, 0.6, high, high].map((value) => value + 1e-3 * noise(seed));
      return { coefficients: [{ quantiles: { relu: d, step: d, sum: d }, off: off + 1e-3 * noise(seed) }] };
    });
  it('each of three figures may hold or not', () => {
    expect(kindOf('pathways', trained(0.1, 0, 1))).toBe('holds');
    expect(kindOf('pathways', trained(0.01, 0.3, 0.7))).toBe('does not hold');
    expect(measure('pathways', { rows: trained(0.01, 0, 0.7) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['steep'],
    });
  });
});

it('sharing: a unit against the layer, and the map by pairs', () => {
  const shared = (protocol: string, unit: number, layer: number) => [
    ...rowsOf(protocol, 'pap', 9, (seed) => ({ loss: unit + 0.001 * noise(seed) })),
    ...rowsOf(protocol, 'pap-layer', 9, (seed) => ({ loss: layer + 0.001 * noise(seed + 1) })),
  ];
  expect(kindOf('sharing', shared('small', 0.1, 0.2))).toBe('holds');
  expect(kindOf('sharing', shared('small', 0.2, 0.1))).toBe('does not hold');
  expect(kindOf('sharing', shared('small', 0.2, 0.2))).toBe('not decided yet');
  const rows = [...shared('small', 0.1, 0.2), ...shared('batch-128/rate-0.1', 0.2, 0.1)];
  expect(verdictText(measure('sharing', { rows }).verdict)).toBe(
    'holds on small; elsewhere it does not hold on the learning-rate map',
  );
  const threeSeeds = ['batch-128/rate-0.05', 'batch-128/rate-0.1', 'batch-128/rate-0.2'].flatMap((protocol) =>
    shared(protocol, 0.2, 0.1).filter(({ seed }) => seed <= 3),
  );
  expect(measure('sharing', { rows: threeSeeds }).comparisons).toMatchObject([{ n: [3], outcome: 'open' }]);
  const worse = rows.map((row) =>
    row.activation === 'pap' ? { ...row, epochs: [{ ...row.epochs[0], accuracy: 0.9 }] } : row,
  );
  const { caveat, sentence } = measure('sharing', { rows: worse });
  expect(caveat).toContain('by the accuracy the layer is better');
  expect(sentence).toContain('0 of 9 runs of pap die, and 0 of 9 of pap-layer');
});

describe('a verdict', () => {
  const comparison = (part: string, outcome: Comparison['outcome'], protocol = 'p'): Comparison => ({
    protocol,
    part,
    what: '',
    n: [9],
    value: 1,
    interval: [0, 2],
    claimed: {},
    tests: [],
    outcome,
  });
  it('an interval holds within the region, fails outside, and is open across its end or of few values', () => {
    expect(judge([1, 2], { from: 1, to: 2 }, [5])).toBe('holds');
    expect(judge([1, 2], { to: 0.9 }, [5])).toBe('does not hold');
    expect(judge([1, 2], { from: 2.1 }, [5])).toBe('does not hold');
    expect(judge([1, 2], { from: 1.5 }, [5])).toBe('open');
    expect(judge([1, 2], { from: 1, to: 2 }, [5, 4])).toBe('open');
    expect(judge(undefined, {}, [5])).toBe('open');
  });

  it('a part holds only if all of its figures do', () => {
    const mixed = [comparison('a', 'holds'), comparison('a', 'does not hold'), comparison('b', 'holds')];
    expect(verdictOf(mixed, 'p', '')).toMatchObject({ kind: 'holds only where', where: ['b'] });
    expect(verdictOf([comparison('a', 'holds'), comparison('a', 'open')], 'p', '').kind).toBe('not decided yet');
  });

  it('is of the claim only if every part is decided', () => {
    const [holds, fails, open] = [comparison('a', 'holds'), comparison('b', 'does not hold'), comparison('c', 'open')];
    expect(verdictOf([holds, open], 'p', '')).toMatchObject({ kind: 'decided in part', holds: ['a'], open: ['c'] });
    expect(verdictOf([fails, open], 'p', '')).toMatchObject({ kind: 'decided in part', fails: ['b'], open: ['c'] });
    expect(verdictText(verdictOf([holds, fails, open], 'p', ''))).toBe(
      'decided in part on p: holds for a; does not hold for b; open: c',
    );
    const needed = () => ['a', 'd'];
    expect(verdictOf([holds], 'p', '', { needed })).toMatchObject({ kind: 'decided in part', open: ['d'] });
    expect(verdictOf([open], 'p', '', { needed }).kind).toBe('not decided yet');
    expect(verdictOf([], 'p', '', { needed }).kind).toBe('not measured yet');
    const elsewhere = [comparison('a', 'holds', 'q'), comparison('b', 'open', 'q'), holds];
    expect(verdictText(verdictOf(elsewhere, 'p', ''))).toBe('holds on p; elsewhere it is decided in part on q');
  });

  it('is that of the protocol that decides, whatever others give', () => {
    const others = [comparison('a', 'does not hold', 'q'), comparison('a', 'holds', 'r')];
    expect(verdictOf([...others, comparison('a', 'open')], 'p', '')).toMatchObject({
      kind: 'not decided yet',
      elsewhere: { holds: ['r'], 'does not hold': ['q'] },
    });
    expect(verdictOf(others, 'p', 'rows')).toMatchObject({ kind: 'not measured yet', missing: 'rows' });
  });
});

it('a run is dead below an accuracy of 0.2, or with a loss that is not finite', () => {
  expect(isDead(rowOf('small', 'relu', 1, { accuracy: 0.199 }))).toBe(true);
  expect(isDead(rowOf('small', 'relu', 1, { accuracy: 0.2 }))).toBe(false);
  expect(isDead(rowOf('small', 'relu', 1, { loss: null }))).toBe(true);
});
