import {
  type Code,
  call,
  type Definition,
  define,
  either,
  f32,
  f32x4,
  float,
  i32,
  least,
  leave,
  when,
} from './assembler.ts';

/**
 * `C = A·B` in the manner of BLIS: panels of A, four rows wide, and of B, eight columns wide, are laid out in the order
 * in which they are used, whatever the strides of A and B are, so that a transposed operand costs no more than another;
 * a tile of 4·8 sums is then kept in registers. A packed block of A (512 KB) stays in the second cache, a panel of B
 * (16 KB) in the first.
 */
const tileRows = 4;
const tileColumns = 8;
const blockK = 512;
const blockM = 256;

const panelBytes = tileColumns * blockK * float;
const tileBytes = tileRows * tileColumns * float;

/** Memory that `product` works in. */
export const scratchBytes: number = blockM * blockK * float + panelBytes + tileBytes;

const bytes = (elements: Code): Code => i32.mul(elements, i32.const(float));
const quarters = (width: number): number[] => Array.from({ length: width / 4 }, (_, q) => 16 * q);

/**
 * `to[p·width + j] = from[p·along + j·across]` for p below `length`; 0 for j from `used` to the width. The strides
 * `along` and `across` are in bytes. What is contiguous either way is moved in vectors.
 */
function packing(name: string, width: number): Definition {
  return define(name, (f) => {
    const [to, from, along, across, length, used] = Array.from({ length: 6 }, () => f.parameter());
    const [p, j, row] = Array.from({ length: 3 }, () => f.variable());
    const v = Array.from({ length: 4 }, () => f.variable('v128'));
    const target = (rows = 0): Code => i32.add(to.get, i32.const(rows * width * float));
    const next = (rows: number): Code => [...to.set(target(rows)), ...from.add(i32.mul(along.get, i32.const(rows)))];
    const copied = f.loop(p, i32.const(0), length.get, 1, [
      ...quarters(width).flatMap((q) => f32x4.store(to.get, f32x4.load(from.get, q), q)),
      ...next(1),
    ]);
    // Blocks of 4 by 4, transposed by two rounds of shuffles.
    const transposed = f.loop(p, i32.const(0), i32.and(length.get, i32.const(-4)), 4, [
      ...row.set(from.get),
      ...quarters(width).flatMap((q) => [
        ...v.flatMap((lanes) => [...lanes.set(f32x4.load(row.get)), ...row.add(across.get)]),
        ...[0, 1, 2, 3].flatMap((i) => {
          const pair = (a: number, b: number): Code => f32x4.shuffle(v[a].get, v[b].get, [i, i + 4, i, i + 4] as const);
          return f32x4.store(target(i), f32x4.shuffle(pair(0, 1), pair(2, 3), [0, 1, 4, 5]), q);
        }),
      ]),
      ...next(4),
    ]);
    const rest = f.loop(p, p.get, length.get, 1, [
      ...f.loop(j, i32.const(0), i32.const(width), 1, [
        ...f32.store(
          i32.add(to.get, bytes(j.get)),
          either('f32', i32.less(j.get, used.get), f32.load(i32.add(from.get, i32.mul(j.get, across.get))), f32.zero),
        ),
      ]),
      ...next(1),
    ]);
    return when(i32.equal(used.get, i32.const(width)), [
      ...when(i32.equal(across.get, i32.const(float)), [...copied, ...leave]),
      ...when(i32.equal(along.get, i32.const(float)), transposed),
    ]).concat(rest);
  });
}

/**
 * Terms to a jump back. The branch after each is needed: within a stretch without one V8's compiler puts arithmetic behind
 * all loads, and with those of two terms runs out of registers, which halves the speed.
 */
const turns = 4;

/** A tile of C, rows `cRow` bytes apart: `C = A·B`, or `C += A·B`, of packed panels. */
const tile: Definition = define('tile', (f) => {
  const [a, b, length, c, cRow, adds] = Array.from({ length: 6 }, () => f.parameter());
  const end = f.variable();
  const [left, ...right] = Array.from({ length: 1 + tileColumns / 4 }, () => f.variable('v128'));
  const sums = Array.from({ length: tileRows }, () => quarters(tileColumns).map(() => f.variable('v128')));
  const term = (turn: number): Code => [
    ...right.flatMap((vector, q) => vector.set(f32x4.load(b.get, turn * tileColumns * float + 16 * q))),
    ...sums.flatMap((row, i) => [
      ...left.set(f32x4.loadSplat(a.get, (turn * tileRows + i) * float)),
      ...row.flatMap((sum, q) => sum.set(f32x4.add(sum.get, f32x4.mul(left.get, right[q].get)))),
    ]),
    ...(turn + 1 === turns ? b.add(i32.const(turns * tileColumns * float)) : []),
  ];
  return [
    ...end.set(i32.add(a.get, i32.mul(length.get, i32.const(tileRows * float)))),
    ...f.unrolled(a, end.get, tileRows * float, turns, term),
    ...sums.flatMap((row) => [
      ...when(
        adds.get,
        row.flatMap((sum, q) => sum.set(f32x4.add(sum.get, f32x4.load(c.get, 16 * q)))),
      ),
      ...row.flatMap((sum, q) => f32x4.store(c.get, sum.get, 16 * q)),
      ...c.add(cRow.get),
    ]),
  ];
});

