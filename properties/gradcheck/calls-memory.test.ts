import { describe, expect, it } from 'vitest';
import { ask, dy, floats, inputs } from './calls-for-tests.ts';
import type { Tensors } from './differentiable.ts';

describe('a function that answers with its arguments', () => {
  it('or a part of their memory is named, once for each part and argument', async () => {
    const asked = ask({
      forward: ({ x }) => x,
      vjp: ({ w }, d) => ({ x: d.subarray(0, 3), w: w }),
    });
    await asked.forward(inputs);
    await asked.forward(inputs);
    await asked.vjp(inputs, dy);
    expect(asked.failures).toEqual([
      { code: 'aliased', what: 'forward', input: 'x' },
      { code: 'aliased', what: 'vjp', input: 'w' },
      { code: 'aliased', what: 'vjp', input: 'dy' },
    ]);
  });

  it('that are empty is let be: they hold nothing that could change', async () => {
    const asked = ask({ forward: ({ x }) => x });
    await asked.forward({ x: floats(), w: floats(1) });
    expect(asked.failures).toEqual([]);
  });
});

describe('a function that answers twice with one memory', () => {
  const answering = (make: () => Tensors) => ask({ vjp: make, forward: ({ x }) => x.slice() });
  const of: Tensors = { a: floats(1, 2), b: floats(3, 4) };

  it('is named, once', async () => {
    const all = floats(1, 2, 3);
    for (const answer of [
      { a: all.subarray(0, 2), b: all.subarray(0, 2) },
      { a: all.subarray(0, 2), b: all.subarray(1, 3) },
      { a: all.subarray(1, 3), b: all.subarray(0, 2) },
    ]) {
      const asked = answering(() => answer);
      await asked.vjp(of, dy);
      await asked.vjp(of, dy);
      expect(asked.failures).toEqual([{ code: 'shared', what: 'vjp', input: 'b', other: 'a' }]);
    }
  });

  it('is let be where the parts lie side by side, or are empty', async () => {
    const asked = answering(() => {
      const all = floats(1, 2, 3, 4);
      return { a: all.subarray(2), b: all.subarray(0, 2) };
    });
    await asked.vjp(of, dy);
    const none = floats();
    const empty = answering(() => ({ a: none, b: none }));
    await empty.vjp({ a: floats(), b: floats() }, dy);
    expect([...asked.failures, ...empty.failures]).toEqual([]);
  });
});

describe('a function that reuses its answers', () => {
  it('is named with the first element that was written over, once', async () => {
    const buffer = floats(0, 0, 0);
    const asked = ask({
      forward({ x }) {
        buffer.set(x);
        return buffer;
      },
    });
    await asked.forward(inputs);
    asked.checkKept();
    expect(asked.failures).toEqual([]);
    await asked.forward(inputs);
    await asked.forward({ ...inputs, x: floats(1, 2, 4) });
    asked.checkKept();
    expect(asked.failures).toEqual([{ code: 'overwritten', what: 'y of forward', element: 2 }]);
    asked.checkKept();
    expect(asked.failures).toHaveLength(1);
  });

  it('is found however many answers there were, with one buffer or two that take turns', async () => {
    for (const buffers of [1, 2, 5]) {
      const all = Array.from({ length: buffers }, () => floats(0, 0, 0));
      let calls = 0;
      const asked = ask({
        vjp(_inputs, d) {
          const x = all[calls++ % buffers];
          x.set(d);
          return { x, w: floats(0) };
        },
      });
      for (let k = 0; k < 20; k++) await asked.forward(inputs);
      for (let k = 0; k <= buffers; k++) await asked.vjp(inputs, floats(k, 0, 0));
      asked.checkKept();
      expect(asked.failures).toEqual([{ code: 'overwritten', what: 'x of vjp', element: 0 }]);
    }
  });

  it('is watched in the first and the last two answers of each kind, so that memory stays bounded', async () => {
    for (const [at, found] of [
      [0, 1],
      [1, 0],
      [17, 0],
      [18, 1],
      [19, 1],
    ] as const) {
      const answers: Float64Array[] = [];
      const asked = ask({
        forward() {
          answers.push(floats(0, 0, 0));
          return answers.at(-1)!;
        },
      });
      for (let k = 0; k < 20; k++) await asked.forward(inputs);
      answers[at][0] = 1;
      asked.checkKept();
      expect(asked.failures, `answer ${at}`).toHaveLength(found);
    }
  });

  it('is looked at before an answer is let go', async () => {
    const answers: Float64Array[] = [];
    const asked = ask({
      forward() {
        if (answers.length === 3) answers[1][2] = 1;
        answers.push(floats(0, 0, 0));
        return answers.at(-1)!;
      },
    });
    for (let k = 0; k < 6; k++) await asked.forward(inputs);
    expect(asked.failures).toEqual([{ code: 'overwritten', what: 'y of forward', element: 2 }]);
  });
});
