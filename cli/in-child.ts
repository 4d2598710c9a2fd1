import { type ChildProcess, fork } from 'node:child_process';
import type { CheckEvent, CheckRequest } from './check.ts';
import type { MnistEvent, MnistRequest } from './mnist.ts';
import type { SubjectName } from './subjects.ts';

/** What a child process is asked to do. */
export type Job =
  | {
      readonly task: 'laws';
      readonly subject: SubjectName;
      readonly laws: readonly string[];
      readonly request: CheckRequest;
    }
  | { readonly task: 'mnist'; readonly request: MnistRequest };

/** What it tells: the events of its task, and at last how it ended. */
export type Message<Event> =
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'done' }
  | { readonly type: 'threw'; readonly message: string };

type EventOf<J extends Job> = J['task'] extends 'laws' ? CheckEvent : MnistEvent;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/**
 * Does a job in a process of its own, since native code may take its process down with it.
 *
 * @throws Error saying what the job threw, or how its process died
 */
export function inChild<J extends Job>(job: J, tell: (event: EventOf<J>) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    // 'advanced' keeps typed arrays, -0, NaN and ±∞, which JSON loses.
    const child = fork(new URL('./child.js', import.meta.url), { serialization: 'advanced' });
    alive.add(child);
    let end: Exclude<Message<never>, { type: 'event' }> | undefined;
    child.on('message', (message: Message<EventOf<J>>) => {
      if (message.type === 'event') tell(message.event);
      else end = message;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      alive.delete(child);
      if (end?.type === 'done') resolve();
      else if (end) reject(new Error(end.message));
      else reject(new Error(`its process ended ${signal ? `by ${signal}` : `with code ${code}`} before it was done`));
    });
    child.send(job);
  });
}
