/** The process in which one job is done; started by `inChild`. */
import { laws } from '../properties/laws.ts';
import { checkSubject } from './check.ts';
import type { Job, Message } from './in-child.ts';
import { trainMnist } from './mnist.ts';
import { openSubject } from './subjects.ts';

const send = (message: Message<unknown>): void => {
  if (process.connected) process.send?.(message);
};
const tell = (event: unknown): void => send({ type: 'event', event });

// Ctrl-C goes to the whole group; it is the parent that ends this process.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

process.once('message', async (job: Job) => {
  try {
    if (job.task === 'mnist') await trainMnist(job.request, tell);
    else {
      const chosen = laws.filter(({ id }) => job.laws.includes(id));
      await checkSubject(() => openSubject(job.subject), chosen, job.request, tell);
    }
    send({ type: 'done' });
  } catch (error) {
    send({ type: 'threw', message: error instanceof Error ? error.message : String(error) });
  }
  // Ends once all that was sent has gone out.
  process.disconnect();
});
