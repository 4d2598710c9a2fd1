import { describe, expect, it } from 'vitest';
import type { ComparedElement, GradcheckFailure, GradcheckReport, InputReport, KinkFound } from './report.ts';
import { describeGradcheckFailure, gradcheckText } from './report-text.ts';

const element: ComparedElement = {
  index: [1, 2],
  analytic: 4,
  numeric: 2,
  lo: 1.5,
  hi: 2.5,
  kinkDistance: Number.POSITIVE_INFINITY,
  ratio: 4,
};
const gradient = { code: 'gradient', what: 'vjp', input: 'x', wrong: 1, compared: 6, ...element } as const;

describe('a failure is one sentence', () => {
  it.each<[string, GradcheckFailure]>([
    ['dx[1, 2] of vjp is 4, measured 2, allowed [1.5, 2.5] (1 of 6 elements wrong)', gradient],
    [
      '<dx, direction 3> of vjp is 4, measured 2, allowed [1.5, 2.5] (1 of 6 products wrong)',
      { ...gradient, index: [2], isDirection: true },
    ],
    [
      'jvp: ty[0, 1] is 4, measured 2, allowed [1.5, 2.5] (3 of 6 elements wrong)',
      { code: 'tangent', index: [0, 1], analytic: 4, numeric: 2, lo: 1.5, hi: 2.5, wrong: 3, compared: 6 },
    ],
    [
      'jvp and vjp are not adjoint: <ty, dy> is 1, Σ <t, gradient> is 2, allowed apart 0.5',
      { code: 'adjoint', forward: 1, reverse: 2, allowed: 0.5 },
    ],
    [
      'y[0, 1] is 3, expected its limit, allowed [1, 2]',
      { code: 'value', index: [0, 1], actual: 3, lo: 1, hi: 2, why: 'its limit' },
    ],
    ...(['slope', 'value'] as const).map((quantity): [string, GradcheckFailure] => [
      `at the kink x = 0 the left ${quantity === 'slope' ? 'slope' : 'limit'} of y[0, 1] is 3, declared 2, measured to 0.1`,
      {
        code: 'one-sided',
        input: 'x',
        at: 0,
        index: [0, 1],
        side: 'left',
        quantity,
        actual: 3,
        expected: 2,
        error: 0.1,
      },
    ]),
    [
      'y[0, 1] changed from 1 to 2 although nothing moved that it depends on: x is not "rows"',
      { code: 'cross-talk', input: 'x', structure: 'rows', index: [0, 1], was: 1, became: 2 },
    ],
    [
      'vjp to x is not the same again: element 3 was 1, then 2',
      { code: 'non-deterministic', what: 'vjp to x', element: 3, first: 1, again: 2 },
    ],
    ['vjp changed its input dy (element 2)', { code: 'mutated', what: 'vjp', input: 'dy', element: 2 }],
    ['vjp answered with the memory of its input dy', { code: 'aliased', what: 'vjp', input: 'dy' }],
    ['vjp answered for w with memory of its answer for x', { code: 'shared', what: 'vjp', input: 'w', other: 'x' }],
    [
      'y of forward was written over by a later call (element 4)',
      { code: 'overwritten', what: 'y of forward', element: 4 },
    ],
    [
      'NaN in x[0, 0] spreads: y[0, 1] was 1, became NaN',
      { code: 'spreads', from: 'NaN in x[0, 0]', to: 'y', index: [0, 1], was: 1, became: Number.NaN },
    ],
    [
      'a batch of one: y[0, 1] is 1 alone, 2 among the others',
      { code: 'batch', what: 'y', index: [0, 1], alone: 1, together: 2 },
    ],
    [
      'gradient of the vjp to x: vjp answered with the memory of its input dy',
      { code: 'second-order', of: 'x', failure: { code: 'aliased', what: 'vjp', input: 'dy' } },
    ],
  ])('%s', (sentence, failure) => {
    expect(describeGradcheckFailure(failure)).toBe(sentence);
  });

  it.each([
    [{ at: 3 }, '; x[1, 2] = 3'],
    [{ at: 3, dy: 0.5 }, '; x[1, 2] = 3, dy 0.5: derivative 8, measured 4'],
    [{ at: -0, dy: -0 }, '; x[1, 2] = -0, dy -0'],
    [{ at: 3, dy: Infinity }, '; x[1, 2] = 3, dy Infinity'],
    [{ at: 3, dy: 3 }, '; x[1, 2] = 3, dy 3: derivative 1.33333, measured 0.666667'],
    // As many more digits as tell them apart; none where nothing does.
    [{ at: 3, dy: 1, numeric: 4 + 1e-7 }, '; x[1, 2] = 3, dy 1: derivative 4, measured 4.0000001'],
    [{ at: 3, dy: 1, numeric: 4 + 1e-10 }, '; x[1, 2] = 3, dy 1: derivative 4, measured 4.0000000001'],
    [{ at: 3, dy: 1, numeric: 4 + 2 ** -49 }, '; x[1, 2] = 3, dy 1: derivative 4, measured 4.000000000000002'],
    [{ at: 3, dy: 1, numeric: 4 }, '; x[1, 2] = 3, dy 1: derivative 4, measured 4'],
  ])('that says where: %j', (more, where) => {
    expect(describeGradcheckFailure({ ...gradient, ...more })).toMatch(/ elements wrong\)/);
    expect(describeGradcheckFailure({ ...gradient, ...more }).split('wrong)')[1]).toBe(where);
  });
});

