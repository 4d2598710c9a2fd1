/** WebAssembly as far as the kernels need it: instructions as bytes, nested as in the text format. */

/** Instructions, encoded. */
export type Code = readonly number[];

export type ValueType = 'i32' | 'f32' | 'v128';

const valueTypes: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** Bytes of an f32. */
export const float = 4;

const simd = 0xfd;

type Plain = (...operands: readonly Code[]) => Code;
type Load = (address: Code, offset?: number) => Code;
type Store = (address: Code, value: Code, offset?: number) => Code;

/** An instruction that takes its operands from the stack. */
const plain =
  (...code: number[]): Plain =>
  (...operands) => [...operands.flat(), ...code];

/** One that reads memory at `address + offset`; no alignment is promised. */
const load =
  (...code: number[]): Load =>
  (address, offset = 0) => [...address, ...code, 0, ...unsigned(offset)];

const store =
  (...code: number[]): Store =>
  (address, value, offset = 0) => [...address, ...value, ...code, 0, ...unsigned(offset)];

export const i32: { const(value: number): Code } & Record<
  'equal' | 'less' | 'add' | 'sub' | 'mul' | 'shl' | 'and' | 'or',
  Plain
> = {
  const: (value: number): Code => [0x41, ...signed(value)],
  equal: plain(0x46),
  less: plain(0x49),
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  shl: plain(0x74),
  and: plain(0x71),
  or: plain(0x72),
};

export const f32: { load: Load; store: Store; zero: Code } & Record<'add' | 'sub' | 'mul', Plain> = {
  load: load(0x2a),
  store: store(0x38),
  zero: [0x43, 0, 0, 0, 0] as Code,
  add: plain(0x92),
  sub: plain(0x93),
  mul: plain(0x94),
};

export const f32x4: {
  load: Load;
  loadSplat: Load;
  store: Store;
  shuffle(a: Code, b: Code, lanes: readonly [number, number, number, number]): Code;
  loadOne: Load;
  storeOne: Store;
  const(value: number): Code;
  powerOfTwo(k: Code): Code;
} & Record<
  | 'splat'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'neg'
  | 'abs'
  | 'nearest'
  | 'greater'
  | 'unequal'
  | 'and'
  | 'or'
  | 'select',
  Plain
> & { zero: Code } = {
  load: load(simd, 0),
  /** One element of memory in the first lane, 0 in the others. */
  loadOne: load(simd, 0x5c),
  /** The first lane. */
  storeOne: (address, value, offset = 0) => [...address, ...value, simd, 0x5a, 0, ...unsigned(offset), 0],
  /** One element of memory in all four lanes. */
  loadSplat: load(simd, 9),
  store: store(simd, 11),
  zero: [simd, 12, ...new Array<number>(16).fill(0)] as Code,
  splat: plain(simd, 19),
  add: plain(simd, ...unsigned(228)),
  sub: plain(simd, ...unsigned(229)),
  mul: plain(simd, ...unsigned(230)),
  div: plain(simd, ...unsigned(231)),
  max: plain(simd, ...unsigned(233)),
  neg: plain(simd, ...unsigned(225)),
  abs: plain(simd, ...unsigned(224)),
  nearest: plain(simd, 106),
  /** All bits of a lane 1 where it holds, else 0. */
  greater: plain(simd, 68),
  unequal: plain(simd, 66),
  and: plain(simd, 78),
  or: plain(simd, 80),
  /** The bits of the first where the third's are 1, else those of the second. */
  select: plain(simd, 82),
  const: (value: number): Code => [simd, 12, ...new Uint8Array(Float32Array.of(value, value, value, value).buffer)],
  /** `2ᵏ` for integers k from -126 to 127, by the bits of the exponent. */
  powerOfTwo: (k: Code): Code => {
    const bias = [127, 127, 127, 127].flatMap((byte) => [byte, 0, 0, 0]);
    const biased = [...k, simd, ...unsigned(248), simd, 12, ...bias, simd, ...unsigned(174)];
    return [...biased, ...i32.const(23), simd, ...unsigned(171)];
  },
  /** Four of the eight lanes of a and b. */
  shuffle: (a: Code, b: Code, lanes: readonly [number, number, number, number]): Code => [
    ...a,
    ...b,
    simd,
    13,
    ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  ],
};

/** Two float64, also as what vectors of float32 are widened to. */
export const f64x2: {
  load: Load;
  store: Store;
  zero: Code;
  add: Plain;
  /** The first two lanes of four float32. */
  ofLow: Plain;
  /** The last two. */
  ofHigh(lanes: Local): Code;
} = {
  load: load(simd, 0),
  store: store(simd, 11),
  zero: [simd, 12, ...new Array<number>(16).fill(0)],
  add: plain(simd, ...unsigned(240)),
  ofLow: plain(simd, 95),
  ofHigh: (lanes) => f64x2.ofLow(f32x4.shuffle(lanes.get, lanes.get, [2, 3, 2, 3])),
};

