import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../reference/shape.ts';
import type { Structure } from './differentiable.ts';
import { candidateLayouts, describeStructure, layoutOf } from './layout.ts';

const elements = (structure: Structure, shape: number[], yShape: number[]) => {
  const layout = layoutOf('x', structure, shape, yShape);
  return { ...layout, reached: Array.from({ length: layout.colours }, (_, colour) => [...layout.elements(colour)]) };
};

describe('a layout says which elements each output shows', () => {
  it('elementwise: its own', () => {
    const { sites, colours, reached, siteOf } = elements('elementwise', [2, 2], [4]);
    expect([sites, colours]).toEqual([4, 1]);
    expect([...siteOf]).toEqual([0, 1, 2, 3]);
    expect(reached).toEqual([[0, 1, 2, 3]]);
  });

  it('rows: all of its row', () => {
    const { sites, colours, reached } = elements('rows', [2, 3], [2, 2]);
    expect([sites, colours]).toEqual([2, 3]);
    expect(reached).toEqual([
      [0, 0, 3, 3],
      [1, 1, 4, 4],
      [2, 2, 5, 5],
    ]);
    expect(elements('rows', [0, 3], [0, 2])).toMatchObject({ sites: 0, colours: 0, reached: [] });
  });

  it('trailing: those of its last indices, for each leading one; an axis of 1 is broadcast', () => {
    expect(elements({ trailing: 1 }, [2, 3], [2, 3]).reached).toEqual([
      [0, 1, 2, 0, 1, 2],
      [3, 4, 5, 3, 4, 5],
    ]);
    expect(elements({ trailing: 2 }, [2, 1], [2, 2, 3]).reached).toEqual([[0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]]);
    expect(elements({ trailing: 2 }, [1, 3], [2, 2, 3]).reached).toEqual([[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]]);
    expect(elements({ trailing: 2 }, [2, 3], [1, 2, 3]).reached).toEqual([[0, 1, 2, 3, 4, 5]]);
    expect(elements({ trailing: 2 }, [5, 2], [5, 2]).reached).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    expect(elements({ trailing: 1 }, [2, 0], [4, 0])).toMatchObject({ sites: 0, colours: 0, reached: [] });
  });

  it('dense: every one', () => {
    const { sites, colours, reached } = elements('dense', [3], [2]);
    expect([sites, colours]).toEqual([1, 3]);
    expect(reached).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  it('and how many outputs each element reaches', () => {
    const reaches = (structure: Structure, shape: number[], yShape: number[]) => [
      ...layoutOf('x', structure, shape, yShape).reaches(),
    ];
    expect(reaches('elementwise', [2, 2], [4])).toEqual([1, 1, 1, 1]);
    expect(reaches('rows', [2, 3], [2, 4])).toEqual([4, 4, 4, 4, 4, 4]);
    expect(reaches({ trailing: 1 }, [2, 3], [4, 3])).toEqual([4, 4, 4, 4, 4, 4]);
    expect(reaches({ trailing: 2 }, [2, 1], [2, 2, 3])).toEqual([6, 6]);
    expect(reaches('dense', [3], [2])).toEqual([2, 2, 2]);
  });

  it('is worked out once', () => {
    const layout = layoutOf('x', 'rows', [2, 3], [2, 2]);
    expect(layout.elements(1)).toBe(layout.elements(1));
    expect(layout.reaches()).toBe(layout.reaches());
  });

  it('element(site, colour) is what elements(colour) holds at an output of the site', () => {
    for (const [structure, shape, yShape] of [
      ['elementwise', [6], [2, 3]],
      ['rows', [2, 4], [2, 3]],
      [{ trailing: 1 }, [5, 3], [2, 3]],
      ['dense', [4], [2, 3]],
    ] as const) {
      const layout = layoutOf('x', structure, shape, yShape);
      for (let colour = 0; colour < layout.colours; colour++) {
        const reached = layout.elements(colour);
        for (const [i, site] of layout.siteOf.entries()) expect(layout.element(site, colour)).toBe(reached[i]);
      }
    }
  });
});

it.each([
  ['elementwise', [3], [4], 'as many elements as y has'],
  ['rows', [3, 2], [2, 2], 'the first axis of y'],
  ['rows', [], [2, 2], 'the first axis of y'],
  ['rows', [], [0, 2], 'the first axis of y'],
  ['rows', [2], [], 'the first axis of y'],
  [{ trailing: 2 }, [3], [3, 3], 'at most as many axes'],
  [{ trailing: 2 }, [3, 3], [3], 'at most as many axes'],
  [{ trailing: -1 }, [3], [3], 'at most as many axes'],
  [{ trailing: 0.5 }, [3], [3], 'at most as many axes'],
  [{ trailing: 1 }, [2], [3], 'axes of the length of those of y, or 1'],
] as const)('%s of %j for y of %j is refused', (structure, shape, yShape, expected) => {
  const attempt = () => layoutOf('x', structure, shape, yShape);
  expect(attempt).toThrow(RangeError);
  expect(attempt).toThrow(`"structure.x" ${describeStructure(structure)} expected ${expected}`);
  expect(attempt).toThrow(`got [${shape}] for y of [${yShape}]`);
});

describe('candidates', () => {
  const names = (shape: number[], yShape: number[]) =>
    candidateLayouts('x', shape, yShape).map(({ structure }) => describeStructure(structure));

  it('come with the fewest colours first, and dense always', () => {
    expect(names([2, 3], [2, 3])).toEqual(['"elementwise"', '{ trailing: 1 }', '"rows"', '"dense"']);
    expect(names([2, 3], [4, 3])).toEqual(['{ trailing: 1 }', '"dense"']);
    expect(names([3], [3])).toEqual(['"elementwise"', '"dense"']);
    expect(names([5], [2])).toEqual(['"dense"']);
    expect(names([2, 4], [2, 3])).toEqual(['"rows"', '"dense"']);
    expect(names([5, 2], [5, 2])).toEqual(['"elementwise"', '"rows"', '{ trailing: 1 }', '"dense"']);
    expect(names([4], [4, 3])).toEqual(['"rows"', '"dense"']);
    expect(names([4, 3], [4])).toEqual(['"rows"', '"dense"']);
    expect(names([2, 3, 4], [5, 3, 4])).toEqual(['{ trailing: 2 }', '{ trailing: 1 }', '"dense"']);
  });
});

it('counts the elements of a shape', () => {
  expect([sizeOf([]), sizeOf([3]), sizeOf([2, 3]), sizeOf([2, 0])]).toEqual([1, 3, 6, 0]);
});
