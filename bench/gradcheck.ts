/** Measures the gradient checkers. Run by npm run bench. */
import { version_core } from '@tensorflow/tfjs';
import type { Checker, Fault, Outcome } from './checker.ts';
import { type Figures, gradcheckTable, type Row } from './figures.ts';
import { type Inputs, normalInputs } from './layer.ts';
import { poolproofCheckers } from './poolproof.ts';
import { pythonCheckers } from './python.ts';
import { quantile } from './quantile.ts';
import { thisMachine, writeFigures } from './run.ts';
import { smallestSeen } from './smallest.ts';

const draws = 50;
/** Each checker runs so long before it is measured, and at least once. */
const warmUpMs = 1000;

const python = await pythonCheckers(process.env.POOLPROOF_PYTHON ?? 'python3');
for (const [name, why] of Object.entries(python.absent)) console.log(`${name} is absent: ${why}`);
const checkers = [...(await poolproofCheckers()), ...python.checkers];
for (const { check } of checkers) {
  const start = performance.now();
  do await check(normalInputs(0));
  while (performance.now() - start < warmUpMs);
}
const outcomes = new Map<Checker, Outcome[]>(checkers.map((checker) => [checker, []]));
for (let draw = 1; draw <= draws; draw++) {
  for (const checker of checkers) outcomes.get(checker)!.push(await checker.check(normalInputs(draw)));
}
const rows: Row[] = [];
for (const checker of checkers) rows.push(await rowOf(checker, outcomes.get(checker)!));
python.close();

const figures: Figures = {
  draws,
  machine: thisMachine(),
  versions: { node: process.versions.node, tfjs: version_core, ...python.versions },
  absent: python.absent,
  rows,
  smallest: await smallestSeen(),
};
writeFigures('gradcheck', figures);
console.log(gradcheckTable(figures));

async function rowOf({ name, check }: Checker, all: readonly Outcome[]): Promise<Row> {
  const inputs = passing(all);
  const element = inputs.x.findIndex((v) => v > 0.5);
  const sees = async (factor: number) => {
    const fault: Fault = { element, factor };
    return !(await check(inputs, fault)).passed;
  };
  const ms = all.map((outcome) => outcome.ms);
  return {
    name,
    median: quantile(ms, 0.5),
    quartiles: [quantile(ms, 0.25), quantile(ms, 0.75)],
    forward: quantile(
      all.map(({ forward }) => forward),
      0.5,
    ),
    backward: quantile(
      all.map(({ backward }) => backward),
      0.5,
    ),
    jvp: quantile(
      all.map(({ jvp }) => jvp),
      0.5,
    ),
    passes: all.filter(({ passed }) => passed).length / all.length,
    passesZero: (await check({ ...inputs, x: inputs.x.with(element, 0) })).passed,
    sees: { tenfold: await sees(10), relative3: await sees(1 + 1e-3), relative7: await sees(1 + 1e-7) },
  };
}

/** The first inputs on which the correct layer passes: an error is not seen where everything fails. */
function passing(all: readonly Outcome[]): Inputs {
  return normalInputs(
    1 +
      Math.max(
        0,
        all.findIndex(({ passed }) => passed),
      ),
  );
}
