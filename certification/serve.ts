import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decodeCase, type EncodedCase } from '../fixtures/case.ts';
import { type Encoding, encodeTensor, type Tensor } from '../fixtures/tensor.ts';
import { formats, heldFormat } from '../properties/dtypes.ts';
import { kindOf, shown } from '../reference/arguments.ts';
import type { Case, Dtype } from '../reference/case.ts';
import { parameterLayout } from '../reference/parameters.ts';
import type { Subject } from '../reference/subject.ts';
import {
  type Announcement,
  type Capabilities,
  type Implementation,
  type Op,
  ops,
  outputsOf,
  protocol,
} from './wire.ts';

/** What speaks the protocol for Subjects in this process: their answers are rounded to the dtype that was asked for. */
export interface Served {
  readonly implementation: Implementation;
  readonly capabilities: Capabilities;
  /** The Subject that answers Cases of a dtype. */
  subject(dtype: Dtype): Subject;
}

/**
 * Speaks `pool-harness/1` until `stop` or the end of input: the way to certify an implementation in JavaScript.
 *
 * Each request is answered before the next one is read. What a Subject throws is the `error` of a reply.
 *
 * @throws Error if input can't be read or output written. Source: spec §7.
 */
export async function serve(
  served: Served,
  input: Readable = process.stdin,
  output: Writable = process.stdout,
): Promise<void> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  await pipeline(repliesTo(served, lines), output, { end: false });
}

async function* repliesTo(served: Served, lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const reply = await replyTo(served, line);
    if (reply === undefined) return;
    yield `${JSON.stringify(reply)}\n`;
  }
}

/** The reply to one line; `undefined` to `stop`. Never rejects: of a line without an integer `id` the reply's is null. */
export async function replyTo(served: Served, line: string): Promise<object | undefined> {
  let request: Record<string, unknown>;
  try {
    request = JSON.parse(line);
  } catch {
    return { id: null, refused: `expected one JSON object a line, got ${shown(line)}` };
  }
  if (typeof request !== 'object' || request === null) {
    return { id: null, refused: `expected a JSON object, got ${kindOf(request)}` };
  }
  const id = Number.isSafeInteger(request.id) ? request.id : null;
  try {
    switch (request.cmd) {
      case 'start':
        return { id, ...startReply(served, request.protocol) };
      case 'run':
        return { id, ...(await runReply(served, request)) };
      case 'stop':
        return undefined;
      default:
        return { id, refused: `"cmd" expected start, run or stop, got ${shown(request.cmd)}` };
    }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : shown(error) };
  }
}

function startReply({ implementation, capabilities }: Served, asked: unknown): object {
  if (asked !== protocol) return { refused: `"protocol" expected ${protocol}, got ${shown(asked)}` };
  return { ok: { implementation, capabilities } satisfies Announcement };
}

async function runReply({ capabilities, subject }: Served, request: Record<string, unknown>): Promise<object> {
  const op = ops.find((known) => known === request.op);
  if (op === undefined) return { refused: `"op" expected ${ops.join(' or ')}, got ${shown(request.op)}` };
  let c: Case;
  try {
    c = caseOf(op, request);
  } catch (error) {
    return { refused: (error as Error).message };
  }
  const lacking = lackOf(capabilities, op, c);
  if (lacking !== undefined) return { unsupported: lacking };
  const answer = await subject(c.dtype).answer(c);
  const { round } = formats[c.dtype];
  const encoding: Encoding = isBase64(request.inputs) ? 'base64' : 'hex';
  const outputs: Record<string, Tensor> = {};
  for (const name of outputsOf[op]) {
    const shape = name === 'dalpha' ? parameterLayout(c.pool, c.shape).alphaShape : c.shape;
    outputs[name] = encodeTensor(name, { dtype: c.dtype, shape, values: answer[name].map(round) }, encoding);
  }
  return { outputs };
}

/** The Case of a request; `forward` has no dy, which then is zeros. */
function caseOf(op: Op, { dtype, pool, inputs }: Record<string, unknown>): Case {
  const encoded = { dtype, pool, inputs } as EncodedCase;
  if (op === 'vjp' || typeof inputs !== 'object' || inputs === null) return decodeCase(encoded);
  // Of the shape and dtype of x: what is wrong with x is told of x.
  const c = decodeCase({ ...encoded, inputs: { ...encoded.inputs, dy: encoded.inputs.x } });
  return { ...c, dy: new Float64Array(c.x.length) };
}

function isBase64(inputs: unknown): boolean {
  return (inputs as EncodedCase['inputs']).x.base64 !== undefined;
}

/**
 * What a request needs that is not announced, in the words of spec §7, `sharing:channel`; `values` are those that a
 * narrower storage can't hold.
 */
export function lackOf(
  { ops, dtypes, branches, sharing, constraints, facets }: Capabilities,
  op: string,
  c: Pick<Case, 'dtype' | 'pool' | 'x' | 'alpha' | 'dy'>,
): string | undefined {
  const { dtype, pool } = c;
  const lists: readonly [string, readonly string[], string][] = [
    ['op', ops, op],
    ['dtype', dtypes, dtype],
    ...pool.branches.map((ref): [string, readonly string[], string] => [
      'branch',
      branches,
      typeof ref === 'string' ? ref : 'expression',
    ]),
    ['sharing', sharing, typeof pool.sharing === 'string' ? pool.sharing : 'sharedAxes'],
    ['constraint', constraints, pool.constraint.kind],
  ];
  const missing = lists.find(([, among, needed]) => !among.includes(needed));
  if (missing !== undefined) return `${missing[0]}:${missing[2]}`;
  const { round } = heldFormat({ dtype, facets });
  const isHeld = [c.x, c.alpha, c.dy].every((tensor) => tensor.every((v) => Object.is(round(v), v)));
  return isHeld ? undefined : `values:${facets.find((facet) => facet.startsWith('storage:')) ?? dtype}`;
}
