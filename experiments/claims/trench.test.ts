import { describe, expect, it } from 'vitest';
import { experiments } from '../experiments.ts';
import { measure, saidOf } from './measure-for-tests.ts';
import { surface } from './surfaces-for-tests.ts';

describe('trench', () => {
  const surfaces = (n: number, pap: number, depth = pap) =>
    Array.from({ length: n }, (_, pair) => [surface('relu', pair, 2), surface('pap', pair, pap, depth)]).flat();
  it('counts the pairs of the same weights', () => {
    expect(measure('trench', { surfaces: surfaces(40, 3) }).verdict.kind).toBe('holds');
    expect(measure('trench', { surfaces: surfaces(40, 1) }).verdict.kind).toBe('does not hold');
    expect(measure('trench', { surfaces: surfaces(40, 3, 1) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['anisotropy (pap)'],
    });
    expect(measure('trench', { surfaces: surfaces(39, 3) }).verdict.kind).toBe('not decided yet');
  });
  it('judges each protocol on its own, and takes no pair across two', () => {
    const [, variant] = [...experiments.landscape.protocols.keys()] as [string, string];
    const elsewhere = (n: number, pap: number) => surfaces(n, pap).map((each) => ({ ...each, protocol: variant }));
    const both = measure('trench', { surfaces: [...surfaces(40, 1), ...elsewhere(40, 3)] });
    expect(saidOf(both.verdict)).toEqual(['does not hold on convnet', `holds: ${variant}`]);
    expect(both.cells.map(({ protocol, n }) => [protocol, n])).toContainEqual([variant, 40]);
    const across = [...surfaces(40, 3).filter(({ activation }) => activation === 'relu'), ...elsewhere(40, 3)];
    const noRelu = across.filter(({ protocol, activation }) => protocol === 'convnet' || activation === 'pap');
    expect(measure('trench', { surfaces: noRelu }).comparisons).toEqual([]);
  });
  it('says what the surfaces can not show', () => {
    const { sentence } = measure('trench', { surfaces: surfaces(40, 0.995) });
    expect(sentence).toContain('of the 80 surfaces of relu and PAPs with an anisotropy above 0.99, 0 have a weight');
    expect(sentence).toContain('for 40 of 40 of relu, 40 of 40 of pap;');
  });
  it('surfaces of networks that have not learned are counted, not judged', () => {
    const dead = surfaces(40, 3).map((each) => ({ ...each, learned: each.activation !== 'pap' }));
    const { verdict, cells, sentence } = measure('trench', { surfaces: dead });
    expect(verdict.kind).toBe('not measured yet');
    expect(sentence).toContain('Networks that have not learned: 1 of 1 of pap on convnet.');
    expect(cells.find(({ activation }) => activation === 'pap')).toMatchObject({ n: 0, dead: 40, excluded: 0 });
  });
});
