import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import type { DeclaredKink, FloatDtype, Structure } from './differentiable.ts';
import { layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import { noiseScales, stencilAt, stepScales } from './stencil.ts';

type F = (x: Float64Array) => Float64Array;
const spread = (size: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(k + 1));

interface How {
  readonly dtype?: FloatDtype;
  readonly kinks?: (element: number) => readonly DeclaredKink[];
}

/** f at x under a structure, with all places where it was asked. */
function move(
  f: F,
  x: Float64Array,
  structure: Structure,
  shapes: [number[], number[]],
  { dtype = 'f64', kinks }: How = {},
) {
  const places: Float64Array[] = [];
  const inputs = { x, other: Float64Array.of(7) };
  const base = {
    numeric: async (at: Readonly<Record<string, Float64Array>>) => {
      expect(at.other).toBe(inputs.other);
      places.push(at.x.slice());
      return f(at.x);
    },
    dtype,
    inputs,
    y: f(x),
  };
  const moved = new Moved('x', layoutOf('x', structure, ...shapes), kinks, base);
  return { moved, places, first: (seed = 1) => moved.first(random(seed, 'measure')) };
}

const squares: F = (x) => x.map((v, j) => (j + 1) * v * v);
/** Each output of a row of 2 is of all 3 elements of the row. */
const rows: F = (x) =>
  Float64Array.from({ length: (x.length / 3) * 2 }, (_, i) => {
    const r = Math.floor(i / 2) * 3;
    return x[r] * x[r + 1] + (i % 2) * x[r + 2] ** 2;
  });
/** x `[2, 3]` along the last axis of y `[4, 3]`. */
const shared: F = (x) => Float64Array.from({ length: 12 }, (_, i) => i + x[i % 3] * x[3 + (i % 3)]);
const dense: F = (x) => Float64Array.of(x[0] * x[1], x[1] ** 2, x[2]);

/** A function of each structure, with its shapes, and how often the first evaluations ask it. */
const structured: readonly (readonly [string, F, Structure, [number[], number[]], number])[] = [
  ['elementwise', squares, 'elementwise', [[20], [20]], 3],
  [
    'rows',
    rows,
    'rows',
    [
      [30, 3],
      [30, 2],
    ],
    7,
  ],
  [
    'trailing, few sites',
    shared,
    { trailing: 1 },
    [
      [2, 3],
      [4, 3],
    ],
    5 + 2 * 2,
  ],
  ['dense', dense, 'dense', [[3], [3]], 6],
];

describe.each(structured)('the first evaluations, %s', (_name, f, structure, shapes, evaluations) => {
  const x = spread(shapes[0].reduce((a, b) => a * b, 1));

  it('show each output with each of its elements moved by itself, as far as the first two points', async () => {
    for (const seed of [1, 2, 3]) {
      const { moved, first } = move(f, x, structure, shapes);
      await first(seed);
      expect(moved.crossTalk).toBeUndefined();
      const { layout, values, stencils } = moved;
      expect(stencils[0]).toEqual(stencilAt(x, 'f64', stepScales.f64[0], undefined));
      for (let colour = 0; colour < layout.colours; colour++) {
        for (const [i, j] of layout.elements(colour).entries()) {
          for (const level of [0, 1] as const) {
            const alone = f(x.with(j, stencils[0].points[level][j]));
            expect(values[0][level][colour][i]).toBe(alone[i]);
          }
        }
      }
      expect(values[0][2]).toEqual([]);
    }
  });

  it(`are ${evaluations}`, async () => {
    const { places, first } = move(f, x, structure, shapes);
    await first();
    expect(places).toHaveLength(evaluations);
  });
});

describe('the Latin square', () => {
  const x = spread(24);

  it('lets every element rest once, and be once at each point; all of these in each evaluation', async () => {
    const { moved, places, first } = move(squares, x, 'elementwise', [[24], [24]]);
    await first();
    const [near, far] = moved.stencils[0].points;
    for (const j of x.keys()) {
      expect(places.map((place) => place[j]).sort()).toEqual([x[j], near[j], far[j]].sort());
    }
    for (const place of places) {
      for (const level of [x, near, far]) expect(place.filter((v, j) => v === level[j])).toHaveLength(8);
    }
  });

  it('is dealt at random', async () => {
    const [one, same, two] = [1, 1, 2].map((seed) => ({ seed, ...move(squares, x, 'elementwise', [[24], [24]]) }));
    for (const { first, seed } of [one, same, two]) await first(seed);
    expect(one.places).toEqual(same.places);
    expect(one.places).not.toEqual(two.places);
  });

  it('of four sites for each state and fewer is followed by the bits of their numbers, in all colours', async () => {
    const calls = async (sites: number) => {
      const { places, first } = move(squares, spread(sites), 'elementwise', [[sites], [sites]]);
      await first();
      return places.length;
    };
    expect(await calls(13)).toBe(3);
    expect(await calls(12)).toBe(3 + 2 * 4);
    expect(await calls(8)).toBe(3 + 2 * 3);
    expect(await calls(2)).toBe(3 + 2);
    // One site rests while nobody moves, which shows nothing.
    expect(await calls(1)).toBe(2);
  });
});

describe('cross-talk', () => {
  it('between any two rows, by any of their elements, is seen', async () => {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [0, 2],
      [2, 0],
      [1, 2],
      [2, 1],
    ] as const) {
      for (const colour of [0, 1, 2]) {
        for (const seed of [1, 2, 3]) {
          const f: F = (x) => rows(x).map((v, i) => (i === 2 * to ? v + x[3 * from + colour] : v));
          const { moved, first } = move(f, spread(9), 'rows', [
            [3, 3],
            [3, 2],
          ]);
          await first(seed);
          expect(moved.crossTalk, `${from} to ${to} by ${colour}`).toMatchObject({ output: 2 * to });
        }
      }
    }
  });

  it('is the output with its value before and after, and ends the measuring', async () => {
    const x = spread(30);
    const f: F = (at) => at.map((v, j) => (j === 4 ? v + (at[0] === x[0] ? 0 : 1) : v));
    const { moved, places, first } = move(f, x, 'elementwise', [[30], [30]]);
    await first();
    expect(moved.crossTalk).toEqual({ output: 4, was: x[4], became: x[4] + 1 });
    expect(places.length).toBeLessThanOrEqual(3);
    const last = places.length;
    expect(places[last - 1][4]).toBe(x[4]);
    expect(places[last - 1][0]).not.toBe(x[0]);
  });

  it('ends the measuring of few sites too, between any two of them', async () => {
    const x = spread(6);
    for (let from = 0; from < 6; from++) {
      for (let to = 0; to < 6; to++) {
        if (from === to) continue;
        const f: F = (at) => at.map((v, j) => (j === to ? v + (at[from] === x[from] ? 0 : 1) : v));
        const { moved, places, first } = move(f, x, 'elementwise', [[6], [6]]);
        await first(to + 1);
        expect(moved.crossTalk).toMatchObject({ output: to });
        expect(places.findIndex((place) => place[to] === x[to] && place[from] !== x[from])).toBe(places.length - 1);
      }
    }
  });

  it('is the first that was seen', async () => {
    const x = spread(3);
    const f: F = (at) => at.map((v, j) => (j === 2 && at[0] !== x[0] ? 9 : v));
    const { moved, first } = move(f, x, 'elementwise', [[3], [3]]);
    await first();
    const { crossTalk } = moved;
    expect(crossTalk).toMatchObject({ output: 2, became: 9 });
    await moved.more(1, 0, [Uint8Array.of(1, 0, 0)]);
    expect(moved.crossTalk).toBe(crossTalk);
  });

  it('is looked for in later evaluations too', async () => {
    const x = spread(30);
    const f: F = (at) => at.map((v, j) => (j === 4 && Math.abs(at[0] - x[0]) > 2 ** -16 ? 9 : v));
    const { moved } = move(f, x, 'elementwise', [[30], [30]]);
    await moved.more(1, 0, [new Uint8Array(30).fill(1, 0, 1)]);
    expect(moved.crossTalk).toBeUndefined();
    await moved.more(0, 2, [new Uint8Array(30).fill(1, 0, 1)]);
    expect(moved.crossTalk).toMatchObject({ output: 4, became: 9 });
  });
});

