import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Case } from '../reference/case.ts';
import { type Behaviour, caseWith, fake, isAlive } from './fake-for-tests.ts';
import { type Fault, type Outcome, Session, SessionEnded, type SessionOptions } from './session.ts';

/** For subjects that give no reply; those that do are given all the time that a loaded machine may need. */
const short = 400;

const opened: Session[] = [];
afterEach(() => {
  for (const session of opened.splice(0)) session.kill();
});

async function open(
  behaviour: Behaviour | readonly [string, ...string[]],
  options: Partial<SessionOptions> = {},
): Promise<{ session: Session; faults: Fault[] }> {
  const faults: Fault[] = [];
  const command = 'length' in behaviour ? behaviour : fake(behaviour);
  const session = await Session.open(command, { timeout: 20_000, onFault: (fault) => faults.push(fault), ...options });
  opened.push(session);
  return { session, faults };
}

/** The Case that a misdeed is for, and how its request is told apart. */
const marked = caseWith(1.5, 2.5);
const at = '3fc0000040200000';
const others = [caseWith(1), caseWith(2), caseWith(3), caseWith(4)] as const;
const pipeline = 4;

const y = (outcome: Outcome) => ('tensors' in outcome ? [...outcome.tensors.get('y')!] : outcome);

async function endOf(promise: Promise<unknown>): Promise<SessionEnded> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SessionEnded);
  return error;
}

