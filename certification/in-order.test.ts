import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { askInOrder } from './in-order.ts';

const range = (length: number) => Array.from({ length }, (_, k) => k);

it('records in the order of the items, whatever the order of the replies', async () => {
  const order = fc.integer({ min: 1, max: 8 }).chain((n) => fc.shuffledSubarray(range(n), { minLength: n }));
  await fc.assert(
    fc.asyncProperty(order, fc.scheduler(), async (items, scheduler) => {
      const recorded: number[] = [];
      const done = askInOrder(
        items,
        3,
        (item) => scheduler.schedule(Promise.resolve(-item)),
        (item, came) => recorded.push(item, came),
      );
      await scheduler.waitFor(done);
      expect(recorded).toEqual(items.flatMap((item) => [item, -item]));
    }),
  );
});

it('what came is recorded before the error that ends it', async () => {
  const recorded: number[] = [];
  const ask = async (k: number) => {
    if (k === 3) throw new Error('ended');
    return k;
  };
  await expect(askInOrder(range(9), 4, ask, (k) => recorded.push(k))).rejects.toThrow('ended');
  expect(recorded.slice(0, 3)).toEqual([0, 1, 2]);
});
