import pMap from 'p-map';

/**
 * Asks about items, at most `concurrency` at once, and records what comes of each in their order.
 *
 * Rejects as the first `ask` that rejects, after all that came before is recorded.
 */
export async function askInOrder<T, R>(
  items: Iterable<T>,
  concurrency: number,
  ask: (item: T) => Promise<R>,
  record: (item: T, came: R) => void,
): Promise<void> {
  /** Those that wait for one before them. */
  const waiting = new Map<number, () => void>();
  let next = 0;
  const recordReady = () => {
    for (let one = waiting.get(next); one !== undefined; one = waiting.get(++next)) {
      waiting.delete(next);
      one();
    }
  };
  try {
    await pMap(
      items,
      async (item, index) => {
        const came = await ask(item);
        waiting.set(index, () => record(item, came));
        recordReady();
      },
      { concurrency },
    );
  } finally {
    for (const index of [...waiting.keys()].sort((a, b) => a - b)) waiting.get(index)!();
    waiting.clear();
  }
}