describe('a request at fault', () => {
  const reply = (fields: string) => `{"id":ID,${fields}}\n`;
  const tensor = (fields: string) => reply(`"outputs":{"y":{${fields}}}`);
  it.each<[string, Partial<Behaviour>, RegExp]>([
    ['exits', { does: 'exit', with: 7 }, /^ended with exit code 7$/],
    ['exits with 0', { does: 'exit', with: 0 }, /^ended with exit code 0$/],
    ['is killed', { does: 'kill' }, /^ended by SIGKILL$/],
    ['hangs', { does: 'hang' }, /^gave no reply within 0\.4 s$/],
    ['does not end its line', { does: 'say', with: '{"id":ID}' }, /^gave no reply .* s, only the beginning of a line$/],
    ['writes blank lines only', { does: 'flood', with: '\n' }, /^gave no reply within 0\.4 s$/],
    ['floods stderr', { does: 'floodStderr', with: 'oh no\n' }, /^gave no reply within 0\.4 s$/],
    [
      'floods stdout',
      { does: 'flood', with: '{"id":1e9}\n' },
      /^"id" expected one that is outstanding, got 1000000000$/,
    ],
    ['writes no end of line', { does: 'flood', with: 'x' }, /^expected lines of at most 2097152 bytes on stdout/],
    ['writes other bytes', { does: 'bytes', with: 'ff0a' }, /^expected UTF-8 on stdout, got other bytes$/],
    ['prints', { does: 'say', with: 'Traceback\n' }, /^expected one JSON object a line on stdout, got "Traceback"$/],
    ['prints escapes', { does: 'say', with: '\u001b[2J\n' }, /^expected one JSON object .* got "\\u001b\[2J"$/],
    ['replies null', { does: 'say', with: 'null\n' }, /^expected a JSON object, got "null"$/],
    ['replies an array', { does: 'say', with: '[{"id":ID}]\n' }, /^expected a JSON object, got "\[/],
    ['gives no id', { does: 'say', with: '{"error":"x"}\n' }, /^"id" expected an integer, got undefined$/],
    ['nests deeply', { does: 'nest', with: 1e6 }, /^"id" expected an integer/],
    ['gives another id', { does: 'say', with: '{"id":999,"error":"x"}\n' }, /^"id" expected one that is outstanding/],
    ['says nothing', { does: 'say', with: '{"id":ID}\n' }, /^expected one of outputs, .* got none of them$/],
    ['says two things', { does: 'say', with: reply('"refused":"a","error":"b"') }, /got refused and error$/],
    ['has no y', { does: 'say', with: reply('"outputs":{}') }, /^"outputs\.y" expected a tensor, got nothing$/],
    [
      'has another dtype',
      { does: 'say', with: tensor('"dtype":"f64","shape":[1,2],"hex":"00000000000000000000000000000000"') },
      /^"outputs\.y\.dtype" expected f32 as the request, got f64$/,
    ],
    [
      'has another shape',
      { does: 'say', with: tensor('"dtype":"f32","shape":[2],"hex":"0000000000000000"') },
      /^"outputs\.y" expected shape \[1, 2\], got \[2\]$/,
    ],
    [
      'has short hex',
      { does: 'say', with: tensor('"dtype":"f32","shape":[1,2],"hex":"0"') },
      /^"outputs\.y\.hex" expected 16 hex digits/,
    ],
  ])('is named when the subject %s, and the others are answered', async (_, misdeed, reason) => {
    const { session, faults } = await open({ ...misdeed, at, capabilities: { pipeline } }, { timeout: short });
    const outcomes = await Promise.all([others[0], marked, ...others.slice(1)].map((c) => session.ask('forward', c)));
    const [first, atFault, ...rest] = outcomes;
    expect(atFault).toEqual({ fault: expect.stringMatching(reason) });
    expect([first, ...rest].map(y)).toEqual([[1], [2], [3], [4]]);
    // With the others outstanding, then alone: one fault.
    expect(faults).toEqual([{ reason: expect.stringMatching(reason), stderr: expect.anything() }]);
  });

  it('is called as whoever asked called it', async () => {
    const { session, faults } = await open({ does: 'exit', with: 7, at, capabilities: { pipeline } });
    await Promise.all([others[0], marked, ...others.slice(1)].map((c, k) => session.ask('forward', c, `number ${k}`)));
    expect(faults).toMatchObject([{ reason: 'ended with exit code 7', request: 'number 1, forward' }]);
  });

  it('that does it with others only stays unnamed, and counts once', async () => {
    // The second of two that come together.
    const { session, faults } = await open({ does: 'together', with: 7, capabilities: { pipeline: 2 } });
    const outcomes = await Promise.all([marked, others[0]].map((c, k) => session.ask('forward', c, `number ${k}`)));
    expect(outcomes.map(y)).toEqual([[1.5, 2.5], [1]]);
    expect(faults).toEqual([{ reason: 'ended with exit code 7', stderr: '' }]);
  });

  it('is not sent again', async () => {
    const { session, faults } = await open({ does: 'exit', with: 1, at });
    for (let k = 0; k < 5; k++) {
      expect(await session.ask('forward', marked)).toEqual({ fault: 'ended with exit code 1' });
      expect(y(await session.ask('forward', others[k % 4]))).toEqual([1 + (k % 4)]);
    }
    expect(faults).toHaveLength(1);
  });
});

describe('a reply in words', () => {
  it.each(['unsupported', 'refused', 'error'])('%s is no fault', async (form) => {
    const { session, faults } = await open({ does: 'say', with: `{"id":ID,"${form}":"\\u001b[31mwhy"}\n` });
    expect(await session.ask('vjp', marked)).toEqual({ [form]: '\u001b[31mwhy' });
    expect(await session.askRaw({ cmd: 'run', inputs: {} })).toEqual({ [form]: '\u001b[31mwhy' });
    expect(faults).toEqual([]);
  });

  it('given twice is a fault of what is outstanding then, if anything', async () => {
    const twice = '{"id":ID,"error":"first"}\n{"id":ID,"error":"second"}\n';
    const { session, faults } = await open({ does: 'say', with: twice, at, capabilities: { pipeline } });
    const outcomes = await Promise.all([marked, ...others].map((c) => session.ask('forward', c)));
    expect(outcomes[0]).toEqual({ error: 'first' });
    expect(outcomes.slice(1).map(y)).toEqual([[1], [2], [3], [4]]);
    expect(faults.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^"id" expected one that is outstanding, got \d+$/),
    ]);
  });
});

