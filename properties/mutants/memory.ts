import type { Answer } from '../../reference/case.ts';
import { doubleVjp, jvp } from '../../reference/pool.ts';
import { inGroup, type Mutant, right, withState } from './mutant.ts';

const mutant = inGroup('memory');
const stateful = withState('memory');

export const memory: readonly Mutant[] = [
  mutant('mutates-input', 'relu is computed in place', (c) => {
    const answer = right(c);
    for (const [i, v] of c.x.entries()) if (v < 0) c.x[i] = 0;
    return answer;
  }),
  mutant('mutates-dy', 'dx is computed in the memory of dy', (c) => {
    const answer = right(c);
    c.dy.set(answer.dx);
    return { ...answer, dx: c.dy };
  }),
  mutant('clips-in-place', 'alpha is clipped in place', (c) => {
    const answer = right(c);
    const { constraint } = c.pool;
    if (constraint.kind !== 'clip') return answer;
    const count = c.alpha.length / constraint.bounds.length;
    for (const [k, a] of c.alpha.entries()) {
      const b = constraint.bounds[Math.floor(k / count)];
      c.alpha[k] = Math.min(Math.max(a, -b), b);
    }
    return answer;
  }),
  stateful('second-order-spoils-forward-mode', 'the first ty after double backward is off by one', () => {
    let isSpoilt = false;
    return {
      doubleVjp(c, cotangents) {
        isSpoilt = true;
        return doubleVjp(c, cotangents);
      },
      jvp(c, tangents) {
        const off = isSpoilt ? 1 : 0;
        isSpoilt = false;
        return jvp(c, tangents).map((t) => t + off);
      },
    };
  }),
  stateful('answers-the-latest', 'asked again before it has answered, it gives the later answer twice', () => {
    let latest: Answer;
    return {
      async answer(c) {
        latest = right(c);
        await Promise.resolve();
        return latest;
      },
    };
  }),
  mutant('clears-minus-zero', '-0 in x is made +0 in place', (c) => {
    const answer = right(c);
    for (const [i, v] of c.x.entries()) if (v === 0) c.x[i] = 0;
    return answer;
  }),
  mutant('mutates-in-double-backward', 'double backward is computed in the memory of x', right, {
    doubleVjp(c, cotangents) {
      const answer = doubleVjp(c, cotangents);
      c.x.set(answer.toX);
      return answer;
    },
  }),
  mutant('mutates-tangents', 'forward mode is computed in the memory of tx', right, {
    jvp(c, tangents) {
      const ty = jvp(c, tangents);
      tangents.tx.set(ty);
      return ty;
    },
  }),
  stateful('leaks', 'a tensor is left alive by each call', () => {
    let alive = 0;
    return {
      answer(c) {
        alive++;
        return right(c);
      },
      liveTensors: () => alive,
    };
  }),
  stateful('leaks-in-forward-mode', 'a tensor is left alive by each call in forward mode', () => {
    let alive = 0;
    return {
      jvp(c, tangents) {
        alive++;
        return jvp(c, tangents);
      },
      liveTensors: () => alive,
    };
  }),
  stateful('leaks-when-empty', 'a tensor is left alive by each call with an empty tensor', () => {
    let alive = 0;
    return {
      answer(c) {
        if (c.x.length === 0) alive++;
        return right(c);
      },
      liveTensors: () => alive,
    };
  }),
  stateful('frees-too-much', 'a tensor of the caller is freed by a call with more than one row', () => {
    let alive = 1000;
    return {
      answer(c) {
        if (c.shape[0] > 1) alive--;
        return right(c);
      },
      liveTensors: () => alive,
    };
  }),
  stateful('dx-in-a-kept-buffer', 'dx lies in a buffer that the next call writes over', () => {
    const buffer = new Float64Array(1 << 16);
    return {
      answer(c) {
        const answer = right(c);
        buffer.set(answer.dx);
        return { ...answer, dx: buffer.subarray(0, answer.dx.length) };
      },
    };
  }),
  stateful('forward-mode-in-a-kept-buffer', 'ty lies in a buffer that the next call writes over', () => {
    const buffer = new Float64Array(1 << 18);
    return {
      jvp(c, tangents) {
        const ty = jvp(c, tangents);
        buffer.set(ty);
        return buffer.subarray(0, ty.length);
      },
    };
  }),
  stateful('second-order-in-a-kept-buffer', 'toX lies in a buffer that the next call writes over', () => {
    const buffer = new Float64Array(1 << 18);
    return {
      doubleVjp(c, cotangents) {
        const answer = doubleVjp(c, cotangents);
        buffer.set(answer.toX);
        return { ...answer, toX: buffer.subarray(0, answer.toX.length) };
      },
    };
  }),
  mutant('answers-x-itself', 'where y is x, as of identity, it is answered in the memory of x', (c) => {
    const answer = right(c);
    return answer.y.every((v, i) => Object.is(v, c.x[i])) ? { ...answer, y: c.x } : answer;
  }),
  mutant('answers-dy-itself', 'where dx is dy it is answered in the memory of dy', (c) => {
    const answer = right(c);
    return answer.dx.every((v, i) => Object.is(v, c.dy[i])) ? { ...answer, dx: c.dy } : answer;
  }),
  mutant('y-is-x', 'a pool of one relu answers with the memory of x', (c) => {
    const answer = right(c);
    if (c.pool.branches.join() !== 'relu') return answer;
    c.x.set(answer.y);
    return { ...answer, y: c.x };
  }),
];
