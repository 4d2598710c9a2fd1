import { expect, it } from 'vitest';
import { sharingConvnet } from '../convnet-protocol.ts';
import { experiments } from '../experiments.ts';
import { hashOf, type SurfaceRow } from '../trial.ts';
import { kindOf, measure, saidOf } from './measure-for-tests.ts';
import { noise, rowOf, rowsOf } from './rows-for-tests.ts';

it('sharing in a convnet: each two of a unit, a channel and the layer are a part', () => {
  const networks = (losses: Readonly<Record<string, number>>) =>
    Object.entries(losses).flatMap(([activation, loss]) =>
      Array.from({ length: 9 }, (_, i): SurfaceRow => {
        const { epochs, stepMs, gradients, coefficients, ...base } = rowOf('small', 'pap', i + 1);
        const of = experiments.sharing.activations.get(activation)!;
        return {
          ...base,
          protocol: sharingConvnet.name,
          activation,
          hash: hashOf({ ...sharingConvnet, activation: of }),
          test: { loss: loss + 0.01 * noise(i), accuracy: 0.4 },
          offsets: [],
          surfaces: [],
        };
      }),
    );
  const said = (losses: Readonly<Record<string, number>>) => {
    const { verdict, sentence, cells } = measure('sharing', { networks: networks(losses) });
    expect(verdict.kind).toBe('not measured yet');
    expect(cells).toHaveLength(2 * Object.keys(losses).length);
    return sentence;
  };
  expect(said({ pap: 1, 'pap-channel': 2, 'pap-layer': 3 })).toContain('On convnet/sharing it holds for a unit');
  expect(said({ pap: 3, 'pap-channel': 2, 'pap-layer': 1 })).toContain(
    'On convnet/sharing it does not hold for a unit',
  );
  expect(said({ pap: 2, 'pap-channel': 1, 'pap-layer': 3 })).toContain(
    'it holds for a unit against the layer, a channel against the layer; it does not hold for a unit against a channel',
  );
  expect(said({ 'pap-channel': 1, 'pap-layer': 3 })).toContain('it is open for a unit against a channel');
});

it('sharing: a unit against the layer, and the map by pairs', () => {
  const shared = (protocol: string, unit: number, layer: number) => [
    ...rowsOf(protocol, 'pap', 9, (seed) => ({ loss: unit + 0.001 * noise(seed) })),
    ...rowsOf(protocol, 'pap-layer', 9, (seed) => ({ loss: layer + 0.001 * noise(seed + 1) })),
  ];
  expect(kindOf('sharing', shared('small', 0.1, 0.2))).toBe('holds');
  expect(kindOf('sharing', shared('small', 0.2, 0.1))).toBe('does not hold');
  expect(kindOf('sharing', shared('small', 0.2, 0.2))).toBe('not decided yet');
  const rows = [...shared('small', 0.1, 0.2), ...shared('batch-128/rate-0.1', 0.2, 0.1)];
  expect(saidOf(measure('sharing', { rows }).verdict)).toEqual([
    'holds on small',
    'does not hold: the learning-rate map',
  ]);
  const threeSeeds = ['batch-128/rate-0.05', 'batch-128/rate-0.1', 'batch-128/rate-0.2'].flatMap((protocol) =>
    shared(protocol, 0.2, 0.1).filter(({ seed }) => seed <= 3),
  );
  expect(measure('sharing', { rows: threeSeeds }).comparisons).toMatchObject([{ n: [3], outcome: 'open' }]);
  const worse = rows.map((row) =>
    row.activation === 'pap' ? { ...row, epochs: [{ ...row.epochs[0], accuracy: 0.9 }] } : row,
  );
  const { caveat, sentence } = measure('sharing', { rows: worse });
  expect(caveat).toContain('by the accuracy the layer is better');
  expect(sentence).toContain('0 of 9 runs of pap die, and 0 of 9 of pap-layer');
});