it('every legal order and form of the same replies has the same outcome', async () => {
  const cases: Case[] = Array.from({ length: 12 }, (_, k) => caseWith(k, k / 2));
  const form = fc.constantFrom(1, 2, 3, 4, 6).chain((length) =>
    fc.record({
      order: fc.shuffledSubarray(
        Array.from({ length }, (_, k) => k),
        { minLength: length },
      ),
      end: fc.constantFrom('\n', '\r\n', '\n\n', '\r\n \r\n\n', '  \t\n'),
      pipeline: fc.integer({ min: length, max: 20 }),
      pieces: fc.boolean(),
    }),
  );
  await fc.assert(
    fc.asyncProperty(form, async ({ order, end, pipeline, pieces }) => {
      const { session, faults } = await open({ order, end, pieces, capabilities: { pipeline } });
      const outcomes = await Promise.all(cases.map((c, k) => session.ask(k % 3 === 0 ? 'vjp' : 'forward', c)));
      for (const [k, outcome] of outcomes.entries()) {
        const { x, alpha, dy } = cases[k];
        const expected = k % 3 === 0 ? { dx: dy, dalpha: alpha } : { y: x };
        expect(outcome).toEqual({ tensors: new Map(Object.entries(expected)) });
      }
      expect(faults).toEqual([]);
      expect(await session.close()).toBeUndefined();
    }),
    { numRuns: 15 },
  );
});

describe('the third fault', () => {
  it('ends the session', async () => {
    const { session, faults } = await open({ does: 'exit', with: 9 });
    for (const c of others.slice(1))
      expect(await session.ask('forward', c)).toEqual({ fault: 'ended with exit code 9' });
    const ended = await endOf(session.ask('forward', others[0]));
    expect(ended.message).toBe('3 faults, the last: ended with exit code 9');
    expect(faults).toHaveLength(3);
    expect((await session.close())?.reason).toBe(ended.message);
  });

  it('tells all who wait', async () => {
    const { session, faults } = await open({ does: 'kill', capabilities: { pipeline } });
    const asked = Array.from({ length: 30 }, (_, k) => session.ask('forward', caseWith(k)));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(27);
    expect(faults).toHaveLength(3);
  });
});

describe('start', () => {
  const start = '"cmd":"start"';
  it.each<[string, Behaviour | readonly [string, ...string[]], RegExp]>([
    ['there is no such command', ['poolproof-no-such-command'], /^start: could not be started: .*ENOENT$/],
    ['the command is empty', [''], /^start: could not be started: .*empty/],
    ['a folder is no folder', ['/dev/null/subject'], /^start: could not be started: .*ENOTDIR$/],
    ['it is no program', ['/'], /^start: could not be started: .*EACCES$/],
    ['it ends at once', { does: 'exit', with: 5, at: start }, /^start: ended with exit code 5$/],
    ['it hangs', { does: 'hang', at: start }, /^start: gave no reply within 0\.4 s$/],
    ['it prints', { does: 'say', with: 'Hello\n', at: start }, /^start: expected one JSON object a line on stdout/],
    [
      'it replies to another',
      { does: 'say', with: '{"id":1,"ok":{}}\n', at: start },
      /^start: "id" expected 0, of start/,
    ],
    [
      'it refuses',
      { does: 'say', with: '{"id":0,"refused":"v2"}\n', at: start },
      /^start: refused by the subject: "v2"$/,
    ],
    [
      'it has no dtype',
      { capabilities: { dtypes: [] } },
      /^start: "capabilities\.dtypes" expected at least one, got \[\]$/,
    ],
    [
      'it has a dtype of its own',
      { capabilities: { dtypes: ['f32', 'f8' as 'f16'] } },
      /^start: "capabilities\.dtypes" expected f64, f32, f16, bf16, got "f8"$/,
    ],
    [
      'its pipeline is 0',
      { capabilities: { pipeline: 0 } },
      /^start: "capabilities\.pipeline" expected an integer from 1/,
    ],
  ])('fails when %s', async (_, behaviour, reason) => {
    const isHanging = 'does' in behaviour && behaviour.does === 'hang';
    const ended = await endOf(open(behaviour, { startTimeout: isHanging ? short : 20_000 }));
    expect(ended.message).toMatch(reason);
  });

  it('keeps the last words', async () => {
    const script = 'console.error("no module torch"); process.exit(1)';
    expect((await endOf(open([process.execPath, '-e', script]))).stderr).toBe('no module torch\n');
  });

  it('of a second process must announce the same', async () => {
    const { session } = await open({ name: 'number PID', does: 'kill', at });
    expect(await session.ask('forward', marked)).toEqual({ fault: 'ended by SIGKILL' });
    const ended = await endOf(session.ask('forward', others[0]));
    expect(ended.message).toBe('start: expected the same announcement as before, got another');
  });

  it('may take longer than a reply', async () => {
    const { session } = await open({}, { timeout: 1 });
    expect(session.announcement.implementation.name).toBe('fake');
  });
});

