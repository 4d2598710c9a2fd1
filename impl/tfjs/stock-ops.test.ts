import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import type { Broken } from '../../docs/findings/finding.ts';
import { findings, versions } from '../../docs/findings/findings.ts';
import { cases } from '../../properties/cases.ts';
import { exactBranchOf } from '../../properties/exact-branches.ts';
import { expressionBranch } from '../../properties/expression-branch.ts';
import { describeFinding } from '../../properties/failure.ts';
import { failureText } from '../../properties/failure-text.ts';
import type { Law } from '../../properties/law.ts';
import { freely } from '../../properties/laws/derived.ts';
import { laws } from '../../properties/laws.ts';
import { positionsOf } from '../../properties/positions.ts';
import { referenceSubject } from '../../properties/reference-subject.ts';
import { range } from '../../properties/transform.ts';
import { LawBroken, Trial } from '../../properties/trial.ts';
import { checkLaw, lackOf } from '../../properties/verify.ts';
import type { Answer, BranchRef, Case } from '../../reference/case.ts';
import { forward, vjp } from '../../reference/pool.ts';
import type { Subject } from '../../reference/subject.ts';
import { openTarget } from './open-target-for-tests.ts';
import { type StockPool, stockSubject } from './stock-subject-for-tests.ts';

/**
 * The activations of TensorFlow.js itself, forward and gradient, under every law that speaks of them, on the backend of
 * this Vitest project (vitest.conformance.ts); and what is known to be wrong, which must stay wrong or leave the list.
 */
const { target, stockRuns } = inject('conformance');

/** A stock op, the pool that it is, and the Case that a drawn one becomes. */
interface Op extends StockPool {
  /** The names of the stock ops that it is made of. */
  readonly parts: readonly string[];
  readonly branches: readonly BranchRef[];
  form(drawn: Case): Case;
}

/** `y = Σ cᵢ·f(x)` */
function op(name: string, f: (x: tf.Tensor) => tf.Tensor, branch: BranchRef): Op {
  return {
    name,
    parts: [name],
    branches: [branch],
    form: (c) => ({ ...c, pool: { ...c.pool, branches: c.pool.branches.map(() => branch) } }),
    answers: ({ pool }) => pool.branches.every((ref) => ref === branch),
    y(x, c) {
      const value = f(x);
      return c.map((factor) => tf.mul(factor, value)).reduce((sum, term) => tf.add(sum, term));
    },
  };
}

const kinks = [0];
/** `negative`, but for the derivative at 0, which for prelu is alpha, not 0. */
const negative = expressionBranch('x > 0 ? 0 : x', { name: 'negative side', kinks });
const relu = op('relu', tf.relu, 'relu');
const step = op('step', tf.step, 'step');

const ops: readonly Op[] = [
  relu,
  step,
  {
    ...op('relu and step', tf.relu, 'relu'),
    parts: ['relu', 'step'],
    branches: ['relu', 'step'],
    form: (c) => freely(c, ['relu', 'step']),
    answers: ({ pool }) => pool.branches.join() === 'relu,step',
    y: (x, [P, D], input) => tf.add(relu.y(x, [P], input), step.y(x, [D], input)),
  },
  {
    name: 'prelu',
    parts: ['prelu'],
    branches: [negative, 'relu'],
    form(c) {
      const free = freely(c, [negative, 'relu']);
      return { ...free, alpha: free.alpha.map((a, i) => (i < free.alpha.length / 2 ? a : 1)) };
    },
    answers: ({ pool, alpha }) =>
      pool.constraint.kind === 'free' &&
      pool.branches.length === 2 &&
      pool.branches[0] === negative &&
      pool.branches[1] === 'relu' &&
      alpha.every((a, i) => i < alpha.length / 2 || a === 1),
    y: (x, [alpha]) => tf.prelu(x, alpha),
    constants: 1,
  },
  op('leakyRelu', (x) => tf.leakyRelu(x, 0.25), expressionBranch('x > 0 ? x : x/4', { name: 'leakyRelu', kinks })),
  op('elu', tf.elu, expressionBranch('x > 0 ? x : exp(x) - 1', { name: 'elu', kinks })),
  op(
    'selu',
    tf.selu,
    expressionBranch('x > 0 ? 1.0507009873554805*x : 1.7580993408473766*(exp(x) - 1)', { name: 'selu', kinks }),
  ),
  op('relu6', tf.relu6, expressionBranch('x > 6 ? 6 : x > 0 ? x : 0', { name: 'relu6', kinks: [0, 6] })),
  op('softplus', tf.softplus, 'softplus'),
  op('sigmoid', tf.sigmoid, 'sigmoid'),
  op('tanh', tf.tanh, 'tanh'),
];

