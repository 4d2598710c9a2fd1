import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A Python script that says in its first line what it has, then answers each line of JSON with one. */
export interface Child<Hello> {
  readonly hello: Hello;
  ask(question: object): Promise<unknown>;
  close(): void;
}

/** Starts `bench/<script>`; `undefined` if the interpreter does not run. */
export async function startPython<Hello>(interpreter: string, script: string): Promise<Child<Hello> | undefined> {
  // Compiled, this file lies in dist/bench/.
  const path = fileURLToPath(new URL(`../../bench/${script}`, import.meta.url));
  const child = spawn(interpreter, [path], { stdio: ['pipe', 'pipe', 'ignore'] });
  const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> =>
    Promise.race([failed, lines.next().then(({ done, value }) => (done ? undefined : value))]);
  const hello = await next();
  if (hello === undefined) return undefined;
  return {
    hello: JSON.parse(hello),
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const answer = await next();
      if (answer === undefined) throw new Error(`bench: ${script} ended without an answer`);
      return JSON.parse(answer);
    },
    close: () => child.stdin.end(),
  };
}
