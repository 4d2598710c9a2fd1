import { availableParallelism } from 'node:os';
import { verification as protocol, requiredAccuracy } from '../experiments/protocols.ts';
import type { Law } from '../properties/law.ts';
import type { LawResult } from '../properties/verify.ts';
import type { CheckEvent, CheckRequest } from './check.ts';
import type { MnistEvent, MnistRequest } from './mnist.ts';
import type { Progress } from './progress.ts';
import type { MnistReport, Report, SubjectReport } from './report.ts';
import { type SubjectName, version } from './subjects.ts';

/** How the work is done: in child processes by the command, at once in tests. */
export interface Workers {
  check(name: string, laws: readonly Law[], request: CheckRequest, tell: (event: CheckEvent) => void): Promise<void>;
  train(request: MnistRequest, tell: (event: MnistEvent) => void): Promise<void>;
}

export interface VerificationRequest extends CheckRequest {
  readonly laws: readonly Law[];
  readonly subjects: readonly string[];
  /** The Subjects were named one by one: each must be there. */
  readonly named: boolean;
  /** Epochs of the training; 0 leaves it out. */
  readonly epochs: number;
}

/** Checks the laws on every Subject, as many at once as there are cores, then trains MNIST. Never throws for a Subject. */
export async function verification(
  request: VerificationRequest,
  workers: Workers,
  progress: Progress,
): Promise<Report> {
  const { laws, subjects, named, seed, runs } = request;
  const start = performance.now();
  for (const name of subjects) progress.begin(name, laws.length * runs);
  const reports = new Map<string, SubjectReport>();
  // The slowest first, so that no core is left with it at the end: the native backend pays for each op.
  const queue = subjects.toReversed();
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      reports.set(name, await checkOne(name, request, workers, progress));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const mnist = await trainOnce(request, workers, progress);
  progress.stop();
  return {
    poolproof: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    seed,
    runs,
    named,
    laws: laws.map(({ id, statement, source }) => ({ id, statement, source })),
    subjects: subjects.map((name) => reports.get(name)!),
    mnist,
    milliseconds: performance.now() - start,
  };
}

async function checkOne(
  name: string,
  { laws, runs, seed }: VerificationRequest,
  workers: Workers,
  progress: Progress,
): Promise<SubjectReport> {
  const start = performance.now();
  const results: LawResult[] = [];
  const report: { -readonly [K in keyof SubjectReport]: SubjectReport[K] } = {
    name,
    state: 'checked',
    results,
    milliseconds: 0,
  };
  const tell = (event: CheckEvent): void => {
    if (event.type === 'open') {
      const { type: _, ...about } = event;
      Object.assign(report, about);
    } else if (event.type === 'unavailable') {
      report.state = event.state;
      report.reason = event.reason;
    } else if (event.type === 'result') {
      results.push(event.result);
      progress.update(name, results.length * runs, event.result.law);
    } else progress.update(name, event.done, event.law);
  };
  try {
    await workers.check(name, laws, { runs, seed }, tell);
  } catch (error) {
    report.state = 'died';
    report.reason = (error as Error).message;
  }
  report.milliseconds = performance.now() - start;
  const failed = results.filter(({ outcome }) => outcome === 'failed').length;
  const broke = results.filter(({ outcome }) => outcome === 'broke').length;
  const outcome = failed + broke > 0 ? `${failed} failed, ${broke} broke` : 'all held';
  progress.end(name, report.state === 'checked' ? outcome : report.state);
  return report;
}

async function trainOnce(
  { subjects, epochs, seed }: VerificationRequest,
  workers: Workers,
  progress: Progress,
): Promise<MnistReport> {
  if (epochs === 0) return { state: 'left out' };
  const backends = subjects.filter((name) => name !== 'reference') as Exclude<SubjectName, 'reference'>[];
  if (backends.length === 0) return { state: 'not run', reason: 'no TensorFlow.js backend is among those named' };
  const name = 'mnist';
  let report: MnistReport | undefined;
  let opened: Extract<MnistEvent, { type: 'open' }> | undefined;
  const tell = (event: MnistEvent): void => {
    switch (event.type) {
      case 'download':
        progress.begin(name, event.total ?? 0);
        progress.update(name, event.received, event.file);
        return;
      case 'open':
        opened = event;
        return;
      case 'progress':
        progress.begin(name, event.total);
        progress.update(name, event.done, event.note);
        return;
      case 'not run':
        report = { state: 'not run', reason: event.reason };
        return;
      case 'result': {
        const { backend, version, passedOver } = opened!;
        const { rows } = event;
        report = { state: 'run', protocol: protocol.name, backend, version, passedOver, rows, requiredAccuracy };
      }
    }
  };
  progress.begin(name, 0);
  try {
    await workers.train({ backends, epochs, seed }, tell);
  } catch (error) {
    report = { state: 'broke', reason: `${opened ? `${opened.backend}: ` : ''}${(error as Error).message}` };
  }
  progress.end(name, report?.state === 'run' ? 'trained' : (report?.state ?? 'broke'));
  return report ?? { state: 'broke', reason: 'the training ended without a result' };
}