/** The right answer in float32. */
function rightAnswer(c: Case): Answer {
  const { dx, dalpha } = vjp(c);
  const rounded = (values: Float64Array) => values.map(Math.fround);
  return { y: rounded(forward(c)), dx: rounded(dx), dalpha: rounded(dalpha) };
}

/** The stock op where nothing is known to be wrong with it; elsewhere, and for other pools, the right answer. */
function mended(stock: Subject, { answers, constants = 0, branches }: Op, known: readonly Broken[]): Subject {
  const roundsTwice = stock.facets.includes('storage:f16') && !branches.every((ref) => exactBranchOf(ref).polynomial);
  const answer = async (c: Case): Promise<Answer> => {
    const right = rightAnswer(c);
    if (!answers(c)) return right;
    const { count, units, of } = positionsOf(c.pool, c.shape);
    const touched = range(Math.max(c.x.length, 1)).filter((i) => known.some(({ touches }) => touches(c, i)));
    if (touched.length >= Math.max(c.x.length, 1)) return right;
    const { y, dx: own, dalpha } = await stock.answer(c);
    const dx = roundsTwice ? right.dx : own;
    const parameters = c.alpha.length - constants * count;
    const sums = new Set(touched.map((i) => of(i % units)));
    for (const i of touched) [y[i], dx[i]] = [right.y[i], right.dx[i]];
    return { y, dx, dalpha: dalpha.map((v, k) => (k >= parameters || sums.has(k % count) ? right.dalpha[k] : v)) };
  };
  return { ...stock, answer };
}

/** webgl compiles its programs anew for each shape: there a Case of any shape is repeated or cut to one of its rank. */
function fitted(c: Case): Case {
  if (!target.startsWith('chromium:webgl') || c.x.length === 0) return c;
  const shape = [[12], [3, 4], [2, 3, 2], [2, 1, 3, 2], [2, 1, 3, 1, 2], [2, 1, 1, 3, 1, 2]][c.shape.length - 1];
  const { rows, count } = positionsOf(c.pool, shape);
  const repeated = (values: Float64Array, n: number) =>
    Float64Array.from({ length: n }, (_, i) => values[i % values.length]);
  return { ...c, shape, x: repeated(c.x, 12), dy: repeated(c.dy, 12), alpha: repeated(c.alpha, rows * count) };
}

/**
 * Where textures hold 16 bits every stock op rounds to them, and spec §5 bounds one such rounding: there the op is asked
 * for `1·op(x)` alone, at x and dy of 16 bits; not for the gradient of a smooth one, nor for sums.
 */
function alone(each: Op): Op {
  const { branches, name } = each;
  const isOwn = (k: number, c: Case) => name === 'prelu' && k < c.alpha.length / 2;
  return {
    ...each,
    constants: branches.length,
    form(drawn) {
      const c = name === 'prelu' ? each.form(drawn) : freely(drawn, branches);
      const alpha = c.alpha.map((a, k) => (isOwn(k, c) ? toF16(a) : 1));
      return { ...c, x: c.x.map(toF16), dy: c.dy.map(toF16), alpha };
    },
    answers: (c) =>
      each.answers(c) &&
      c.pool.branches.length === branches.length &&
      [c.x, c.dy].every((values) => values.every((v) => Object.is(toF16(v), v))) &&
      c.alpha.every((a, k) => (isOwn(k, c) ? Object.is(toF16(a), a) : a === 1 || !Number.isFinite(a))),
  };
}

/** To 11 bits and the range of normal numbers of binary16. */
function toF16(v: number): number {
  const size = Math.abs(v);
  if (!Number.isFinite(v) || v === 0) return v;
  if (size < 2 ** -14) return 0;
  if (size >= 65504) return Math.sign(v) * 65504;
  const quantum = 2 ** (Math.floor(Math.log2(size)) - 10);
  return Math.round(v / quantum) * quantum;
}

/** Whether a law ever asks for a pool of the op. */
async function speaksOf(law: Law, { form, answers }: Op): Promise<boolean> {
  let asked = false;
  const answer = (c: Case) => {
    asked ||= answers(c);
    return referenceSubject.answer(c);
  };
  const drawn = cases({ dtype: 'f64', kind: 'general', finite: true, shape: [2, 1] });
  for (const c of fc.sample(drawn, { numRuns: 3, seed: 1 })) {
    await law.check(form(c), new Trial({ ...referenceSubject, answer, liveTensors: () => 0 }));
  }
  return asked;
}