describe('further evaluations', () => {
  it.each([
    [0, 2],
    [1, 0],
    [2, 2],
  ] as const)('at scale %d from level %d move the wanted sites of a colour, all others rest', async (scale, level) => {
    const x = spread(12);
    const { moved, places } = move(rows, x, 'rows', [
      [4, 3],
      [4, 2],
    ]);
    const wanted = [Uint8Array.of(0, 1, 0, 1), new Uint8Array(4), Uint8Array.of(1, 0, 0, 0)];
    await moved.more(scale, level, wanted);
    const { points } = moved.stencils[scale];
    expect(moved.stencils[scale]).toEqual(stencilAt(x, 'f64', stepScales.f64[scale], undefined));
    const step = (elements: number[], k: number) => x.map((v, j) => (elements.includes(j) ? points[k][j] : v));
    expect(places).toEqual([step([3, 9], level), step([3, 9], level + 1), step([2], level), step([2], level + 1)]);
    for (const k of [level, level + 1]) {
      const [first, , third] = moved.values[scale][k];
      const asked = rows(step([3, 9], k));
      expect([...first]).toEqual([...asked].map((v, i) => ([2, 3, 6, 7].includes(i) ? v : Number.NaN)));
      expect([...third.subarray(0, 2)]).toEqual([...rows(step([2], k)).subarray(0, 2)]);
    }
    expect(moved.values[scale][2 - level]).toEqual([]);
  });

  it('leave what was measured before', async () => {
    const { moved, first } = move(squares, spread(20), 'elementwise', [[20], [20]]);
    await first();
    const before = moved.values[0].slice(0, 2).map((level) => level.map((of) => of.slice()));
    await moved.more(0, 2, [new Uint8Array(20).fill(1)]);
    expect(moved.values[0].slice(0, 2)).toEqual(before);
  });

  it('keep to their side of kinks, at the scales of the dtype', async () => {
    const x = Float64Array.of(0.5, 2);
    const kinks = (j: number): DeclaredKink[] => (j === 0 ? [{ at: 0.5 - 2 ** -9 }] : []);
    const { moved } = move((at) => at.slice(), x, 'elementwise', [[2], [2]], { dtype: 'f32', kinks });
    // And one within tiny elements, of which there is none here.
    expect(moved.scales).toBe(stepScales.f32.length + 1);
    await moved.more(moved.scales - 1, 0, [Uint8Array.of(1, 1)]);
    expect(moved.values[moved.scales - 1]).toEqual([[], [], [], []]);
    await moved.more(moved.noiseScales[0], 0, [Uint8Array.of(1, 1)]);
    expect(moved.stencils[moved.scales]).toEqual(stencilAt(x, 'f32', noiseScales.f32[0], kinks));
    expect(moved.given).toBe(x);
    await moved.more(1, 0, [Uint8Array.of(1, 1)]);
    expect(moved.stencils[1]).toEqual(stencilAt(x, 'f32', stepScales.f32[1], kinks));
    expect([...moved.stencils[1].side]).toEqual([1, 0]);
  });
});

describe('the same again', () => {
  const x = spread(3);

  it('is nothing to tell of where bits are the same', async () => {
    expect(await move(squares, x, 'elementwise', [[3], [3]]).moved.again()).toBeUndefined();
  });

  it('names the first element that came out otherwise', async () => {
    let [calls, from] = [0, 0];
    const f: F = (at) => {
      calls++;
      return at.map((v, j) => (j >= from ? v + calls : v));
    };
    for (from = 0; from < 3; from++) {
      calls = 0;
      expect(await move(f, x, 'elementwise', [[3], [3]]).moved.again()).toEqual({
        element: from,
        first: x[from] + 1,
        again: x[from] + 2,
      });
    }
  });
});

it('an output depends on one element of each colour, or on so many as is said', () => {
  expect(move(dense, spread(3), 'dense', [[3], [3]]).moved.reach).toBe(3);
  const base = {
    numeric: async () => new Float64Array(1),
    dtype: 'f64',
    inputs: { x: spread(4) },
    y: new Float64Array(1),
  } as const;
  expect(new Moved('x', layoutOf('x', 'dense', [4], [1]), undefined, base, 100).reach).toBe(100);
});
