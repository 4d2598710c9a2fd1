import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { replyTo } from '../certification/serve.ts';
import { everything, runRequest, startRequest } from '../certification/wire.ts';
import { decodeCase } from '../fixtures/case.ts';
import { readSuite } from '../fixtures/load.ts';
import { schemasIn } from '../fixtures/schema.ts';
import { referenceSubject } from '../properties/reference-subject.ts';

const schemas = schemasIn(fileURLToPath(new URL('../fixtures/schemas/', import.meta.url)));

it('what our runner and our subjects write conforms to the schema of the wire', async () => {
  const served = {
    implementation: { name: 'reference', version: '1', language: 'TypeScript' },
    capabilities: everything,
    subject: () => referenceSubject,
  };
  const { vectors, invalid } = readSuite();
  const cases = vectors.filter((_, i) => i % 20 === 0).map((vector) => decodeCase(vector));
  const encodings = ['hex', 'base64'] as const;
  const requests = [
    startRequest(),
    ...cases.flatMap((c) => encodings.map((encoding, i) => ({ id: i + 1, ...runRequest('vjp', c, encoding) }))),
    ...cases.map((c) => ({ id: 1, ...runRequest('forward', c, 'hex') })),
    { id: 9, cmd: 'stop' },
  ];
  const [request, reply] = ['request', 'reply'].map((part) =>
    schemas.getSchema(`https://poolproof.invalid/schemas/pool-harness-1.schema.json#/$defs/${part}`),
  );
  for (const line of requests) expect(request!(line), JSON.stringify([line, request!.errors])).toBe(true);
  for (const line of [...requests.slice(0, -1), ...invalid.map((one) => ({ id: 1, ...one.request }))]) {
    const answer = JSON.parse(JSON.stringify(await replyTo(served, JSON.stringify(line))));
    expect(reply!(answer), JSON.stringify([answer, reply!.errors])).toBe(true);
  }
});