const functions = { packA: 0, packB: 1, tile: 2 } as const;

/**
 * `C = A·B` or, with `adds`, `C += A·B`; C: `[m, n]`, row by row; A: `[m, k]`, B: `[k, n]` with any strides, in bytes;
 * `scratch`: `scratchBytes`. Where k is 0 nothing is written. Every 512 terms are summed by themselves.
 */
const product: Definition = define('product', (f) => {
  const [c, a, aRow, aColumn, b, bRow, bColumn, m, k, n, adds, scratch] = Array.from({ length: 12 }, () =>
    f.parameter(),
  );
  const [p, i, j, block, kept, terms, rows, columns, panelA, target] = Array.from({ length: 10 }, () => f.variable());
  const [x, y] = [f.variable(), f.variable()];
  const panelB = i32.add(scratch.get, i32.const(blockM * blockK * float));
  const spare = i32.add(scratch.get, i32.const(blockM * blockK * float + panelBytes));
  const at = (base: Code, u: Code, uStride: Code, w: Code, wStride: Code): Code =>
    i32.add(i32.add(base, i32.mul(u, uStride)), i32.mul(w, wStride));
  const eachPanelOfA = (body: Code): Code => [
    ...panelA.set(scratch.get),
    ...f.loop(i, i32.const(0), kept.get, tileRows, [
      ...rows.set(least(i32.sub(kept.get, i.get), i32.const(tileRows))),
      ...body,
      ...panelA.add(i32.mul(terms.get, i32.const(tileRows * float))),
    ]),
  ];
  const row = i32.add(block.get, i.get);
  const later = i32.or(adds.get, i32.less(i32.const(0), p.get));
  const element = (of: Code, stride: Code): Code => i32.add(of, i32.add(i32.mul(x.get, stride), bytes(y.get)));
  // A tile that C has no room for is made aside.
  const partly = [
    ...call(functions.tile, panelA.get, panelB, terms.get, spare, i32.const(tileColumns * float), i32.const(0)),
    ...f.loop(x, i32.const(0), rows.get, 1, [
      ...f.loop(y, i32.const(0), columns.get, 1, [
        ...f32.store(
          element(target.get, bytes(n.get)),
          f32.add(
            f32.load(element(spare, i32.const(tileColumns * float))),
            either('f32', later, f32.load(element(target.get, bytes(n.get))), f32.zero),
          ),
        ),
      ]),
    ]),
  ];
  return f.loop(p, i32.const(0), k.get, blockK, [
    ...terms.set(least(i32.sub(k.get, p.get), i32.const(blockK))),
    ...f.loop(block, i32.const(0), m.get, blockM, [
      ...kept.set(least(i32.sub(m.get, block.get), i32.const(blockM))),
      ...eachPanelOfA(
        call(
          functions.packA,
          panelA.get,
          at(a.get, row, aRow.get, p.get, aColumn.get),
          aColumn.get,
          aRow.get,
          terms.get,
          rows.get,
        ),
      ),
      ...f.loop(j, i32.const(0), n.get, tileColumns, [
        ...columns.set(least(i32.sub(n.get, j.get), i32.const(tileColumns))),
        ...call(
          functions.packB,
          panelB,
          at(b.get, p.get, bRow.get, j.get, bColumn.get),
          bRow.get,
          bColumn.get,
          terms.get,
          columns.get,
        ),
        ...eachPanelOfA([
          ...target.set(at(c.get, row, bytes(n.get), j.get, i32.const(float))),
          ...when(
            i32.equal(i32.mul(rows.get, columns.get), i32.const(tileRows * tileColumns)),
            call(functions.tile, panelA.get, panelB, terms.get, target.get, bytes(n.get), later),
            partly,
          ),
        ]),
      ]),
    ]),
  ]);
});

export const productCode: readonly Definition[] = [
  packing('packA', tileRows),
  packing('packB', tileColumns),
  tile,
  product,
];
