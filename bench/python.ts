import type { Checker, Fault, Outcome } from './checker.ts';
import { startPython } from './child.ts';
import type { Inputs } from './layer.ts';

/** The checkers of the Python child, what is missing there and why, and how to end it. */
export interface PythonCheckers {
  readonly checkers: readonly Checker[];
  readonly versions: Readonly<Record<string, string>>;
  readonly absent: Readonly<Record<string, string>>;
  close(): void;
}

interface Hello extends Pick<PythonCheckers, 'versions' | 'absent'> {
  readonly checkers: readonly string[];
}

/** Starts `bench/gradcheck.py`; without an interpreter everything is absent. */
export async function pythonCheckers(interpreter: string): Promise<PythonCheckers> {
  const child = await startPython<Hello>(interpreter, 'gradcheck.py');
  if (child === undefined) {
    const why = `${interpreter} does not run`;
    return { checkers: [], versions: {}, absent: { PyTorch: why, JAX: why }, close() {} };
  }
  const { checkers, versions, absent } = child.hello;
  return {
    checkers: checkers.map((name) => ({
      name,
      check: async ({ x, alpha }: Inputs, fault?: Fault) =>
        (await child.ask({ checker: name, x: [...x], alpha: [...alpha], fault: fault ?? null })) as Outcome,
    })),
    versions,
    absent,
    close: child.close,
  };
}
