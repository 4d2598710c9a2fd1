import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behaviour, fake } from './fake-for-tests.ts';
import { SubjectProcess } from './process.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-process-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The lines of a command that is sent these messages, and how it ends. */
function run(
  command: readonly [string, ...string[]],
  ...messages: object[]
): Promise<{ lines: string[]; reason: string; stderr: string }> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const subject = new SubjectProcess(command, {
      line: (text) => lines.push(text),
      drain: () => {},
      end: ({ message }) => resolve({ lines, reason: message, stderr: subject.stderr }),
    });
    for (const message of messages) subject.send(message);
  });
}

const runRequest = { id: 1, cmd: 'run', op: 'forward', inputs: {} };
const misbehaving = (behaviour: Behaviour) => run(fake(behaviour), runRequest);

describe('lines', () => {
  it('are those of stdout that are not blank', async () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', '\r', 'ä€😀', 'x'.repeat(200_000)));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (parts) => {
        const path = join(folder, 'out');
        const text = parts.join('\n').toWellFormed();
        writeFileSync(path, text);
        const { lines, reason } = await run(['cat', path]);
        const whole = text.split('\n').slice(0, -1);
        expect(lines).toEqual(whole.filter((one) => one.trim() !== '').map((one) => one.replace(/^\ufeff/, '')));
        expect(reason).toBe(
          text.endsWith('\n') || text === ''
            ? 'ended with exit code 0'
            : 'ended with exit code 0 in the middle of a line',
        );
      }),
      { numRuns: 40 },
    );
  });

  it('are the same in pieces of one character', async () => {
    const { lines } = await run(fake({ pieces: true }), runRequest, { id: 2, cmd: 'stop' });
    expect(lines).toEqual(['{"id":1,"outputs":{}}']);
  });

  it.each<[Behaviour, string]>([
    [{ does: 'long', with: 100 }, 'expected lines of at most 2097152 bytes on stdout, got a longer one'],
    [{ does: 'bytes', with: 'c328' + '0a' }, 'expected UTF-8 on stdout, got other bytes'],
    [{ does: 'kill' }, 'ended by SIGKILL'],
  ])('%j end what is heard', async (behaviour, expected) => {
    const { lines, reason } = await misbehaving(behaviour);
    expect(lines).toEqual([]);
    expect(reason).toBe(expected);
  });
});

it('the last words are whole characters, and few', async () => {
  const { stderr } = await run(fake({ does: 'stderr', with: { text: '€', count: 100_000 } }), runRequest, {
    cmd: 'stop',
  });
  expect(stderr).toHaveLength(4096);
  expect(stderr).toMatch(/^€+ end$/);
});

it('no shell reads the command', async () => {
  const words = ['$(touch made)', '`touch made`', '*', '; touch made', '>made', '$HOME'];
  const { lines } = await run(['printf', '%s\n', ...words]);
  expect(lines).toEqual(words);
  expect(readdirSync('.')).not.toContain('made');
});

describe('stdin', () => {
  it('is full while nobody reads, and drained later', async () => {
    const drained = await new Promise<boolean>((resolve) => {
      const subject = new SubjectProcess(['sh', '-c', 'read go; cat >/dev/null'], {
        line: () => {},
        drain: () => resolve(true),
        end: () => resolve(false),
      });
      expect(subject.isFull).toBe(false);
      subject.send({ text: 'x'.repeat(2 ** 20) });
      expect(subject.isFull).toBe(true);
    });
    expect(drained).toBe(true);
  });

  it('of a process that has ended takes what is sent', async () => {
    let subject: SubjectProcess | undefined;
    await new Promise<void>((resolve) => {
      subject = new SubjectProcess(['true'], { line: () => {}, drain: () => {}, end: () => resolve() });
      subject.send(runRequest);
    });
    subject!.send(runRequest);
    subject!.kill();
    expect(await subject!.stop(1000)).toBeUndefined();
  });
});
