import { experiments } from './experiments.ts';
import { hashOf, type Row } from './trial.ts';

/** Of every protocol with every activation of the registry, by its hash: the names of the two. */
const registered: ReadonlyMap<string, Pick<Row, 'protocol' | 'activation'>> = new Map(
  Object.values(experiments).flatMap(({ protocols, variants, activations }) =>
    [...protocols.values()].flatMap(variants).flatMap((protocol) =>
      [...activations.values()].map((activation) => {
        const names = { protocol: protocol.name, activation: activation.name };
        return [hashOf({ ...protocol, activation }), names] as const;
      }),
    ),
  ),
);

/** Whether a row is of its protocol as it stands in the registry; with another number of epochs it is of another one. */
export function isRegistered({ hash }: Pick<Row, 'hash'>): boolean {
  return registered.has(hash);
}

/** The names that go with a hash; undefined if the registry does not know it. */
export function namesOf(hash: string): Pick<Row, 'protocol' | 'activation'> | undefined {
  return registered.get(hash);
}