const input: InputReport = {
  name: 'x',
  shape: [2, 3],
  structure: 'elementwise',
  declared: true,
  compared: 6,
  open: 0,
  vacuous: 0,
  kinks: [],
  kinkCount: 0,
  worst: undefined,
  sees: undefined,
};
const report: GradcheckReport = {
  name: 'layer',
  outcome: 'passed',
  passed: true,
  dtype: 'f64',
  seed: 7,
  outputShape: [2, 3],
  inputs: [input],
  failures: [],
  calls: { forward: 11, vjp: 3, jvp: 0, doubleVjp: 0, twin: 0 },
  checks: ['gradient of x', 'another dy'],
  override: undefined,
};
const lines = (more: Partial<GradcheckReport>) => gradcheckText({ ...report, ...more }).split('\n');
const inputLines = (more: Partial<InputReport>) => lines({ inputs: [{ ...input, ...more }] }).slice(2, -1);

describe('a report', () => {
  it('says what was checked, how, by how many calls', () => {
    expect(lines({})).toEqual([
      'gradcheck layer: passed',
      'f64, y [2, 3], seed 7; 11 forward, 3 vjp',
      'dx [2, 3]: "elementwise", declared; 6 compared',
      'checked: gradient of x; another dy',
    ]);
  });

  it('says in its first line what came of it', () => {
    const nothing = lines({ outcome: 'nothing-compared', passed: false })[0];
    expect(nothing).toBe('gradcheck layer: NOTHING COMPARED, no element of a gradient could be measured');
    const failed = (...failures: GradcheckFailure[]) => lines({ outcome: 'failed', passed: false, failures });
    expect(failed(gradient).slice(0, 4)).toEqual([
      'gradcheck layer: FAILED, 1 failure',
      'f64, y [2, 3], seed 7; 11 forward, 3 vjp',
      'FAIL dx[1, 2] of vjp is 4, measured 2, allowed [1.5, 2.5] (1 of 6 elements',
      '  wrong)',
    ]);
    expect(failed(gradient, gradient)[0]).toBe('gradcheck layer: FAILED, 2 failures');
  });

  it('says what was put in place of the derived intervals', () => {
    expect(lines({ override: { tolerance: 0.001 } })[2]).toBe(
      'OVERRIDE: relative tolerance 0.001 in place of the derived intervals',
    );
    expect(
      lines({ override: { tolerance: 0, rounding: true } })
        .slice(2, 5)
        .join(' '),
    ).toBe(
      'OVERRIDE: relative tolerance 0 in place of the derived intervals OVERRIDE: rounding as the caller bounds it, in place of the estimated or   declared',
    );
  });

  it('says that all is vacuous where nothing else was compared, and something was', () => {
    const vacuous = 'VACUOUS: no derivative that was compared can be told from 0';
    const all = { ...input, vacuous: 6 };
    expect(lines({ inputs: [all, all] })[2]).toBe(vacuous);
    expect(lines({ inputs: [all, input] })).not.toContain(vacuous);
    expect(lines({ inputs: [{ ...input, compared: 0 }] })).not.toContain(vacuous);
  });

  it('warns where more than 5 % of the elements of all inputs were left open', () => {
    const open = (open: number) => [
      { ...input, shape: [10, 5], open },
      { ...input, shape: [10, 5], open: 2 },
    ];
    expect(lines({ inputs: open(3) })[2]).not.toContain('WARNING');
    expect(lines({ inputs: open(4) })[2]).toBe('WARNING: 6 of 100 elements were left open, and may be wrong');
  });

  it('says of an input how it was measured, and what of it', () => {
    expect(inputLines({ declared: false, structure: { trailing: 1 }, open: 2, vacuous: 3 })).toEqual([
      'WARNING: 2 of 6 elements were left open, and may be wrong',
      'dx [2, 3]: { trailing: 1 }, found; 6 compared, 2 left open, 3 vacuous',
    ]);
    expect(
      inputLines({ structure: 'projected', projection: { random: 4, together: 90, alone: 10 }, compared: 14 }).join(''),
    ).toBe('dx [2, 3]: 90 elements along 4 random directions, 10 about kinks alone; 14  compared');
  });

  it('says what was worst, and how near to a kink', () => {
    expect(inputLines({ worst: element }).slice(1)).toEqual([
      '  worst [1, 2]: analytic 4, numeric 2,',
      '    allowed [1.5, 2.5] (4 half widths off its middle)',
    ]);
    expect(inputLines({ worst: { ...element, at: -0, dy: 0.5, kinkDistance: 0 } }).slice(1)).toEqual([
      '  worst [1, 2] = -0, dy 0.5: analytic 4, numeric 2,',
      '    allowed [1.5, 2.5] (4 half widths off its middle), 0 from a kink',
    ]);
    expect(inputLines({ worst: { ...element, index: [2], isDirection: true } })[1]).toBe(
      '  worst direction 3: analytic 4, numeric 2,',
    );
  });

  it.each([
    [1 / 3, '0.3333'],
    [-1 / 3, '-0.3333'],
    [0.001, '0.001'],
    [0.00099, '9.9e-4'],
    [99999, '100000'],
    [-100001, '-1.0e+5'],
    [1e5, '1.0e+5'],
    [0, '0'],
    [Infinity, 'Infinity'],
  ])('writes %d in short', (ratio, text) => {
    expect(inputLines({ worst: { ...element, ratio } })[2]).toContain(`(${text} half widths`);
  });

  it('says what error of one element is seen', () => {
    const sees = { everywhere: 0.5, median: 0.25 };
    expect(inputLines({ sees: { ...sees, absolute: false } })[1]).toBe(
      '  sees an error in one element from 0.25 of it (half of them), 0.5 (all)',
    );
    expect(inputLines({ sees: { ...sees, absolute: true } })[1]).toBe(
      '  sees an error in one element alone from 0.25 (half of them), 0.5 (all)',
    );
  });

  it('names two of the kinks, and how many there are', () => {
    const kink: KinkFound = { element: [0, 1], output: [0, 1], at: 2, declared: true, left: 0, right: 1, jump: 0.5 };
    const line = '  on a kink: [0, 1] = 2, declared: slopes 0 and 1, jump 0.5';
    expect(inputLines({ kinks: [kink], kinkCount: 1 }).slice(1)).toEqual([line]);
    expect(inputLines({ kinks: [kink, { ...kink, declared: false }], kinkCount: 2 }).slice(1)).toEqual([
      line,
      line.replace('declared', 'found'),
    ]);
    expect(inputLines({ kinks: [kink, kink, kink], kinkCount: 5 }).slice(1)).toEqual([
      line,
      line,
      '  … 5 on kinks in all',
    ]);
  });
});

