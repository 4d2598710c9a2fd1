import { describe, expect, it } from 'vitest';
import type { Law } from '../properties/law.ts';
import { laws } from '../properties/laws.ts';
import { mutants } from '../properties/mutants.ts';
import { referenceSubject } from '../properties/reference-subject.ts';
import { columns } from '../properties/wrapped.ts';
import type { Subject } from '../reference/subject.ts';
import { checkSubject } from './check.ts';
import type { MnistEvent } from './mnist.ts';
import type { Progress } from './progress.ts';
import { replay } from './replay.ts';
import { replayLine } from './replay-line.ts';
import { exitCodeOf, type Report } from './report.ts';
import { decodeReport, encodeReport } from './report-json.ts';
import { reportText } from './report-text.ts';
import { Unavailable } from './subjects.ts';
import { type VerificationRequest, verification, type Workers } from './verification.ts';

const silent: Progress = { begin() {}, update() {}, end() {}, stop() {} };

/** Workers that ask these Subjects in this process, and train as told. */
function workers(subjects: Record<string, Subject | Error>, trained: readonly MnistEvent[] = []): Workers {
  return {
    async check(name, chosen, request, tell) {
      const subject = subjects[name];
      const open = async () => {
        if (subject instanceof Error) throw subject;
        return { subject, version: '1' };
      };
      await checkSubject(open, chosen, request, tell);
    },
    async train(_, tell) {
      for (const event of trained) tell(event);
    },
  };
}

function request(changes: Partial<VerificationRequest> & Pick<VerificationRequest, 'subjects'>): VerificationRequest {
  return { laws: lawsOf('agreement/y', 'agreement/dx'), named: true, runs: 20, seed: 3, epochs: 0, ...changes };
}

function lawsOf(...ids: string[]): Law[] {
  return laws.filter(({ id }) => ids.includes(id));
}

function mutant(id: string): Subject {
  return mutants.find((wrong) => wrong.id === id)!.make();
}

async function verify(
  subjects: Record<string, Subject | Error>,
  changes: Partial<VerificationRequest> = {},
  trained: readonly MnistEvent[] = [],
): Promise<Report> {
  return await verification(
    request({ subjects: Object.keys(subjects), ...changes }),
    workers(subjects, trained),
    silent,
  );
}

const throwing: Subject = {
  ...referenceSubject,
  answer() {
    throw new Error('out of memory');
  },
};

describe('verification', () => {
  it('holds on the reference, and compares as many cases as asked for', async () => {
    const report = await verify({ reference: referenceSubject }, { runs: 21 });
    expect(report.subjects[0].results.map(({ outcome, cases }) => [outcome, cases])).toEqual([
      ['held', { dyadic: 11, general: 10 }],
      ['held', { dyadic: 11, general: 10 }],
    ]);
    expect(exitCodeOf(report)).toBe(0);
  });

  it('fails for a wrong Subject, and for that alone', async () => {
    const report = await verify({ reference: referenceSubject, cpu: mutant('missing-p-in-dx') });
    const failed = report.subjects.map(({ results }) =>
      results.filter(({ outcome }) => outcome !== 'held').map(({ law, outcome }) => [law, outcome]),
    );
    expect(failed).toEqual([[], [['agreement/dx', 'failed']]]);
    expect(exitCodeOf(report)).toBe(1);
    expect(reportText(report)).toMatch(/agreement\/dx +20 +\d+\.\d+s FAIL [12] +\d+\.\d+s\n/);
  });

  it('is the same again for the same seed', async () => {
    const found = async () =>
      (await verify({ cpu: mutant('missing-p-in-dx') })).subjects[0].results.map(({ failures }) => failures);
    expect(await found()).toEqual(await found());
  });

  it('goes on after a Subject that throws, dies or is missing', async () => {
    const died = workers({ reference: referenceSubject, wasm: throwing });
    const report = await verification(
      request({ subjects: ['reference', 'cpu', 'wasm', 'tensorflow'] }),
      {
        ...died,
        async check(name, ...rest) {
          if (name === 'cpu') throw new Error('its process ended by SIGSEGV');
          if (name === 'tensorflow') {
            return workers({ tensorflow: new Unavailable('absent', 'not installed; install it') }).check(name, ...rest);
          }
          await died.check(name, ...rest);
        },
      },
      silent,
    );
    expect(report.subjects.map(({ state }) => state)).toEqual(['checked', 'died', 'checked', 'absent']);
    expect(report.subjects[2].results.map(({ outcome }) => outcome)).toEqual(['broke', 'broke']);
    expect(exitCodeOf(report)).toBe(3);
    const text = reportText(report);
    expect(text).toContain('cpu: DIED: its process ended by SIGSEGV');
    expect(text).toContain('tensorflow: ABSENT: not installed; install it');
    expect(text).toContain('reference threw: out of memory');
  });

  it('takes a backend that is missing for an error only when it was named', async () => {
    const subjects = { reference: referenceSubject, tensorflow: new Unavailable('absent', 'not installed') };
    expect(exitCodeOf(await verify(subjects, { named: true }))).toBe(3);
    const auto = await verify(subjects, { named: false });
    expect(exitCodeOf(auto)).toBe(0);
    expect(reportText(auto)).toContain('tensorflow: absent, passed over: not installed');
  });

  it('says that nothing was run', async () => {
    const report = await verify({ reference: referenceSubject }, { laws: lawsOf('state/no-leak') });
    expect(exitCodeOf(report)).toBe(5);
    expect(reportText(report)).toMatch(/state\/no-leak +n\/a\n/);
    expect(reportText(report)).toContain('n/a: the law needs liveTensors');
    expect(reportText(report)).toContain('no case was checked');
  });
});

