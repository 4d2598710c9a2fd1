import { expect, it } from 'vitest';
import { convnet, surfaceProtocols } from './convnet-protocol.ts';
import { experiments } from './experiments.ts';

it('every protocol of surfaces is in the registry under its name; pilots sweep none, and train a PAP', () => {
  for (const [name, protocol] of surfaceProtocols) {
    const isPilot = name.startsWith('convnet/pilot/');
    expect(protocol.name).toBe(name);
    expect(protocol.pairs).toBe(isPilot ? 0 : 20);
    expect(experiments.landscape.chosen(name)).toEqual(isPilot ? ['pap'] : expect.arrayContaining(['relu', 'pap']));
  }
});

it('no-dropout differs from the published protocol in dropout alone', () => {
  const { name: _, layers, ...rest } = surfaceProtocols.get('convnet/no-dropout')!;
  const { name: __, layers: published, ...expected } = convnet;
  expect(rest).toEqual(expected);
  expect(layers).toEqual(published.filter(({ kind }) => kind !== 'dropout'));
});
