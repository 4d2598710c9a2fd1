import { describe, expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import { gradcheckRun } from './property.ts';

/** `relu` with a wrong gradient, counting how often it is asked. */
function relu(
  slope: (v: number, k: number, shape: readonly number[]) => number,
  count: { calls: number } = { calls: 0 },
): Differentiable {
  return {
    forward({ x }) {
      count.calls++;
      return x.map((v) => Math.max(v, 0));
    },
    vjp({ x }, dy, { x: shape }) {
      count.calls++;
      return { x: dy.map((d, k) => d * slope(x[k], k, shape)) };
    },
  };
}

describe('shrinking of a fixed shape', () => {
  it('ends at one element that is on no kink, by a short path that finds it again', async () => {
    const f = relu((v) => (v >= 0 ? 1.1 : 0));
    const found = await gradcheckRun(f, { shapes: { x: [32, 64] } });
    expect([...found.inputs.inputs.x]).toEqual([1]);
    expect(found.inputs.shapes.x).toEqual([1, 1]);
    expect(found.report.inputs[0]).toMatchObject({ compared: 1, vacuous: 0 });
    expect(found.path!.length).toBeLessThan(20);
    const again = await gradcheckRun(f, { shapes: { x: [32, 64] } }, { path: found.path! });
    expect(again.inputs).toEqual(found.inputs);
    expect(again.report).toEqual(found.report);
  });

  it('stays on a kink if only that is wrong', async () => {
    const f = relu((v) => (v === 0 ? 2 : v > 0 ? 1 : 0));
    const found = await gradcheckRun(f, { shapes: { x: [8, 8] } });
    expect(found.report.failures[0]).toMatchObject({ code: 'gradient', kinkDistance: 0 });
    expect([...found.inputs.inputs.x]).toEqual([0]);
  });

  it('takes as many rows and columns as it needs', async () => {
    const f = relu((v, _k, [rows, columns]) => (v > 0 ? 1 + (rows > 1 && columns > 2 ? 1 : 0) : 0));
    expect((await gradcheckRun(f, { shapes: { x: [32, 64] } })).inputs.shapes.x).toEqual([2, 3]);
    const long = relu((v, _k, [rows]) => (v > 0 ? 1 + (rows > 4 ? 1 : 0) : 0));
    expect((await gradcheckRun(long, { shapes: { x: [6, 7] } })).inputs.shapes.x[0]).toBe(5);
  });

  it('asks no shape of a function that does not take it', async () => {
    const f = relu((v) => (v > 0 ? 2 : 0));
    const fixed: Differentiable = {
      ...f,
      vjp(inputs, dy, shapes) {
        if (dy.length !== 12) throw new Error('not of 12 elements');
        return f.vjp(inputs, dy, shapes);
      },
    };
    const found = await gradcheckRun(fixed, { shapes: { x: [3, 4] } });
    expect(found.inputs.shapes.x).toEqual([3, 4]);
    expect([...found.inputs.inputs.x]).toEqual(new Array(12).fill(1));
  });

  it('ends after 500 calls, whatever is left to try', async () => {
    // Wrong only as a whole: no part of it fails.
    const count = { calls: 0 };
    const f = relu((v, _k, [rows, columns]) => (v > 0 ? 1 + (rows * columns === 2048 ? 1 : 0) : 0), count);
    const found = await gradcheckRun(f, { shapes: { x: [32, 64] } });
    expect(found.report.outcome).toBe('failed');
    // And those of the check that failed first and of the last that was begun.
    expect(count.calls).toBeLessThan(500 + 2 * 65);
    expect(found.inputs.shapes.x).toEqual([32, 64]);
  });

  it('drops the declared shape of y with the axes that it was for', async () => {
    const f = { ...relu((v) => (v > 0 ? 2 : 0)), shapes: { x: [4, 4], y: [4, 4] } };
    expect((await gradcheckRun(f, { shapes: { x: [4, 4] } })).inputs.shapes.x).toEqual([1, 1]);
  });
});
