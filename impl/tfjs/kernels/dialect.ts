import type { Tiles } from './tiles.ts';

/** Of a tile, where there are `across` in a row. */
export type Place = readonly [row: string, column: string, across: string];

/** Where GLSL ES 3.00 on packed textures and WGSL on buffers differ. */
export interface Dialect {
  readonly float: string;
  readonly int: string;
  constant(type: string, name: string, value: string): string;
  variable(type: string, name: string, value: string): string;
  fn(
    result: string,
    name: string,
    parameters: readonly (readonly [type: string, name: string])[],
    body: string,
  ): string;
  select(condition: string, then: string, otherwise: string): string;
  powerOfTwo(k: string): string;
  /** A number that is given to the program beside its tensors. */
  uniform(name: string): string;

  /** The type of a tile, and how many elements it has along the last two axes. */
  readonly tile: string;
  readonly tileShape: readonly [height: number, width: number];
  readonly zeroTile: string;
  /** An array of tiles. */
  array(name: string, length: number): string;
  tileAt(tensor: string, ...place: Place): string;
  /** Of an input that lies as the output does, the tile at `t`, which the invocation makes there. */
  tileHere(tensor: string): string;
  /** A tile, from the code of each element in terms of the suffix that takes it from other tiles. */
  each(of: (lane: string) => string): string;
  /** The tile of x at that place with 0 for what lies beyond the edge. */
  inside(tile: string, place: Place, tiles: Tiles): string;
  /** The tile of alpha that holds `row` at a place along B, and the elements of it that those of a tile of x use. */
  alpha(row: number, tiles: Tiles): readonly [tileRow: number, lanes: string];
  /** The body of `T tileAt(int t)` of dalpha, whose rows the function named `rowOf` makes of a row and a place along B. */
  dalpha(rowOf: string, tiles: Tiles): readonly string[];
  /** The tile with, in place of each element, the sum of those that share its coefficient. */
  shared(tile: string, tiles: Tiles): string;
}

export const glsl: Dialect = {
  float: 'float',
  int: 'int',
  constant: (type, name, value) => `${type} ${name} = ${value};`,
  variable: (type, name, value) => `${type} ${name} = ${value};`,
  fn: (result, name, parameters, body) =>
    `${result} ${name}(${parameters.map((p) => p.join(' ')).join(', ')}) {\n${body}\n}`,
  select: (condition, then, otherwise) => `(${condition} ? ${then} : ${otherwise})`,
  powerOfTwo: (k) => `uintBitsToFloat(uint(int(${k}) + 127) << 23)`,
  uniform: (name) => name,

  tile: 'vec4',
  tileShape: [2, 2],
  zeroTile: 'vec4(0.0)',
  array: (name, length) => `vec4 ${name}[${length}];`,
  tileAt: (tensor, row, column, across) => `texelAt(${tensor}, ${row}, ${column}, ${across})`,
  tileHere: (tensor) => `texelHere(${tensor})`,
  each: (of) => `vec4(${['.x', '.y', '.z', '.w'].map(of).join(', ')})`,
  inside: (tile, [row, column, across], { rows, columns }) =>
    rows % 2 === 0 && columns % 2 === 0 ? tile : `inside(${tile}, (${row}) * ${across} + ${column}, rowsX, columnsX)`,
  alpha: (row, { alphaRank, ownRows, ownColumns }) => {
    // Of rank 2 and less a tile holds two rows.
    const lane = (r: number, c: number) => {
      if (alphaRank === 1) return row % 2;
      return 2 * (alphaRank === 2 ? row % 2 : ownRows ? r : 0) + (ownColumns ? c : 0);
    };
    const lanes = [lane(0, 0), lane(0, 1), lane(1, 0), lane(1, 1)].map((i) => 'xyzw'[i]).join('');
    return [alphaRank > 2 ? row : Math.floor(row / 2), `.${lanes}`];
  },
  dalpha: (rowOf, { alphaRank }) => {
    if (alphaRank > 2) return [`return ${rowOf}(t / sizeB, t % sizeB);`];
    return [
      'vec4 both[2];',
      `for (int r = 0; r < 2; r++) { both[r] = ${rowOf}(t / sizeB * 2 + r, t % sizeB); }`,
      alphaRank === 2 ? 'return vec4(both[0].xy, both[1].xy);' : 'return vec4(both[0].x, both[1].x, 0.0, 0.0);',
    ];
  },
  shared: (tile, { ownRows, ownColumns }) => {
    const rows = ownRows ? tile : `sumOfRows(${tile})`;
    return ownColumns ? rows : `sumOfColumns(${rows})`;
  },
};

export const wgsl: Dialect = {
  float: 'f32',
  int: 'i32',
  constant: (type, name, value) => `let ${name} : ${type} = ${value};`,
  variable: (type, name, value) => `var ${name} : ${type} = ${value};`,
  fn: (result, name, parameters, body) =>
    `fn ${name}(${parameters.map(([type, p]) => `${p} : ${type}`).join(', ')}) -> ${result} {\n${body}\n}`,
  select: (condition, then, otherwise) => `select(${otherwise}, ${then}, ${condition})`,
  powerOfTwo: (k) => `bitcast<f32>(u32(i32(${k}) + 127) << 23u)`,
  uniform: (name) => `uniforms.${name}`,

  tile: 'f32',
  tileShape: [1, 1],
  zeroTile: '0.0',
  array: (name, length) => `var ${name} : array<f32, ${length}>;`,
  // A float32 tensor that was cast has the buffer of what it was cast from.
  tileAt: (tensor, row, column, across) => `f32(${tensor}[(${row}) * ${across} + ${column}])`,
  tileHere: (tensor) => `f32(${tensor}[t])`,
  each: (of) => of(''),
  inside: (tile) => tile,
  alpha: (row) => [row, ''],
  dalpha: (rowOf) => [`return ${rowOf}(t / uniforms.sizeB, t % uniforms.sizeB);`],
  shared: (tile) => tile,
};