/** The smallest Case of a finding. */
function caseOf({ op: name, x, alpha = [], dy = [], shape = [x.length], sharing = 'layer' }: Broken): Case {
  const { branches } = ops.find((each) => each.name === name)!;
  const pool = { branches, sharing, constraint: { kind: 'free' } } as const;
  const { rows, count } = positionsOf(pool, shape);
  return {
    pool,
    dtype: 'f32',
    shape,
    x: Float64Array.from(x),
    alpha: Float64Array.from({ length: rows * count }, (_, i) => alpha[i] ?? 1),
    dy: Float64Array.from(x, (_, i) => dy[i] ?? 1),
  };
}

/** What is said of a law that is broken, without what the backend's facets allow; or what the op threw. */
function saidBy(error: unknown): string {
  if (!(error instanceof LawBroken)) return ((error as Error).cause as Error).message;
  return describeFinding(error.finding).split(', allowed')[0];
}

/** What a snippet prints, or throws. */
async function printed(snippet: string): Promise<string> {
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => lines.push(values.join(' ')) };
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  try {
    await new AsyncFunction('tf', 'console', snippet)(tf, console);
  } catch (error) {
    lines.push(String(error).split('\n')[0]);
  }
  return lines.join('\n');
}

const backend = await openTarget();
const offTheList = 'no longer so: take it off docs/findings/findings.ts';

if (typeof backend === 'string') {
  console.warn(`not tested: ${target}: ${backend}`);
  it.skip(`${target} is not tested: ${backend}`, () => {});
} else {
  it('is of the version of which docs/findings/findings.ts speaks', () => {
    expect(backend.version).toBe(versions[target]);
  });

  describe.each(findings)('the finding $id', ({ snippet, right, wrong, breaks }) => {
    it('is what its snippet shows here', async () => {
      backend.use();
      tf.engine().startScope();
      const lines = await printed(snippet);
      tf.engine().endScope();
      expect(lines, offTheList).toBe(wrong[target] ?? right);
    });

    if (breaks === undefined || wrong[target] === undefined) return;
    it(`breaks ${breaks.law}`, async () => {
      const subject = stockSubject(backend, ops.find(({ name }) => name === breaks.op)!);
      const law = laws.find(({ id }) => id === breaks.law)!;
      const said = await law.check(caseOf(breaks), new Trial(subject)).then(() => 'nothing', saidBy);
      expect(said, offTheList).toBe(breaks.says);
    });
  });

  const isF16 = backend.facets.includes('storage:f16');
  const lawsOf = await Promise.all(
    ops.map(async (op) => {
      const each = isF16 ? alone(op) : op;
      const subject = stockSubject(backend, each);
      const applicable = laws.filter(
        // That law makes subnormal numbers of 16 bits.
        (law) => lackOf(subject, law) === undefined && !(isF16 && law.id === 'slope/pathway-off'),
      );
      const speaking = await Promise.all(applicable.map((law) => speaksOf(law, each)));
      return { each, subject, speaking: applicable.filter((_, i) => speaking[i]) };
    }),
  );

  describe.each(lawsOf)('the op $each.name', ({ each, subject, speaking }) => {
    const known = findings.flatMap(({ wrong, breaks }) =>
      breaks && wrong[target] !== undefined && (breaks.everyOp || each.parts.includes(breaks.op)) ? [breaks] : [],
    );
    const isPolynomial = each.branches.every((ref) => exactBranchOf(ref).polynomial);

    it.each(speaking.map((law) => [law.id, law] as const))('keeps %s', async (_, law) => {
      const kinds = (law.kinds ?? (['dyadic', 'general'] as const)).filter(
        (kind) => kind === 'general' || isPolynomial,
      );
      const formed: Law = { ...law, kinds, check: (c, trial) => law.check(each.form(fitted(c)), trial) };
      const { failures, breakage, outcome } = await checkLaw(formed, mended(subject, each, known), {
        runs: stockRuns * kinds.length,
        seed: 1,
      });
      expect([...failures.map(failureText), ...(breakage ? [breakage.message] : [])].join('\n\n')).toBe('');
      expect(outcome).toBe('held');
    });
  });
}
