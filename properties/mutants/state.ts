import { nameOf } from '../../reference/branches.ts';
import type { Answer, Case } from '../../reference/case.ts';
import { contentOf } from '../by-content.ts';
import { positionsOf } from '../positions.ts';
import { change, isUniform, type Mutant, right, withoutLastBit, withState } from './mutant.ts';

const mutant = withState('state');

/** Every answer but for those that `isWrong` counts out, whose y is off by one. */
function offByOne(c: Case, isWrong: boolean): Answer {
  return change(c, 'y', (y) => (isWrong ? y + 1 : y));
}

export const state: readonly Mutant[] = [
  mutant('accumulates', 'dalpha adds up over calls', () => {
    let before = new Float64Array(0);
    return {
      answer(c) {
        const answer = change(c, 'dalpha', (d, i) => d + (before[i] ?? 0));
        before = answer.dalpha.slice();
        return answer;
      },
    };
  }),
  mutant('stale-alpha', 'alpha is kept from the first call with this many branches', () => {
    let kept: Case | undefined;
    return {
      answer(c) {
        if (kept?.alpha.length !== c.alpha.length) kept = { ...c, alpha: c.alpha.slice() };
        return right({ ...c, alpha: kept.alpha });
      },
    };
  }),
  mutant('shared-buffer', 'y lies in a buffer that the next call writes over', () => {
    const buffer = new Float64Array(1 << 16);
    return {
      answer(c) {
        const answer = right(c);
        buffer.set(answer.y);
        return { ...answer, y: buffer.subarray(0, answer.y.length) };
      },
    };
  }),
  mutant('remembers-branches', 'after a pool of three branches, y is wrong once', () => {
    let spoiled = false;
    return {
      answer(c) {
        const answer = offByOne(c, spoiled);
        spoiled = c.pool.branches.length === 3;
        return answer;
      },
    };
  }),
  mutant('non-deterministic', 'the last bit of y is noise', () => {
    let calls = 0;
    return { answer: (c) => change(c, 'y', (y) => (calls++ % 3 === 0 ? y * (1 + 2 ** -52) : y)) };
  }),
  mutant('first-call-differs', 'the first call answers before it is initialised', () => {
    let calls = 0;
    return { answer: (c) => offByOne(c, calls++ === 0) };
  }),
  mutant('every-seventh-call', 'every seventh call is wrong', () => {
    let calls = 0;
    return { answer: (c) => offByOne(c, ++calls % 7 === 0) };
  }),
  mutant('kept-by-shape', 'coefficients are cached by the shape of x', () => {
    const kept = new Map<string, Float64Array>();
    return {
      answer(c) {
        const key = `${c.shape} ${c.pool.branches} ${c.alpha.length}`;
        const alpha = kept.get(key) ?? c.alpha.slice();
        kept.set(key, alpha);
        return { ...right(c), y: right({ ...c, alpha }).y };
      },
    };
  }),
  mutant('stale-x', 'gradients take the x of the last forward call of the same size, known by a dy of zeros', () => {
    let kept: Float64Array | undefined;
    return {
      answer(c) {
        if (c.dy.every((d) => d === 0)) {
          kept = c.x.slice();
          return right(c);
        }
        const x = kept?.length === c.x.length ? kept : c.x;
        return { ...right({ ...c, x }), y: right(c).y };
      },
    };
  }),
  mutant('stale-mask', 'dx takes the mask x > 0 of the last call of the same size', () => {
    let mask: Float64Array | undefined;
    return {
      answer(c) {
        const { dx } = right({ ...c, x: mask?.length === c.x.length ? mask : c.x });
        mask = c.x.slice();
        return { ...right(c), dx };
      },
    };
  }),
  mutant('dalpha-not-cleared', 'dalpha is added to the buffer of the last call of the same Case', () => {
    let last: { key: string; dalpha: Float64Array } | undefined;
    return {
      answer(c) {
        const key = contentOf(c);
        const before = last?.key === key ? last.dalpha : undefined;
        const answer = change(c, 'dalpha', (d, k) => d + (before?.[k] ?? 0));
        last = { key, dalpha: answer.dalpha };
        return answer;
      },
    };
  }),
  mutant('cached-with-fewer-bits', 'a smooth pool asked again is answered from a cache that keeps 52 bits', () => {
    let last = '';
    return {
      answer(c) {
        const key = contentOf(c);
        const isKept = key === last && c.pool.branches.every((branch) => smooth.includes(nameOf(branch)));
        last = key;
        return isKept ? change(c, 'y', withoutLastBit) : right(c);
      },
    };
  }),
  mutant('coming-back-loses-a-bit', 'dalpha of a Case that comes back after one of another pool loses a bit', () => {
    let asked: { key: string; pool: string }[] = [];
    return {
      answer(c) {
        const [key, pool] = [contentOf(c), c.pool.branches.join()];
        const isBack = asked.length > 0 && asked.at(-1)!.pool !== pool && asked.some((one) => one.key === key);
        asked = [...asked.slice(-3), { key, pool }];
        return isBack ? change(c, 'dalpha', withoutLastBit) : right(c);
      },
    };
  }),
  mutant('dy-of-the-call-before', 'dalpha is that of the dy of the call before, if it has the same size', () => {
    let before: Float64Array | undefined;
    return {
      answer(c) {
        const dy = before?.length === c.dy.length ? before : c.dy;
        before = c.dy.slice();
        return { ...right(c), dalpha: right({ ...c, dy }).dalpha };
      },
    };
  }),
  mutant('stays-implied', 'the last row of dalpha stays 0 when a sumToOne pool of the same x becomes free', () => {
    const madeOf = ({ x, pool }: Case) => `${pool.branches.map(nameOf)} ${x}`;
    let implied = '';
    return {
      answer(c) {
        const { kind } = c.pool.constraint;
        const isWrong = kind === 'free' && implied === madeOf(c);
        implied = kind === 'sumToOne' ? madeOf(c) : '';
        const { rows, count } = positionsOf(c.pool, c.shape);
        return change(c, 'dalpha', (d, k) => (isWrong && k >= (rows - 1) * count ? 0 : d));
      },
    };
  }),
  mutant('step-first-keeps-sign', 'dalpha of a sumToOne [step, relu] is kept from [relu, step] of the same x', () => {
    let kept: { x: string; dalpha: Float64Array } | undefined;
    return {
      answer(c) {
        const { branches, constraint } = c.pool;
        const names = constraint.kind === 'sumToOne' ? branches.map(nameOf).join() : '';
        const answer = right(c);
        if (names === 'step,relu' && kept?.x === `${c.x}` && kept.dalpha.length === c.alpha.length) {
          return { ...answer, dalpha: kept.dalpha.slice() };
        }
        if (names === 'relu,step') kept = { x: `${c.x}`, dalpha: answer.dalpha.slice() };
        return answer;
      },
    };
  }),
  mutant('turned-keeps-rows', 'dalpha of a free pool is kept for the same x and branches, whatever their order', () => {
    let kept: { key: string; dalpha: Float64Array } | undefined;
    return {
      answer(c) {
        const answer = right(c);
        if (c.pool.constraint.kind !== 'free') return answer;
        const key = `${c.pool.branches.map(nameOf).toSorted()} ${c.x} ${c.dy}`;
        const isKept = kept?.key === key && kept.dalpha.length === c.alpha.length;
        if (!isKept) kept = { key, dalpha: answer.dalpha };
        return { ...answer, dalpha: kept!.dalpha.slice() };
      },
    };
  }),
  mutant('constant-cached-by-size', 'a constant x is answered from a cache that forgets its sign', () => {
    const kept = new Map<string, Float64Array>();
    return {
      answer(c) {
        if (c.x.length < 3 || !isUniform(c.x)) return right(c);
        const key = contentOf({ ...c, x: c.x.map(Math.abs) });
        const y = kept.get(key) ?? right(c).y;
        kept.set(key, y);
        return { ...right(c), y: y.slice() };
      },
    };
  }),
];

const smooth = ['tanh', 'sigmoid', 'softplus'];