describe('stop', () => {
  const stop = '"cmd":"stop"';
  it.each<[string, Partial<Behaviour>, RegExp]>([
    ['another exit code', { does: 'exit', with: 3 }, /got exit code 3$/],
    ['a signal', { does: 'kill' }, /got SIGKILL$/],
    ['nothing', { does: 'hang' }, /^stop: expected exit code 0 within 0\.4 s, got no exit$/],
    ['a flood', { does: 'flood', with: 'bye\n' }, /got no exit$/],
  ])('followed by %s is a fault', async (_, misdeed, reason) => {
    const isEndless = misdeed.does === 'hang' || misdeed.does === 'flood';
    const { session } = await open({ ...misdeed, at: stop }, { timeout: isEndless ? short : 20_000 });
    expect((await session.close())?.reason).toMatch(reason);
    await endOf(session.ask('forward', marked));
  });

  it('is refused to nobody who asks later', async () => {
    const { session } = await open({});
    expect(await session.close()).toBeUndefined();
    await endOf(session.ask('forward', marked));
  });
});

describe('what a subject starts', () => {
  it('ends with it', async () => {
    const { session, faults } = await open({ does: 'child', with: { code: 7 } });
    expect(await session.ask('forward', marked)).toEqual({ fault: 'ended with exit code 7' });
    await expect.poll(() => isAlive(Number(faults[0].stderr))).toBe(false);
  });

  it('ends after stop', async () => {
    const { session, faults } = await open({ does: 'child', with: {}, at: '"cmd":"run"' });
    await session.ask('forward', marked);
    expect(await session.close()).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it('does not keep the runner when it has left the group', async () => {
    const { session, faults } = await open({ does: 'child', with: { code: 7, detached: true } }, { timeout: short });
    expect(await session.ask('forward', marked)).toEqual({ fault: 'gave no reply within 0.4 s' });
    const pid = Number(faults[0].stderr);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });
});

describe('a subject that never reads', () => {
  const large = caseWith(...Array.from({ length: 50_000 }, (_, k) => k));

  it('is not sent more than it takes', async () => {
    const { session, faults } = await open({ does: 'deaf', capabilities: { pipeline: 1e9 } }, { timeout: short });
    expect(session.pipeline).toBe(64);
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => session.ask('vjp', large)));
    expect(asked.map(({ status }) => status)).toContain('rejected');
    expect(faults.map(({ reason }) => reason)).toEqual(Array(3).fill('gave no reply within 0.4 s'));
  });

  it('but replies is found out', async () => {
    const { session } = await open({ does: 'deaf', with: 3, capabilities: { pipeline } }, { timeout: short });
    await endOf(Promise.all(Array.from({ length: 20 }, () => session.ask('vjp', large))));
  });
});

it('a reply that came while the runner was busy is in time', async () => {
  const { session, faults } = await open({}, { timeout: 200 });
  const outcome = session.ask('forward', marked);
  await new Promise((resolve) => setTimeout(resolve, 1));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  expect(y(await outcome)).toEqual([1.5, 2.5]);
  expect(faults).toEqual([]);
});
