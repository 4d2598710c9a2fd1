import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeCase } from '../fixtures/case.ts';
import type { InvalidRequest } from '../fixtures/invalid.ts';
import { replyOf } from '../fixtures/kills.ts';
import { readSuite } from '../fixtures/load.ts';
import type { SmokeRequest } from '../fixtures/smoke.ts';
import { gpuStyles, legalStyles, legalSubject, narrowStyles } from '../properties/legal.ts';
import { mutants } from '../properties/mutants.ts';
import { againLine } from './again.ts';
import { Answers } from './answers.ts';
import { certificateOf, differences, parseCertificate } from './certificate.ts';
import { type CertifyOptions, certify } from './certify.ts';
import { fake } from './fake-for-tests.ts';
import { junitXml } from './junit.ts';
import { certificationPage } from './page.ts';
import type { CertificationReport } from './report.ts';

const suite = readSuite();
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Certifies `poolproof serve reference`, of the sources that were compiled, by smoke unless told otherwise. */
const run = (args: readonly string[], options: Partial<CertifyOptions> = {}): Promise<CertificationReport> =>
  certify(suite, {
    command: [process.execPath, main, 'serve', 'reference', ...args],
    profile: 'smoke',
    runs: 100,
    seed: 0,
    jobs: 1,
    timeout: 30_000,
    minCases: 1,
    known: new Set(),
    version: '0.0.0',
    ...options,
  });

/** All mutants and evaluations, and so many fresh Cases, in a long attack; else a few. */
const attack = Number(process.env.POOLPROOF_ATTACK ?? 0);
const some = <T>(list: readonly T[], step: number) => (attack > 0 ? list : list.filter((_, k) => k % step === 0));
const timeout = 3_600_000;

describe('right implementations', () => {
  const names = [...legalStyles, ...narrowStyles, ...gpuStyles].map((style) => legalSubject(style).name);

  it.each(some(names, 101))('%s conforms', { timeout }, async (name) => {
    const report = await run(['--evaluation', name], { profile: 'training', runs: attack || 100 });
    expect(report).toMatchObject({ outcome: 'conforms', exitCode: 0, failures: [], faults: [] });
    expect(report.checks.challenge.passed).toBe(2 * report.runs);
  });

  it('in a storage narrower than their dtype are asked what it holds', { timeout }, async () => {
    const report = await run(['--evaluation', 'f32 blocked fused lerp storage:f16'], { profile: 'training' });
    expect(report).toMatchObject({ outcome: 'conforms', failures: [], faults: [] });
    expect(report.lacking['values:storage:f16']).toBeGreaterThan(0);
    expect(report.checks.vectors.passed).toBeGreaterThan(50);
    expect(report.checks.accumulated.passed).toBe(0);
  });

  it('get the same certificate again, whatever the number of processes; another with another number', {
    timeout,
  }, async () => {
    const training = { profile: 'training', runs: 1000 } as const;
    const first = await run([], training);
    const certificate = certificateOf(first);
    expect(parseCertificate(JSON.stringify(certificate))).toEqual(certificate);
    const again = await run([], { ...training, jobs: 3 });
    expect(differences(certificate, again)).toEqual([]);
    const other = await run([], { ...training, seed: 1 });
    expect(differences(certificate, other)).toContainEqual(expect.stringMatching(/^seed: was 0, is 1$/));
    const wrong = await run(['--mutant', 'mean-in-dalpha'], { profile: 'training' });
    expect(differences(certificate, wrong)).toEqual(['the run ended with "fails"']);
  });
});

describe('a subject that breaks on more than it may', () => {
  /** Right, but for the requests that hold a NaN of float64. */
  const command = fake({ honest: true, capabilities: { pipeline: 8 }, does: 'kill', at: '7ff8000000000000' });

  it('keeps what was counted, is told which requests broke it, and how to see that again', async () => {
    const report = await run([], { command, profile: 'training' });
    expect(report).toMatchObject({ outcome: 'broke the protocol', ended: '3 faults, the last: ended by SIGKILL' });
    expect(report.checks.vectors.passed).toBeGreaterThan(10);
    const names = report.faults.map(({ request }) => request);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
    const failed = report.failures.map(({ id, op }) => `${id}, ${op}`);
    expect(failed).toEqual(expect.arrayContaining(names as string[]));
    const [first] = report.failures;
    expect(first.trouble).toEqual({ code: 'fault', why: 'ended by SIGKILL' });
    expect(report.smallest?.id).toBe(first.id);
    expect(againLine(report)).toContain(`--only ${first.id} -- `);
    expect(junitXml(report)).toContain(`name="${names[0]}"`);
    expect(certificationPage(report)).toContain(`${names[0]}: ended by SIGKILL`);
  });

  it('by a request that is to be refused is told which', async () => {
    const [{ id, request }] = suite.invalid as readonly [InvalidRequest];
    const at = JSON.stringify(request).slice(1);
    const report = await run([], { command: fake({ honest: true, does: 'exit', with: 1, at }) });
    expect(report.faults).toMatchObject([{ request: id, reason: 'ended with exit code 1' }]);
    expect(report.checks.invalid).toMatchObject({ failed: 1 });
    expect(report.failures).toMatchObject([{ kind: 'invalid', id }]);
  });

  it('is not called non-deterministic for a request that is asked again', async () => {
    const [[id]] = suite.smoke as readonly [SmokeRequest];
    const at = suite.vectors.find((vector) => vector.id === id)!.inputs.x.hex!;
    const once = fake({ honest: true, does: 'kill', at });
    const { failures } = await run([], { command: once, profile: 'training', runs: 1 });
    const again = failures.filter(({ kind }) => kind === 'repeated');
    expect(again.length).toBeGreaterThan(0);
    for (const { trouble, law } of again) expect([trouble.code, law]).toEqual(['fault', 'pool-harness/1']);
  });
});

