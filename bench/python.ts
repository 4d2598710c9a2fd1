import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Checker, Fault, Outcome } from './checker.ts';
import type { Inputs } from './layer.ts';

/** The checkers of the Python child, what is missing there and why, and how to end it. */
export interface PythonCheckers {
  readonly checkers: readonly Checker[];
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: Readonly<Record<string, string>>;
  close(): void;
}

/** Starts `bench/gradcheck.py`; without an interpreter everything is absent. */
export async function pythonCheckers(interpreter: string): Promise<PythonCheckers> {
  // Compiled, this file lies in dist/bench/.
  const script = fileURLToPath(new URL('../../bench/gradcheck.py', import.meta.url));
  const child = spawn(interpreter, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> =>
    Promise.race([failed, lines.next().then(({ done, value }) => (done ? undefined : value))]);
  const hello = await next();
  if (hello === undefined) {
    const why = `${interpreter} does not run`;
    return { checkers: [], versions: {}, absent: { PyTorch: why, JAX: why }, close() {} };
  }
  const { checkers, versions, absent } = JSON.parse(hello);
  return {
    checkers: checkers.map((name: string) => ({
      name,
      async check({ x, alpha }: Inputs, fault?: Fault): Promise<Outcome> {
        const question = { checker: name, x: [...x], alpha: [...alpha], fault: fault ?? null };
        child.stdin.write(`${JSON.stringify(question)}\n`);
        const answer = await next();
        if (answer === undefined) throw new Error(`bench: ${name} ended without an answer`);
        return JSON.parse(answer);
      },
    })),
    versions,
    absent,
    close: () => child.stdin.end(),
  };
}
