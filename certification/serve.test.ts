import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSuite } from '../fixtures/load.ts';
import { cases } from '../properties/cases.ts';
import { formats } from '../properties/dtypes.ts';
import { referenceSubject } from '../properties/reference-subject.ts';
import type { Answer } from '../reference/case.ts';
import { caseWith } from './fake-for-tests.ts';
import { lackOf, replyTo, type Served, serve } from './serve.ts';
import { everything, ops, outputsOf, parseAnnouncement, parseOutputs, protocol, runRequest } from './wire.ts';

const served: Served = {
  implementation: { name: 'reference', version: '1', language: 'TypeScript' },
  capabilities: everything,
  subject: () => referenceSubject,
};

const ask = (request: object, of: Served = served) =>
  replyTo(of, JSON.stringify({ id: 7, ...request })) as Promise<Record<string, unknown>>;

describe('replyTo', () => {
  it('announces itself to the protocol that it speaks', async () => {
    expect(parseAnnouncement(await ask({ cmd: 'start', protocol }))).toEqual({
      implementation: served.implementation,
      capabilities: everything,
    });
    expect(await ask({ cmd: 'start', protocol: 'pool-harness/2' })).toEqual({
      id: 7,
      refused: '"protocol" expected pool-harness/1, got "pool-harness/2"',
    });
  });

  it('answers as the Subject does, rounded once, in the encoding of the request', async () => {
    const options = { kind: 'general' } as const;
    const any = fc.constantFrom('f64', 'f32', 'f16', 'bf16').chain((dtype) => cases({ ...options, dtype }));
    await fc.assert(
      fc.asyncProperty(any, fc.constantFrom(...ops), fc.constantFrom('hex', 'base64'), async (c, op, encoding) => {
        const reply = await ask(runRequest(op, c, encoding));
        const answer = referenceSubject.answer(c) as Answer;
        const outputs = reply.outputs as Record<string, object>;
        const isFixed = c.pool.constraint.kind === 'fixed';
        const names = outputsOf[op].filter((name) => !(isFixed && name === 'dalpha'));
        expect(parseOutputs(op, c, outputs)).toEqual(
          new Map(names.map((name) => [name, answer[name].map(formats[c.dtype].round)])),
        );
        for (const tensor of Object.values(outputs)) expect(tensor).toHaveProperty(encoding);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses every invalid request of the suite', async () => {
    const { invalid } = readSuite();
    expect(invalid.length).toBeGreaterThan(20);
    for (const { request } of invalid) expect(await ask(request)).toEqual({ id: 7, refused: expect.any(String) });
  });

  it('answers an empty batch of however many units', async () => {
    const shape = [0, 2 ** 31 - 1];
    const empty = { ...caseWith(1), shape, x: new Float64Array(), dy: new Float64Array() };
    const { dtype } = empty;
    expect(await ask(runRequest('vjp', empty, 'hex'))).toMatchObject({
      outputs: { dx: { dtype, shape, hex: '' }, dalpha: { hex: expect.stringMatching(/^0+$/) } },
    });
  });

  it('never rejects, and gives an id that is no integer back as null', async () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const request = fc.record(
      {
        id: fc.oneof(fc.integer(), json),
        cmd: fc.oneof(fc.constantFrom('start', 'run'), json),
        op: fc.oneof(fc.constantFrom(...ops), json),
        dtype: fc.oneof(fc.constantFrom('f32'), json),
        pool: json,
        inputs: json,
      },
      { requiredKeys: [] },
    );
    const deep = '['.repeat(1e5) + ']'.repeat(1e5);
    const line = fc.oneof(
      request.map((value) => JSON.stringify(value)),
      json.map((value) => JSON.stringify(value)),
      fc.string(),
      fc.constantFrom(`{"id":${deep}}`, `{"cmd":"run","op":${deep}}`, deep),
    );
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        const reply = (await replyTo(served, text)) as { id: unknown };
        expect(reply.id === null || Number.isSafeInteger(reply.id)).toBe(true);
        expect(Object.keys(reply)).toEqual(['id', expect.stringMatching(/^(ok|outputs|unsupported|refused|error)$/)]);
        JSON.stringify(reply);
      }),
    );
  });

  it('says what broke', async () => {
    const throws = (thrown: unknown): Served => ({
      ...served,
      subject: () => {
        throw thrown;
      },
    });
    const request = runRequest('forward', caseWith(1), 'hex');
    expect(await ask(request, throws(new Error('no GPU')))).toEqual({ id: 7, error: 'no GPU' });
    expect(await ask(request, throws('no GPU'))).toEqual({ id: 7, error: '"no GPU"' });
  });

  it.each([
    ['ops', 'op:forward'],
    ['dtypes', 'dtype:f32'],
    ['branches', 'branch:relu'],
    ['sharing', 'sharing:layer'],
    ['constraints', 'constraint:free'],
  ])('without %s lacks %s', async (list, lack) => {
    const capabilities = { ...everything, [list]: [] };
    expect(lackOf(capabilities, 'forward', caseWith(1))).toBe(lack);
    const reply = await ask(runRequest('forward', caseWith(1), 'hex'), { ...served, capabilities });
    expect(reply).toEqual({ id: 7, unsupported: lack });
  });

  it('lacks values that its storage cannot hold', () => {
    const capabilities = { ...everything, facets: ['storage:f16'] } as const;
    const c = caseWith(1);
    expect(lackOf(capabilities, 'forward', c)).toBeUndefined();
    for (const name of ['x', 'alpha', 'dy'] as const) {
      const other = { ...c, [name]: c[name].with(0, 1 + 2 ** -20) };
      expect(lackOf(capabilities, 'vjp', other)).toBe('values:storage:f16');
      expect(lackOf(everything, 'vjp', other)).toBeUndefined();
    }
  });
});

describe('serve', () => {
  const start = JSON.stringify({ id: 0, cmd: 'start', protocol });
  const run = JSON.stringify({ id: 1, ...runRequest('forward', caseWith(1), 'hex') });

  it.each([
    ['stop', `${start}\n\n${run}\r\n{"id":2,"cmd":"stop"}\n${run}\n`],
    ['the end of input', `${start}\n${run}\n`],
    ['a line without its end', `${start}\n  \n${run}`],
  ])('answers until %s', async (_, sent) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const speaking = serve(served, input, output).then(() => output.end());
    input.end(sent);
    const lines = (await text(output)).trim().split('\n');
    await speaking;
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([0, 1]);
  });

  it('writes no faster than it is read', async () => {
    let most = 0;
    const output = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        most = Math.max(most, this.writableLength);
        setImmediate(done);
      },
    });
    const input = new PassThrough();
    input.end(`${run}\n`.repeat(50));
    await serve(served, input, output);
    expect(most).toBeLessThan(3 * JSON.stringify(await replyTo(served, run)).length);
  });

  it('rejects when nobody reads its replies any more', async () => {
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const input = new PassThrough();
    input.write(`${start}\n`);
    await expect(serve(served, input, output)).rejects.toThrow('EPIPE');
  });
});
