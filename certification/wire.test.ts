import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCase } from '../fixtures/case.ts';
import { encodeTensor } from '../fixtures/tensor.ts';
import { cases } from '../properties/cases.ts';
import { formats } from '../properties/dtypes.ts';
import { referenceSubject } from '../properties/reference-subject.ts';
import type { Answer } from '../reference/case.ts';
import { caseWith } from './fake-for-tests.ts';
import {
  everything,
  ops,
  outputsOf,
  ProtocolFault,
  parseAnnouncement,
  parseLine,
  parseOutputs,
  parseReply,
  runRequest,
} from './wire.ts';

/** What a parser makes of something: a value, or the message of a ProtocolFault; whatever else it throws is thrown on. */
function tried<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtocolFault)) throw error;
    expect(error.message.length).toBeLessThanOrEqual(400);
    return error.message;
  }
}

const json = fc.jsonValue({ maxDepth: 4 });
const hostile = fc.oneof(
  json,
  fc.constantFrom('__proto__', 'constructor', 'toString', 2 ** 53, -1, 0.5, 'x'.repeat(2000)),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))),
  fc.integer({ min: 1, max: 20_000 }).map((length) => Array(length).fill(1)),
);

/** An object with one or more of its fields, at any depth, replaced by something else or left out. */
function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return hostile;
  const entries = Object.entries(value);
  const elsewhere = entries.map(([key, field]) =>
    spoiled(field).map((other) => (Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other })),
  );
  const without = fc.constantFrom('', ...Object.keys(value)).map((left) => {
    const { [left]: _, ...rest } = value as Record<string, unknown>;
    return rest;
  });
  return fc.oneof(hostile, without, ...elsewhere);
}

describe('parsers throw nothing but ProtocolFault', () => {
  it('parseLine', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      json.map((value) => JSON.stringify(value)),
      hostile.map((id) => ({ id })).map((value) => `{"id":${nested(value.id)}}`),
    );
    fc.assert(
      fc.property(line, (text) => {
        const parsed = tried(() => parseLine(text));
        if (typeof parsed !== 'string') expect(Number.isSafeInteger(parsed.id)).toBe(true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
        else expect(parsed).not.toMatch(/[\u0000-\u001f]/);
      }),
    );
  });

  it('parseAnnouncement', () => {
    const valid = { ok: { implementation: { name: 'n', version: 'v', language: 'l' }, capabilities: everything } };
    expect(parseAnnouncement(valid)).toEqual(valid.ok);
    fc.assert(
      fc.property(spoiled(valid), (reply) => {
        if (typeof reply !== 'object' || reply === null) return;
        const parsed = tried(() => parseAnnouncement(reply as Record<string, unknown>));
        if (typeof parsed === 'string') expect(parsed).toMatch(/^start: /);
        else expect(tried(() => parseAnnouncement({ ok: parsed }))).toEqual(parsed);
      }),
    );
  });

  it('parseReply', () => {
    const forms = ['outputs', 'unsupported', 'refused', 'error'] as const;
    const reply = fc.dictionary(fc.constantFrom<string>(...forms, 'id', '__proto__'), hostile);
    fc.assert(
      fc.property(reply, (said) => {
        const parsed = tried(() => parseReply(said));
        const came = forms.filter((form) => said[form] !== undefined);
        if (typeof parsed !== 'string') expect(Object.keys(parsed)).toEqual(came);
        else if (came.length !== 1) expect(parsed).toMatch(/^expected one of /);
      }),
    );
  });

  it('parseOutputs', () => {
    const c = caseWith(1, 2, 3);
    const { x, alpha, dy } = runRequest('vjp', c, 'hex').inputs;
    const outputs = { y: x, dx: dy!, dalpha: alpha };
    fc.assert(
      fc.property(fc.constantFrom(...ops), spoiled(outputs), (op, came) => {
        if (typeof came !== 'object' || came === null) return;
        const parsed = tried(() => parseOutputs(op, c, came as Record<string, unknown>));
        if (typeof parsed !== 'string') expect([...parsed.keys()]).toEqual(outputsOf[op]);
      }),
    );
  });
});

it.each(['f64', 'f32', 'f16', 'bf16'] as const)('requests and answers of %s lose nothing', (dtype) => {
  const { round } = formats[dtype];
  fc.assert(
    fc.property(
      cases({ dtype, kind: 'general' }),
      fc.constantFrom('hex' as const, 'base64' as const),
      (c, encoding) => {
        const { inputs, ...request } = runRequest('vjp', c, encoding);
        const sent = JSON.parse(JSON.stringify({ ...request, inputs: { ...inputs, dy: inputs.dy! } }));
        expect(decodeCase(sent)).toEqual(c);
        expect(runRequest('forward', c, encoding).inputs.dy).toBeUndefined();
        const answer = referenceSubject.answer(c) as Answer;
        const values = { y: answer.y.map(round), dx: answer.dx.map(round), dalpha: answer.dalpha.map(round) };
        const shapes = { y: c.shape, dx: c.shape, dalpha: inputs.alpha.shape };
        for (const op of ops) {
          const outputs = outputsOf[op].map((name) => [
            name,
            encodeTensor(name, { dtype, shape: shapes[name], values: values[name] }, encoding),
          ]);
          const isFixed = c.pool.constraint.kind === 'fixed';
          const expected = outputsOf[op].filter((name) => !(isFixed && name === 'dalpha'));
          expect(parseOutputs(op, c, Object.fromEntries(outputs))).toEqual(
            new Map(expected.map((name) => [name, values[name]])),
          );
        }
      },
    ),
    { numRuns: 30 },
  );
});

/** As JSON, without the recursion of JSON.stringify. */
function nested(value: unknown): string {
  let depth = 0;
  let inner = value;
  while (Array.isArray(inner) && inner.length === 1) {
    inner = inner[0];
    depth++;
  }
  return `${'['.repeat(depth)}${JSON.stringify(inner)}${']'.repeat(depth)}`;
}