describe('the training', () => {
  const worstSum = {
    ...{ what: 'W0 gradient', ratio: 0.25, index: 3, actual: 1, expected: 1, bound: 1e-7, elements: 10, step: 2 },
    isSum: true,
  };
  const lockstep = {
    steps: 10,
    elements: 1000,
    worst: { ...worstSum, what: 'da0', ratio: 1, isSum: false },
    worstSum,
    lossDifference: 1e-6,
    lossBound: 1e-5,
    settled: 0,
    settledBy: 0,
    held: true,
  };
  const opened: MnistEvent = { type: 'open', backend: 'cpu', version: 'tfjs 4', passedOver: [] };
  const row = {
    activation: 'pap',
    protocol: 'verification',
    backend: 'cpu',
    seed: 3,
    epochs: [{ epoch: 1, trainLoss: 0.25, testLoss: 0.125, testAccuracy: 0.9612, trainMs: 1000, stepMs: 14.25 }],
    lockstep,
  };
  const train = (trained: readonly MnistEvent[], subjects: Record<string, Subject> = { cpu: referenceSubject }) =>
    verify(subjects, { epochs: 1 }, trained);

  it('is a table with what lockstep found', async () => {
    const report = await train([opened, { type: 'result', rows: [row] }]);
    expect(exitCodeOf(report)).toBe(0);
    expect(reportText(report)).toMatch(/pap +1 +0\.1250 +0\.9612 +14\.[23]\n/);
    const text = reportText(report).replace(/\s+/g, ' ');
    expect(text).toContain('pap: test accuracy above 0.95 in the end: held');
    expect(text).toContain('lockstep pap: held: 1000 values of 10 steps');
    expect(text).toContain('the worst sum W0 gradient at 0.250 of its bound, the worst value da0 at 1.00 of its bound');
  });

  it('fails when a value is outside of its bound', async () => {
    const worst = { ...lockstep.worst, ratio: Number.POSITIVE_INFINITY, actual: Number.NaN };
    const rows = [{ ...row, lockstep: { ...lockstep, worst, held: false } }];
    const report = await train([opened, { type: 'result', rows }]);
    expect(exitCodeOf(report)).toBe(1);
    expect(reportText(report)).toContain('lockstep pap: FAIL');
    expect(decodeReport(JSON.parse(JSON.stringify(encodeReport(report)))).mnist).toEqual(report.mnist);
  });

  it.each([
    [0.95, 1],
    [Number.NaN, 1],
    [0.9501, 0],
  ])('that ends at a test accuracy of %d exits with %d', async (testAccuracy, code) => {
    const epochs = [
      { ...row.epochs[0], testAccuracy: 0.99 },
      { ...row.epochs[0], epoch: 2, testAccuracy },
    ];
    const report = await train([opened, { type: 'result', rows: [row, { ...row, activation: 'relu', epochs }] }]);
    expect(exitCodeOf(report)).toBe(code);
    expect(reportText(report)).toContain(`relu: test accuracy above 0.95 in the end: ${code === 0 ? 'held' : 'FAIL'}`);
  });

  it('says why it was not run, and asks for --no-mnist', async () => {
    const noData = await train([{ type: 'not run', reason: 'train-images: no such file' }]);
    expect(exitCodeOf(noData)).toBe(5);
    expect(reportText(noData)).toContain('MNIST: not run: train-images: no such file');
    expect(reportText(noData)).toContain('--no-mnist leaves it out');
    const noBackend = await train([], { reference: referenceSubject });
    expect(exitCodeOf(noBackend)).toBe(5);
    expect(reportText(noBackend)).toContain('no TensorFlow.js backend');
  });

  it('breaks when its process ends without a result', async () => {
    const report = await train([opened]);
    expect(exitCodeOf(report)).toBe(3);
    expect(reportText(report)).toContain('MNIST: BROKE');
  });
});

