/** WebAssembly's binary format, as far as the kernels need it. Source: WebAssembly core specification 2.0, chapter 5. */

/** Encoded instructions; an expression leaves one value on the stack, a statement none. */
export type Code = readonly number[];

/** A local of a function, by its index. */
export type Local = number;

/** Types of parameters and locals. */
export const i32 = 0x7f;
export const v128 = 0x7b;

const unsigned = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
};

const signed = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -64 && rest < 64) return [...bytes, rest & 127];
    bytes.push((rest & 127) + 128);
  }
};

const simd = (opcode: number, ...immediates: number[]): number[] => [0xfd, ...unsigned(opcode), ...immediates];

/** Of a load or store without a promise of alignment: `offset` bytes are added to the address. */
const memoryArgument = (offset = 0): number[] => [0, ...unsigned(offset)];

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];

export const integer = (value: number): Code => [0x41, ...signed(value)];
export const plus = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const times = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
export const shiftedLeft = (a: Code, bits: number): Code => [...a, ...integer(bits), 0x74];
export const increase = (local: Local, by: Code): Code => set(local, plus(get(local), by));

/** `for (; left >= step; left -= step) body` */
export function countDown(left: Local, step: number, body: Code): Code {
  return [
    ...[0x02, 0x40, 0x03, 0x40],
    ...[...get(left), ...integer(step), 0x48, 0x0d, 1],
    ...body,
    ...increase(left, integer(-step)),
    ...[0x0c, 0, 0x0b, 0x0b],
  ];
}

/** Four float32 in every lane operation at once. */
export const f32x4 = {
  constant: (value: number): Code => {
    const bytes = [...new Uint8Array(Float32Array.of(value, value, value, value).buffer)];
    return simd(0x0c, ...bytes);
  },
  load: (address: Code, offset = 0): Code => [...address, ...simd(0x00, ...memoryArgument(offset))],
  /** One number, in all lanes. */
  loadSplat: (address: Code): Code => [...address, ...simd(0x09, ...memoryArgument())],
  /** One number, the other lanes 0. */
  loadOne: (address: Code, offset = 0): Code => [...address, ...simd(0x5c, ...memoryArgument(offset))],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x0b, ...memoryArgument(offset)),
  ],
  /** The first lane. */
  storeOne: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x5a, ...memoryArgument(offset), 0),
  ],
  negate: (a: Code): Code => [...a, ...simd(0xe1)],
  absolute: (a: Code): Code => [...a, ...simd(0xe0)],
  nearest: (a: Code): Code => [...a, ...simd(0x6a)],
  add: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe4)],
  subtract: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe5)],
  multiply: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe6)],
  divide: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe7)],
  maximum: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xe9)],
  /** All bits of a lane 1 where it holds. */
  isGreater: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x44)],
  isUnequal: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x42)],
  and: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x4e)],
  or: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x50)],
  select: (then: Code, otherwise: Code, mask: Code): Code => [...then, ...otherwise, ...mask, ...simd(0x52)],
  /** `2ᵏ` for integers k from -126 to 127, by the exponent's bits. */
  powerOfTwo: (k: Code): Code => {
    const bias = [127, 0, 0, 0, 127, 0, 0, 0, 127, 0, 0, 0, 127, 0, 0, 0];
    return [...k, ...simd(0xf8), ...simd(0x0c, ...bias), ...simd(0xae), ...integer(23), ...simd(0xab)];
  },
};

const highHalf = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** Two float64. */
export const f64x2 = {
  zero: simd(0x0c, ...new Array<number>(16).fill(0)) as Code,
  load: (address: Code, offset = 0): Code => f32x4.load(address, offset),
  store: (address: Code, value: Code, offset = 0): Code => f32x4.store(address, value, offset),
  add: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf0)],
  /** The first two of four float32; the last two. */
  ofLow: (a: Code): Code => [...a, ...simd(0x5f)],
  ofHigh: (a: Local): Code => [...get(a), ...get(a), ...simd(0x0d, ...highHalf), ...simd(0x5f)],
};

/** `*address += Σ lanes`, a float64. */
export function addLanes(address: Code, lanes: Local): Code {
  const lane = (k: number) => [...get(lanes), ...simd(0x21, k)];
  return [
    ...address,
    ...address,
    0x2b,
    ...memoryArgument(),
    ...lane(0),
    ...lane(1),
    0xa0,
    0xa0,
    0x39,
    ...memoryArgument(),
  ];
}

/** `*address += first lane`, a float64. */
export function addLane(address: Code, lanes: Code): Code {
  return [
    ...address,
    ...address,
    0x2b,
    ...memoryArgument(),
    ...lanes,
    ...simd(0x21, 0),
    0xa0,
    0x39,
    ...memoryArgument(),
  ];
}

/** A function of i32 parameters without a result, while it is written. */
export class FunctionCode {
  readonly name: string;
  readonly parameters: number;
  readonly #types: number[] = [];
  readonly #free: Record<number, Local[]> = { [i32]: [], [v128]: [] };
  readonly #body: number[] = [];

  constructor(name: string, parameters: number) {
    this.name = name;
    this.parameters = parameters;
  }

  /** A local that `body` alone may use. */
  local(type: number): Local {
    const free = this.#free[type]!.pop();
    if (free !== undefined) return free;
    this.#types.push(type);
    return this.parameters + this.#types.length - 1;
  }

  /** What `write` makes, after which the locals that it took are free for others. */
  scope(write: (take: (type: number) => Local) => Code): Code {
    const taken: [number, Local][] = [];
    const code = write((type) => {
      const local = this.local(type);
      taken.push([type, local]);
      return local;
    });
    for (const [type, local] of taken) this.#free[type]!.push(local);
    return code;
  }

  write(code: Code): void {
    for (const byte of code) this.#body.push(byte);
  }

  encoded(): number[] {
    const locals = this.#types.flatMap((type) => [1, type]);
    return sized([...unsigned(this.#types.length), ...locals, ...this.#body, 0x0b]);
  }
}

const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)]);
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];

/** A module that exports these functions and imports its memory as `env.memory`: of threads if it is `shared`. */
export function moduleOf(functions: readonly FunctionCode[], shared: boolean): Uint8Array<ArrayBuffer> {
  const limits = shared ? [3, 0, ...unsigned(65536)] : [0, 0];
  const types = functions.map(({ parameters }) => [0x60, ...list(new Array(parameters).fill([i32])), 0]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([[...text('env'), ...text('memory'), 2, ...limits]])),
    ...section(3, list(functions.map((_, index) => unsigned(index)))),
    ...section(7, list(functions.map(({ name }, index) => [...text(name), 0, ...unsigned(index)]))),
    ...section(10, list(functions.map((code) => code.encoded()))),
  ]);
}
