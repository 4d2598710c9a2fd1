import { describe, expect, it } from 'vitest';
import type { Case } from '../../reference/case.ts';
import { availableBackends } from './available-for-tests.ts';
import { tfjsSubject } from './subject.ts';

const f64 = (...values: number[]) => Float64Array.from(values);

/** y = a·x²/2 + b·x on x > 0, with numbers for which every answer is exact. */
const input: Case = {
  pool: { branches: ['halfSquare', 'relu'], sharing: 'layer', constraint: { kind: 'free' } },
  dtype: 'f32',
  shape: [3],
  x: f64(2, -1, 4),
  alpha: f64(3, 0.5),
  dy: f64(1, 8, -2),
};

for (const backend of await availableBackends()) {
  const subject = tfjsSubject(backend);
  describe(subject.name, () => {
    it('answers with y, dx and dalpha', async () => {
      expect(await subject.answer(input)).toEqual({
        y: f64(7, 0, 26),
        dx: f64(6.5, 0, -25),
        dalpha: f64(2 - 16, 2 - 8),
      });
    });

    it('answers double backward', async () => {
      // z = Σ ddx·dx + Σ ddalpha·dalpha, dx = dy·(a·x + b), dalpha = (Σ dy·x²/2, Σ dy·x) over x > 0.
      const cotangents = { ddx: f64(1, 2, 0.5), ddalpha: f64(-1, 4) };
      expect(await subject.doubleVjp!(input, cotangents)).toEqual({
        toX: f64(1 * 3 - 1 * 2 + 4, 0, -2 * (0.5 * 3 - 4 + 4)),
        toAlpha: f64(1 * 2 + 0.5 * -2 * 4, 1 + 0.5 * -2),
        toDy: f64(6.5 - 2 + 8, 0, 0.5 * 12.5 - 8 + 16),
      });
    });

    it('answers double backward with 0 where nothing depends on an input', async () => {
      const linear: Case = {
        ...input,
        pool: { ...input.pool, branches: ['identity', 'step'], constraint: { kind: 'fixed' } },
      };
      const { toX } = await subject.doubleVjp!(linear, { ddx: f64(1, 1, 1), ddalpha: f64(1, 1) });
      expect(toX).toEqual(f64(0, 0, 0));
    });

    it('does not change its inputs, leaves no tensor, and answers the same each time', async () => {
      const copy = structuredClone(input);
      const first = await subject.answer(input);
      const before = subject.liveTensors!();
      expect(await subject.answer(input)).toEqual(first);
      await subject.doubleVjp!(input, { ddx: f64(1, 1, 1), ddalpha: f64(1, 1) });
      expect(subject.liveTensors!()).toBe(before);
      expect(input).toEqual(copy);
    });

    it('refuses what it can not answer, and leaves no tensor then', async () => {
      const before = subject.liveTensors!();
      const wrong: [object, string][] = [
        [{ dtype: 'f64' }, '"dtype" expected f32, got "f64"'],
        [{ alpha: f64(1) }, '"alpha" expected shape [2], 2 elements, got 1'],
        [{ dy: f64(1, 2) }, '"dy" expected shape [3], 3 elements, got 2'],
        [{ x: undefined }, '"x" expected a Float64Array, got undefined'],
        [{ x: new Float32Array(3) }, '"x" expected a Float64Array, got Float32Array'],
        [{ dy: [1, 2, 3] }, '"dy" expected a Float64Array, got [1,2,3]'],
        [{ pool: undefined }, '"pool" expected an object, got undefined'],
        [{ shape: undefined }, '"shape" expected an array, got undefined'],
        [{ shape: [-3] }, '"shape" expected non-negative integers, got [-3]'],
        [{ pool: { ...input.pool, sharing: 'channel' } }, '"sharing" \'channel\' expected an x of rank 2 or more'],
      ];
      for (const [part, message] of wrong) {
        await expect(subject.answer({ ...input, ...part })).rejects.toThrow(`${subject.name}: ${message}`);
        const second = subject.doubleVjp!({ ...input, ...part }, { ddx: f64(1, 1, 1), ddalpha: f64(1, 1) });
        await expect(second).rejects.toThrow(message);
      }
      const none = undefined as never;
      await expect(subject.answer(none)).rejects.toThrow(`${subject.name}: "input" expected an object, got undefined`);
      await expect(subject.doubleVjp!(input, none)).rejects.toThrow(
        `${subject.name}: "cotangents" expected an object, got undefined`,
      );
      await expect(subject.doubleVjp!(input, {} as never)).rejects.toThrow(
        '"ddx" expected a Float64Array, got undefined',
      );
      expect(subject.liveTensors!()).toBe(before);
    });
  });
}