describe('a failure', () => {
  const wrong = ['missing-p-in-dx', 'step-at-zero-is-one', 'nan-to-zero'];

  it.each(wrong)('of %s is found again by its line', async (id) => {
    const subject = mutant(id);
    const { subjects } = await verify({ cpu: subject }, { laws, runs: 40 });
    const failures = subjects[0].results.flatMap((result) => result.failures);
    expect(failures.length).toBeGreaterThan(0);
    for (const failure of failures) {
      const flags = replayLine('cpu', failure).matchAll(/--(\w+) (\S+)/g);
      const given = Object.fromEntries([...flags].map(([, flag, value]) => [flag, value]));
      const law = laws.find((known) => known.id === given.law)!;
      const at = { law: law.id, kind: given.kind as 'dyadic', seed: Number(given.seed), path: given.path };
      const again = await replay(law, async () => subject, at);
      expect(again.exitCode).toBe(1);
      const section = reportText(await verify({ cpu: subject }, { laws: [law], runs: 40 })).split('\n\n');
      const printed = section.find((part) => part.startsWith('FAIL on cpu') && part.includes(`--kind ${at.kind} `))!;
      // All but where it was found, which is what the line to paste says.
      const lines = again.text
        .split('\n')
        .slice(1)
        .filter((line) => !/^found by |^ +(after )?(\d+ )?shrinks:$/.test(line));
      expect(printed).toContain(lines.join('\n'));
      expect(printed.split('\n').filter((line) => line.length > columns && !line.startsWith('replay: '))).toEqual([]);
      const right = await replay(law, async () => referenceSubject, at);
      expect(right.exitCode).toBe(0);
    }
  });

  it('is broke, not wrong, when the Subject throws', async () => {
    const { subjects } = await verify({ cpu: throwing });
    const { law, breakage } = subjects[0].results[0];
    const again = await replay(laws.find(({ id }) => id === law)!, async () => throwing, { law, ...breakage! });
    expect(again).toEqual({ exitCode: 3, text: expect.stringContaining('out of memory') });
  });
});

describe('a report', () => {
  it('fits in 80 columns, whatever the outcome', async () => {
    const subjects = {
      reference: referenceSubject,
      cpu: mutant('missing-p-in-dx'),
      wasm: throwing,
      tensorflow: mutant('nan-to-zero'),
    };
    const report = await verify(subjects, { laws, runs: 4 });
    const slow = structuredClone(report) as { -readonly [K in keyof Report]: Report[K] };
    slow.subjects = report.subjects.map((subject) => ({
      ...subject,
      results: subject.results.map((result) => ({
        ...result,
        milliseconds: 345_678,
        cases: { dyadic: 250_000, general: 250_000 },
      })),
    }));
    const [head, table] = reportText(slow).split('\n\n');
    expect(`${head}\n${table}`.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(table).toContain('500k  346s');
    expect(table).toMatch(/FAIL 2 {1,2}346s/);
    expect(table).toMatch(/BROKE {1,2}346s/);
    expect(table.split('\n').length).toBe(laws.length + 9);
  });

  it('comes back from JSON as it was', async () => {
    const subjects = { cpu: mutant('nan-to-zero'), wasm: throwing };
    const report = await verify(subjects, { laws, runs: 20 });
    const encoded = JSON.parse(JSON.stringify(encodeReport(report)));
    expect(decodeReport(encoded)).toEqual(report);
    const [failure] = encoded.subjects[0].results.flatMap(({ failures }: { failures: unknown[] }) => failures);
    expect(failure.case.inputs.x.hex).toMatch(/^[0-9a-f]+$/);
    expect(failure.finding.numbers).toMatchObject({ dtype: 'f64', shape: [4] });
    expect(() => decodeReport({ ...encoded, schema: 'poolproof-report/0' })).toThrow(
      new RangeError('decodeReport: "schema" expected poolproof-report/1, got "poolproof-report/0"'),
    );
  });
});
