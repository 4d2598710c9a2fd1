import { type EncodedCase, encodeCase } from '../fixtures/case.ts';
import { decodeTensor, type Encoding, type Tensor } from '../fixtures/tensor.ts';
import { dtypes } from '../properties/dtypes.ts';
import { facetNames } from '../properties/error-bound.ts';
import { type ConstraintName, drawable, type SharingName } from '../properties/within.ts';
import { kindOf, shown } from '../reference/arguments.ts';
import type { BranchName, Case, Dtype } from '../reference/case.ts';
import { parameterLayout } from '../reference/parameters.ts';
import type { Facet } from '../reference/subject.ts';

/** The protocol `pool-harness/1` (spec §7): one JSON object a line, the runner speaks first. */
export const protocol = 'pool-harness/1';

/** What can be asked: `y` for `x` and `alpha`, or `dx` and `dalpha` for `x`, `alpha` and `dy`. */
export type Op = 'forward' | 'vjp';
export const ops: readonly Op[] = ['forward', 'vjp'];

/** The tensors of an answer, in the order in which they are judged. */
export const outputsOf: Readonly<Record<Op, readonly ('y' | 'dx' | 'dalpha')[]>> = {
  forward: ['y'],
  vjp: ['dx', 'dalpha'],
};

/** What is certified, in words of its author. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly language: string;
}

/** What a subject says that it can do. */
export interface Capabilities {
  readonly ops: readonly Op[];
  readonly dtypes: readonly Dtype[];
  readonly branches: readonly BranchName[];
  readonly sharing: readonly SharingName[];
  readonly constraints: readonly ConstraintName[];
  readonly encodings: readonly Encoding[];
  readonly facets: readonly Facet[];
  /** Requests that may be outstanding. */
  readonly pipeline: number;
}

/** What a subject says of itself in its reply to `start`. */
export interface Announcement {
  readonly implementation: Implementation;
  readonly capabilities: Capabilities;
}

/** The closed lists that capabilities are drawn from. */
const known: { readonly [K in Exclude<keyof Capabilities, 'pipeline'>]: Capabilities[K] } = {
  ops,
  dtypes,
  ...drawable,
  encodings: ['hex', 'base64'],
  facets: facetNames,
};

/** Everything of the protocol, as a subject of our own announces it. */
export const everything: Capabilities = { ...known, facets: [], pipeline: 16 };

/** A request to compute; `id` is given when it is sent. */
export interface RunRequest {
  readonly cmd: 'run';
  readonly op: Op;
  readonly dtype: Dtype;
  readonly pool: EncodedCase['pool'];
  readonly inputs: { readonly x: Tensor; readonly alpha: Tensor; readonly dy?: Tensor };
}

/** What a subject replies to `run`; tensors still as they came. */
export type Reply =
  | { readonly outputs: Readonly<Record<string, unknown>> }
  | { readonly unsupported: string }
  | { readonly refused: string }
  | { readonly error: string };

/** A reply that is not as the protocol has it: never a numeric failure, never a crash of the runner. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault';

  constructor(message: string) {
    // What came may be of any length.
    super(clipped(message, 400));
  }
}

export function startRequest(): object {
  return { id: 0, cmd: 'start', protocol, encodings: known.encodings };
}

/** The request for one op on a Case. */
export function runRequest(op: Op, input: Case, encoding: Encoding): RunRequest {
  const { dtype, pool, inputs } = encodeCase(input, encoding);
  const { x, alpha, dy } = inputs;
  return { cmd: 'run', op, dtype, pool, inputs: op === 'forward' ? { x, alpha } : { x, alpha, dy } };
}

