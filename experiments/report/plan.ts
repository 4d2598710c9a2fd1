import { isDead, isTrained, lossOf } from '../claims/runs.ts';
import { commandOf, plan, trialsOf } from '../experiments.ts';
import { isRegistered } from '../registry.ts';
import { mean, median, standardDeviation } from '../statistics.ts';
import { hashOf, keyOf, type Row } from '../trial.ts';

/** An experiment, and how far it is. */
export interface Progress {
  readonly command: string;
  readonly asked: number;
  readonly done: number;
  /** Of one core, for what is left; NaN where nothing of the kind was ever timed. */
  readonly secondsLeft: number;
  readonly lines: readonly ProgressLine[];
}

export interface ProgressLine {
  readonly protocol: string;
  readonly activation: string;
  readonly asked: number;
  readonly done: number;
  readonly dead: number;
  /** Of the test loss of the trials that are done, where it is finite. */
  readonly loss: number;
  readonly sd: number;
}

/** How far each experiment is, by protocol and activation. */
export function progressOf(rows: readonly Row[]): Progress[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const seconds = secondsOf(rows);
  return plan.map((planned) => {
    const trials = trialsOf(planned).map(({ protocol, seed }) => ({
      protocol,
      row: byKey.get(keyOf({ hash: hashOf(protocol), seed })),
    }));
    const lineOf = (key: string): ProgressLine => {
      const own = trials.filter(({ protocol }) => keyOfLine(protocol) === key);
      const done = own.flatMap(({ row }) => row ?? []);
      const losses = done.filter(isTrained).map(lossOf).filter(Number.isFinite);
      return {
        protocol: own[0].protocol.name,
        activation: own[0].protocol.activation.name,
        asked: own.length,
        done: done.length,
        dead: done.filter(isDead).length,
        loss: mean(losses),
        sd: standardDeviation(losses),
      };
    };
    const lines = [...new Set(trials.map(({ protocol }) => keyOfLine(protocol)))].map(lineOf);
    const sum = (of: (line: ProgressLine) => number): number => lines.reduce((total, line) => total + of(line), 0);
    return {
      command: commandOf(planned),
      asked: sum(({ asked }) => asked),
      done: sum(({ done }) => done),
      secondsLeft: sum((line) => (line.asked === line.done ? 0 : (line.asked - line.done) * seconds(line))),
      lines,
    };
  });
}

/** Median seconds of a trial of a protocol with an activation; NaN if there is none. */
export function secondsOf(rows: readonly Row[]): (of: Pick<Row, 'protocol' | 'activation'>) => number {
  const nameOf = ({ protocol, activation }: Pick<Row, 'protocol' | 'activation'>) => `${protocol} ${activation}`;
  const found = new Map<string, number[]>();
  for (const row of rows.filter(isRegistered)) {
    const name = nameOf(row);
    found.set(name, [...(found.get(name) ?? []), row.seconds]);
  }
  return (of) => median(found.get(nameOf(of)) ?? []);
}

function keyOfLine({ name, activation }: { name: string; activation: { name: string } }): string {
  return `${name} ${activation.name}`;
}
