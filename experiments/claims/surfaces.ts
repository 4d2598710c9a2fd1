import { experiments } from '../experiments.ts';
import type { SurfaceMeasures } from '../surface.ts';
import type { Cell, MeasuredSurface } from './claim.ts';
import { cellOfValues } from './runs.ts';

/** The activations whose surfaces are compared. */
export const surfaceActivations: readonly string[] = ['relu', 'mrelu-0.8', 'mrelu-0.5', 'pap', 'pap-0.8'];

/** The protocols, in the order of the registry, that there are surfaces of. */
export function surfaceProtocolsOf(surfaces: readonly MeasuredSurface[]): string[] {
  const present = new Set(surfaces.map(({ protocol }) => protocol));
  return [...experiments.landscape.protocols.keys()].filter((name) => present.has(name));
}

/** Surfaces of two activations over the same weights, of one protocol, seed and pair, where both networks learned. */
export function sameWeights(
  surfaces: readonly MeasuredSurface[],
  a: string,
  b: string,
): [MeasuredSurface, MeasuredSurface][] {
  return surfaces
    .filter(({ activation, learned }) => learned && activation === a)
    .flatMap((one) => {
      const other = surfaces.find(
        ({ activation, learned, protocol, seed, pair }) =>
          learned && activation === b && protocol === one.protocol && seed === one.seed && pair === one.pair,
      );
      return other ? [[one, other] as [MeasuredSurface, MeasuredSurface]] : [];
    });
}

/** A measure of a surface; NaN where it can't be measured. */
export function measureOf({ measures }: MeasuredSurface, name: keyof SurfaceMeasures): number {
  return measures?.[name] ?? Number.NaN;
}

/** The cells of a measure over the surfaces of an activation, one for each protocol that there are any of. */
export function surfaceCells(
  surfaces: readonly MeasuredSurface[],
  activation: string,
  measure: keyof SurfaceMeasures,
): Cell[] {
  return surfaceProtocolsOf(surfaces).flatMap((protocol) => {
    const own = surfaces.filter((surface) => surface.protocol === protocol && surface.activation === activation);
    if (own.length === 0) return [];
    const learned = own.filter((surface) => surface.learned);
    const values = learned.map((surface) => measureOf(surface, measure));
    const cell = cellOfValues({ protocol, activation, quantity: `${measure} of the surface` }, values);
    return [{ ...cell, dead: own.length - learned.length }];
  });
}