/** One line from a subject. @throws ProtocolFault unless it is a JSON object with an integer `id` */
export function parseLine(line: string): Readonly<Record<string, unknown>> & { readonly id: number } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolFault(`expected one JSON object a line on stdout, got ${excerpt(line)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolFault(`expected a JSON object, got ${excerpt(line)}`);
  }
  const { id } = value as { id?: unknown };
  if (!Number.isSafeInteger(id)) throw new ProtocolFault(`"id" expected an integer, got ${shown(id)}`);
  return value as { id: number };
}

/** The subject's announcement. @throws ProtocolFault naming what is missing or unknown in it */
export function parseAnnouncement(reply: Readonly<Record<string, unknown>>): Announcement {
  const { ok } = reply;
  if (!isObject(ok)) {
    const said = reply.error ?? reply.refused ?? reply.unsupported;
    throw new ProtocolFault(
      said === undefined
        ? `start: "ok" expected an object, got ${kindOf(ok)}`
        : `start: refused by the subject: ${shown(said)}`,
    );
  }
  const { implementation, capabilities } = ok;
  if (!isObject(implementation)) throw fault('implementation', 'an object', implementation);
  const text = (name: keyof Implementation): string => {
    const value = implementation[name];
    if (typeof value !== 'string' || value === '') throw fault(`implementation.${name}`, 'text', value);
    return clipped(value, 200);
  };
  const named = { name: text('name'), version: text('version'), language: text('language') };
  if (!isObject(capabilities)) throw fault('capabilities', 'an object', capabilities);
  const list = <K extends keyof typeof known>(name: K): Capabilities[K] => {
    const value = capabilities[name];
    if (!Array.isArray(value)) throw fault(`capabilities.${name}`, 'an array', value);
    const among: readonly string[] = known[name];
    const unknown = value.findIndex((one) => !among.includes(one));
    if (unknown >= 0) throw fault(`capabilities.${name}`, among.join(', '), value[unknown]);
    // In the order of the protocol, so that the same capabilities are the same text.
    return among.filter((one) => value.includes(one)) as unknown as Capabilities[K];
  };
  const { pipeline = 1 } = capabilities;
  if (!Number.isSafeInteger(pipeline) || (pipeline as number) < 1) {
    throw fault('capabilities.pipeline', 'an integer from 1', pipeline);
  }
  const parsed: Capabilities = {
    ops: list('ops'),
    dtypes: list('dtypes'),
    branches: list('branches'),
    sharing: list('sharing'),
    constraints: list('constraints'),
    encodings: list('encodings'),
    facets: list('facets'),
    pipeline: pipeline as number,
  };
  for (const name of ['ops', 'dtypes', 'branches', 'sharing', 'constraints', 'encodings'] as const) {
    if (parsed[name].length === 0) throw fault(`capabilities.${name}`, 'at least one', []);
  }
  return { implementation: named, capabilities: parsed };
}

/** A reply to `run`. @throws ProtocolFault unless it has just one of the four forms */
export function parseReply(reply: Readonly<Record<string, unknown>>): Reply {
  const came = forms.filter((form) => reply[form] !== undefined);
  const [form] = came;
  if (form === undefined || came.length > 1) {
    throw new ProtocolFault(`expected one of ${forms.join(', ')}, got ${came.join(' and ') || 'none of them'}`);
  }
  const value = reply[form];
  if (form === 'outputs') {
    if (!isObject(value)) throw new ProtocolFault(`"outputs" expected an object, got ${kindOf(value)}`);
    return { outputs: value };
  }
  if (typeof value !== 'string') throw new ProtocolFault(`"${form}" expected text, got ${kindOf(value)}`);
  return { [form]: clipped(value, 1000) } as unknown as Reply;
}

const forms = ['outputs', 'unsupported', 'refused', 'error'] as const;

/**
 * The tensors of an answer to `op` on a Case; `dalpha` may be left out under `fixed`.
 *
 * @throws ProtocolFault for a missing tensor, another dtype or another shape
 */
export function parseOutputs(
  op: Op,
  { dtype, pool, shape }: Pick<Case, 'dtype' | 'pool' | 'shape'>,
  outputs: Readonly<Record<string, unknown>>,
): Map<'y' | 'dx' | 'dalpha', Float64Array> {
  const tensors = new Map<'y' | 'dx' | 'dalpha', Float64Array>();
  for (const name of outputsOf[op]) {
    const tensor = outputs[name];
    if (name === 'dalpha' && pool.constraint.kind === 'fixed') continue;
    if (tensor === undefined) throw new ProtocolFault(`"outputs.${name}" expected a tensor, got nothing`);
    const decoded = decodedFrom(name, tensor);
    if (decoded.dtype !== dtype) {
      throw new ProtocolFault(`"outputs.${name}.dtype" expected ${dtype} as the request, got ${decoded.dtype}`);
    }
    const wanted = name === 'dalpha' ? parameterLayout(pool, shape).alphaShape : shape;
    if (decoded.shape.join() !== wanted.join()) {
      throw new ProtocolFault(
        `"outputs.${name}" expected shape [${wanted.join(', ')}], got [${decoded.shape.join(', ')}]`,
      );
    }
    tensors.set(name, decoded.values);
  }
  return tensors;
}

function decodedFrom(name: string, tensor: unknown): ReturnType<typeof decodeTensor> {
  try {
    return decodeTensor(`outputs.${name}`, tensor);
  } catch (error) {
    throw new ProtocolFault((error as Error).message.replace(/^decodeTensor: /, ''));
  }
}

function fault(name: string, expected: string, got: unknown): ProtocolFault {
  return new ProtocolFault(`start: "${name}" expected ${expected}, got ${shown(got)}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The beginning of a line, with what is not printable as escapes. */
function excerpt(line: string): string {
  const start = JSON.stringify(line.slice(0, 60));
  return line.length > 60 ? `${start}… (${line.length} characters)` : start;
}

function clipped(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
