import { expect, it } from 'vitest';
import { isVacuous, permits } from './allowed.ts';
import { cases } from './cases.ts';
import { describeFinding } from './failure.ts';
import { caseText, failureText } from './failure-text.ts';
import { describeGradcheckFailure, gradcheckText } from './gradcheck/report-text.ts';
import { expectation } from './interval.ts';
import { ulpsApart } from './ulp.ts';

const pool = { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'free' } };
const input = { pool, shape: [2], x: Float64Array.of(1, -1), alpha: Float64Array.of(0.8, 0.2) };
const c = { ...input, dtype: 'f64', dy: Float64Array.of(1, 1) };
const none = undefined as never;

it.each<[string, () => unknown, ErrorConstructor, string]>([
  ['no case', () => expectation(none), TypeError, 'expectation: "input" expected an object'],
  [
    'a case of another dtype',
    () => expectation({ ...c, dtype: 'f32' } as never),
    RangeError,
    '"alpha" expected numbers',
  ],
  ['no constraints', () => cases(none), TypeError, 'cases: "options" expected an object'],
  ['an empty failure', () => failureText({} as never), TypeError, 'failureText: "failure.case" expected an object'],
  ['an empty case', () => caseText({} as never), TypeError, 'pool: expected an object, got undefined'],
  ['no report', () => gradcheckText(none), TypeError, 'gradcheckText: "report" expected an object, got undefined'],
  [
    'an empty report',
    () => gradcheckText({} as never),
    TypeError,
    'gradcheckText: "report.calls" expected an object, got undefined',
  ],
  [
    'a report without inputs',
    () => gradcheckText({ calls: {}, outputShape: [], failures: [], checks: [] } as never),
    TypeError,
    'gradcheckText: "report.inputs" expected an array, got undefined',
  ],
  ['no gradcheck failure', () => describeGradcheckFailure(none), TypeError, 'Failure: "failure" expected an object'],
  [
    'an unknown gradcheck failure',
    () => describeGradcheckFailure({ code: 'zz' } as never),
    RangeError,
    'describeGradcheckFailure: "failure.code" expected that of a GradcheckFailure, got "zz"',
  ],
  ['nothing allowed', () => permits(none, none), TypeError, 'permits: "allowed" expected an object, got undefined'],
  ['no number', () => permits({} as never, none), TypeError, 'permits: "actual" expected a number, got undefined'],
  ['no interval', () => permits({} as never, 1), TypeError, 'permits: "allowed.lo" expected a number, got undefined'],
  ['text apart', () => ulpsApart('a' as never, 1, 'f64'), TypeError, 'ulpsApart: "a" expected a number, got string'],
  [
    'an unknown finding',
    () => describeFinding({ code: 'zz' } as never),
    RangeError,
    'describeFinding: "finding.code" expected that of a Finding, got "zz"',
  ],
  [
    'bounds of another dtype',
    () =>
      expectation({
        ...c,
        dtype: 'f32',
        alpha: Float64Array.of(0.5, 0.25),
        pool: { ...pool, constraint: { kind: 'clip', bounds: [0.1, 1] } },
      } as never),
    RangeError,
    'expectation: "bounds" expected numbers of the dtype, got 0.1 at 0',
  ],
  ['nothing that is vacuous', () => isVacuous(none), TypeError, 'isVacuous: "allowed" expected an object'],
  ...(
    [
      [[-1], RangeError, 'non-negative integers, got [-1]'],
      [[1.5], RangeError, 'non-negative integers, got [1.5]'],
      [[], RangeError, 'rank 1 or more, got []'],
      ['x', TypeError, 'an array, got string'],
    ] as const
  ).map(([shape, kind, message]): [string, () => unknown, ErrorConstructor, string] => [
    `Cases of shape ${JSON.stringify(shape)}`,
    () => cases({ dtype: 'f64', kind: 'dyadic', shape: shape as never }),
    kind,
    `cases: "shape" expected ${message}`,
  ]),
  [
    'an option that cases does not have',
    () => cases({ dtype: 'f64', kind: 'dyadic', longsums: true } as never),
    TypeError,
    'cases: "options" expected dtype, kind, facets, finite, longSums, branches, shape, within, got "longsums"',
  ],
])('refuses %s', (_, act, kind, message) => {
  expect(act).toThrow(kind);
  expect(act).toThrow(message);
});
