import { describe, expect, it } from 'vitest';
import { parameterLayout } from '../../reference/parameters.ts';
import { checkedPool, layoutOf } from './parameters.ts';

const [noAxis, noNumber]: [number[], number[]] = [
  [0, 1],
  [0, 1],
];
delete noAxis[0];
delete noNumber[0];

/** Changes of a good pool over `[2, 3]`, and the argument that an error must name. */
const badPools: readonly [string, object, string][] = [
  ['branches of text', { branches: 'relu' }, 'branches'],
  ['no branches', { branches: [] }, 'branches'],
  ['an unknown branch', { branches: ['relu', 'toString'] }, 'branches'],
  ['a branch of null', { branches: ['relu', null] }, 'branches'],
  ['a hole for a branch', { branches: new Array(2) }, 'branches'],
  ['an unknown sharing', { sharing: 'row' }, 'sharing'],
  ['a sharing of another kind', { sharing: 3 }, 'sharing'],
  ['axes of another kind', { sharing: { sharedAxes: 1 } }, 'shar'],
  ['an axis that is no integer', { sharing: { sharedAxes: [1.5] } }, 'sharedAxes'],
  ['an axis twice', { sharing: { sharedAxes: [1, 1] } }, 'sharedAxes'],
  ['a hole for an axis', { sharing: { sharedAxes: noAxis } }, 'sharedAxes'],
  ['the batch axis', { sharing: { sharedAxes: [0] } }, 'sharedAxes'],
  ['an axis out of range', { sharing: { sharedAxes: [2] } }, 'sharedAxes'],
  ['a constraint of text', { constraint: 'free' }, 'constraint'],
  ['an unknown constraint', { constraint: { kind: 'max' } }, 'constraint'],
  ['a clip without bounds', { constraint: { kind: 'clip' } }, 'bounds'],
  ['too few bounds', { constraint: { kind: 'clip', bounds: [1] } }, 'bounds'],
  ['a negative bound', { constraint: { kind: 'clip', bounds: [1, -1] } }, 'bounds'],
  ['a bound of NaN', { constraint: { kind: 'clip', bounds: [1, NaN] } }, 'bounds'],
  ['bounds of text', { constraint: { kind: 'clip', bounds: ['1', '2'] } }, 'bounds'],
  ['a hole for a bound', { constraint: { kind: 'clip', bounds: noNumber } }, 'bounds'],
];

describe('both the reference and impl refuse', () => {
  it.each(badPools)('%s', (_, change, name) => {
    const pool = { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' }, ...change } as never;
    for (const layout of [
      () => parameterLayout(pool, [2, 3]),
      () => layoutOf('pool', checkedPool('pool', pool), [2, 3]),
    ]) {
      expect(layout).toThrow(new RegExp(`^pool: "${name}`));
      expect(layout).toThrow(expect.toSatisfy((e) => e instanceof TypeError || e instanceof RangeError));
    }
  });
});