describe('a bug of state', () => {
  it.each(['kept-by-shape', 'stale-alpha'])('%s: a Case that is right by itself is not shrunk', async (id) => {
    const report = await run(['--mutant', id]);
    const { failures, smallest, rightAlone } = report;
    expect(failures.length).toBeGreaterThan(0);
    expect(smallest).toBeUndefined();
    expect(rightAlone).toBe(`${failures[0].id}, ${failures[0].op}`);
    expect(againLine(report)).toMatch(/ --profile smoke --seed 0 --runs 0 -- /);
    expect(certificationPage(report)).toContain('is right by itself: the reply depends on earlier requests.');
  });

  it('is never told by a Case that a fresh process answers rightly', async () => {
    for (const id of ['every-seventh-call', 'accumulates', 'remembers-branches', 'stale-mask']) {
      const { smallest } = await run(['--mutant', id]);
      if (smallest === undefined) continue;
      const subject = mutants.find((one) => one.id === id)!.make();
      const asked = { op: smallest.op, case: decodeCase(smallest.case!) };
      const answers = new Answers();
      expect(answers.judge(asked, { tensors: replyOf(subject, asked) }), id).toBeDefined();
    }
  });
});

describe('wrong implementations', () => {
  const visible = mutants.map(({ id }) => id).filter((id) => id in suite.matrix.mutants);

  it.each(some(visible, 37))('%s is refused by the smoke list, and named', { timeout }, async (id) => {
    const report = await run(['--mutant', id]);
    expect(report).toMatchObject({ outcome: 'fails', exitCode: 1, faults: [], diagnosis: { kind: 'known' } });
    expect(report.diagnosis).toHaveProperty('mutants', expect.arrayContaining([id]));
    expect(() => certificateOf(report)).toThrow('no certificate: the run ended with "fails"');
  });

  it('the first failure is made small, on what the subject was asked', async () => {
    const report = await run(['--mutant', 'step-at-zero-is-one'], { profile: 'challenge', runs: 500 });
    const { smallest, curve, diagnosis } = report;
    expect(smallest?.law).toBe('agreement/y');
    expect(smallest?.case?.inputs.x).toMatchObject({ shape: [1] });
    expect(curve?.y).toBeDefined();
    expect(diagnosis).toMatchObject({ kind: 'known', mutants: expect.arrayContaining(['step-at-zero-is-one']) });
  });

  it('are known to fail by a list, until a check of it passes', async () => {
    const { failures } = await run(['--mutant', 'step-at-zero-is-one']);
    const listed = failures.map(({ kind, id, op }) => `${kind} ${id} ${op}`);
    // Those of the smoke list are asked twice.
    expect(new Set(listed).size).toBe(listed.length);
    const known = new Set(failures.map(({ id }) => id));
    const again = await run(['--mutant', 'step-at-zero-is-one'], { known });
    expect(again).toMatchObject({ outcome: 'conforms', knownFailing: [...known], failures: [] });
    const mended = await run([], { known });
    expect(mended).toMatchObject({ outcome: 'fails', exitCode: 1, failures: [] });
    expect(mended.unexpectedlyPassed).toEqual([...known]);
  });

  it('that answer gradients of the last forward are found by fresh Cases too', async () => {
    const report = await run(['--mutant', 'stale-x'], { profile: 'challenge', runs: 500 });
    expect(report).toMatchObject({ outcome: 'fails' });
  });

  it('one check alone can be asked again', async () => {
    const report = await run(['--mutant', 'step-at-zero-is-one'], { only: new Set(['edge/kink/f64']) });
    expect(new Set(report.failures.map(({ id }) => id))).toEqual(new Set(['edge/kink/f64']));
    expect(report.checks.invalid).toEqual({ passed: 0, failed: 0 });
  });
});

it('what was too little is not certified', async () => {
  expect(await run([], { minCases: 1000 })).toMatchObject({ outcome: 'too little was run', exitCode: 5 });
  expect(await run([], { only: new Set(['core/none']) })).toMatchObject({ outcome: 'too little was run' });
  const smoke = await run([]);
  expect(smoke).toMatchObject({ outcome: 'conforms', exitCode: 0 });
  expect(() => certificateOf(smoke)).toThrow('no certificate: the profile smoke asks no fresh cases');
});