/** `*address += Σ lanes`, of a float64 and of as many lanes of a vector of two. */
export function addLanes(address: Code, value: Code, lanes: readonly (0 | 1)[]): Code {
  const sum = lanes.flatMap((lane, k) => [...value, simd, 33, lane, ...(k === 0 ? [] : [0xa0])]);
  return [...address, ...address, 0x2b, 0, 0, ...sum, 0xa0, 0x39, 0, 0];
}

/** The smaller of two expressions without side effects. */
export const least = (a: Code, b: Code): Code => [...a, ...b, ...i32.less(a, b), 0x1b];

export const call = (index: number, ...operands: readonly Code[]): Code => [
  ...operands.flat(),
  0x10,
  ...unsigned(index),
];

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...condition,
  0x04,
  0x40,
  ...then,
  ...(otherwise.length > 0 ? [0x05, ...otherwise] : []),
  0x0b,
];

export const either = (type: ValueType, condition: Code, then: Code, otherwise: Code): Code => [
  ...condition,
  0x04,
  valueTypes[type],
  ...then,
  0x05,
  ...otherwise,
  0x0b,
];

export const leave: Code = [0x0f];

/** A parameter or a variable of a function. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  add(value: Code): Code;
}

/** What a function's code is written with: its parameters and variables, numbered as they are asked for. */
export class FunctionWriter {
  private readonly parameters: ValueType[] = [];
  private readonly variables: ValueType[] = [];

  /** All parameters come before the first variable. */
  parameter(type: ValueType = 'i32'): Local {
    this.parameters.push(type);
    return local(this.parameters.length - 1);
  }

  variable(type: ValueType = 'i32'): Local {
    this.variables.push(type);
    return local(this.parameters.length + this.variables.length - 1);
  }

  private readonly free: Readonly<Record<ValueType, Local[]>> = { i32: [], f32: [], v128: [] };

  /** What `write` makes; the variables that it takes are free for another scope afterwards. */
  scope(write: (take: (type: ValueType) => Local) => Code): Code {
    const taken: [ValueType, Local][] = [];
    const code = write((type) => {
      const variable = this.free[type].pop() ?? this.variable(type);
      taken.push([type, variable]);
      return variable;
    });
    for (const [type, variable] of taken) this.free[type].push(variable);
    return code;
  }

  /** `for (; left >= step; left -= step) body` */
  countDown(left: Local, step: number, body: Code): Code {
    const isThrough = [...i32.less(left.get, i32.const(step)), 0x0d, 1];
    const next = [...left.add(i32.const(-step)), 0x0c, 0];
    return [0x02, 0x40, 0x03, 0x40, ...isThrough, ...body, ...next, 0x0b, 0x0b];
  }

  /** `for (i = first; i < end; i += step) body`, unsigned. */
  loop(i: Local, first: Code, end: Code, step: number, body: Code): Code {
    const more = i32.less(i.get, end);
    return [...i.set(first), ...when(more, [0x03, 0x40, ...body, ...i.add(i32.const(step)), ...more, 0x0d, 0, 0x0b])];
  }

  /** The same from the i that it is on, with `turns` bodies to a jump back: after each it is tested whether i is through. */
  unrolled(i: Local, end: Code, step: number, turns: number, body: (turn: number) => Code): Code {
    const isLast = (turn: number): Code => [...i32.equal(i32.add(i.get, i32.const((turn + 1) * step)), end), 0x0d, 1];
    const bodies = Array.from({ length: turns }, (_, turn) => [
      ...body(turn),
      ...(turn + 1 < turns ? isLast(turn) : []),
    ]);
    const more = i32.less(i.get, end);
    const again = [...i.add(i32.const(turns * step)), ...more, 0x0d, 0];
    return when(more, [0x03, 0x40, ...bodies.flat(), ...again, 0x0b]);
  }

  get type(): Code {
    return [0x60, ...vector(this.parameters.map((type) => [valueTypes[type]])), 0];
  }

  encode(body: Code): Code {
    const locals = vector(this.variables.map((type) => [1, valueTypes[type]]));
    const code = [...locals, ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  }
}

/** A function that returns nothing. */
export interface Definition {
  readonly name: string;
  readonly type: Code;
  readonly code: Code;
}

export function define(name: string, write: (f: FunctionWriter) => Code): Definition {
  const f = new FunctionWriter();
  const body = write(f);
  return { name, type: f.type, code: f.encode(body) };
}

/** A module of functions, all exported, that work on the memory imported as `env.memory`. */
export function assemble(functions: readonly Definition[], shared: boolean): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const limits = shared ? [3, 0, ...unsigned(65536)] : [0, 0];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(functions.map(({ type }) => type))),
    ...section(2, vector([[...text('env'), ...text('memory'), 2, ...limits]])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, vector(functions.map(({ code }) => code))),
  ]);
}

function local(index: number): Local {
  const get = [0x20, ...unsigned(index)];
  const set = (value: Code): Code => [...value, 0x21, ...unsigned(index)];
  return { get, set, add: (value) => set(i32.add(get, value)) };
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(characters: string): Code {
  return vector([...characters].map((character) => [character.charCodeAt(0)]));
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const last = value >= -0x40 && value < 0x40;
  return last ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