describe('what failed', () => {
  const failed = (failures: GradcheckFailure[], inputs: InputReport[] = [input]) =>
    gradcheckText({ ...report, outcome: 'failed', passed: false, failures, inputs })
      .replaceAll(/\n +/g, ' ')
      .split('\n')
      .filter((line) => line.startsWith('FAIL') || line.startsWith('…'));
  const again = { ...gradient, what: 'vjp of another dy' };

  it('is said once of an input, whatever the dy', () => {
    expect(failed([gradient, again])).toEqual([`FAIL ${describeGradcheckFailure(gradient)}; of another dy too`]);
    // Where the first dy shows nothing of it, the other one does.
    const other = { ...gradient, input: 'w' };
    expect(failed([again, other])).toEqual([
      `FAIL ${describeGradcheckFailure(again)}`,
      `FAIL ${describeGradcheckFailure(other)}`,
    ]);
    const tied = { ...gradient, what: 'vjp, equal elements moved together' };
    expect(failed([gradient, again, tied])[1]).toBe(`FAIL ${describeGradcheckFailure(tied)}`);
    const elsewhere = { ...gradient, what: 'vjp of another dy, NaN elsewhere' };
    expect(failed([gradient, elsewhere])).toEqual([`FAIL ${describeGradcheckFailure(gradient)}; of another dy too`]);
    // What else vjp does to an input is another thing.
    const mutated: GradcheckFailure = { code: 'mutated', what: 'vjp', input: 'x', element: 0 };
    expect(failed([mutated, again])).toEqual([mutated, again].map((of) => `FAIL ${describeGradcheckFailure(of)}`));
    expect(failed([gradient, again, mutated])[1]).toBe(`FAIL ${describeGradcheckFailure(mutated)}`);
  });

  it('is written out up to eight, the others are counted', () => {
    expect(failed(new Array(8).fill(gradient))).toHaveLength(8);
    expect(failed(new Array(9).fill(gradient)).slice(8)).toEqual(['… and 1 more']);
  });

  it('where 0 was measured says to declare a structure that was found', () => {
    const hint = '; measured by the structure that was found, which may be another: declare the structure';
    const zero = { ...gradient, numeric: 0 };
    const found = { ...input, declared: false };
    const hasHint = (failure: GradcheckFailure, ...inputs: InputReport[]) =>
      failed([failure], inputs)[0].endsWith(hint);
    expect(hasHint(zero, { ...input, name: 'w' }, found)).toBe(true);
    expect(hasHint(gradient, found)).toBe(false);
    expect(hasHint(zero, input)).toBe(false);
    expect(hasHint(zero, { ...found, structure: 'dense' })).toBe(false);
    const projection = { random: 4, together: 6, alone: 0 };
    expect(hasHint(zero, { ...found, structure: 'projected', projection })).toBe(false);
    expect(hasHint({ ...zero, input: 'v' }, found)).toBe(false);
    expect(hasHint({ code: 'aliased', what: 'vjp', input: 'x' }, found)).toBe(false);
  });

  it('leaves room for 40 lines, each whole or not at all', () => {
    const inputs = (n: number) => new Array<InputReport>(n).fill({ ...input, worst: element });
    const text = (...of: InputReport[]) => lines({ inputs: of });
    // Two lines at first, three for each input, one at last.
    expect(text(...inputs(12))).toHaveLength(39);
    expect(text(...inputs(12)).at(-1)).toBe('checked: gradient of x; another dy');
    expect(text(...inputs(13))).toHaveLength(40);
    expect(text(...inputs(13)).at(-1)).toBe('… and 3 more lines');
    const long = { ...input, name: 'a name that is so long that what is said of it takes one more line' };
    expect(text(...inputs(12), long, ...inputs(1))).toHaveLength(39);
    expect(text(...inputs(12), long, ...inputs(1)).at(-1)).toBe('… and 6 more lines');
    const checks = ['gradient of x, of which there is so much to say that one line is not enough for it'];
    expect(lines({ inputs: inputs(12), checks })).toHaveLength(40);
    expect(lines({ inputs: inputs(12), checks }).at(-1)).not.toMatch(/more lines/);
  });
});
