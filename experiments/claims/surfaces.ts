import { mean, meanInterval, standardDeviation } from '../statistics.ts';
import type { SurfaceMeasures } from '../surface.ts';
import type { Cell, MeasuredSurface } from './claim.ts';

/** The activations whose surfaces are compared. */
export const surfaceActivations: readonly string[] = ['relu', 'mrelu-0.8', 'mrelu-0.5', 'pap'];

/** Surfaces of two activations over the same weights: of one protocol, seed and pair. */
export function sameWeights(
  surfaces: readonly MeasuredSurface[],
  a: string,
  b: string,
): [MeasuredSurface, MeasuredSurface][] {
  return surfaces
    .filter(({ activation }) => activation === a)
    .flatMap((one) => {
      const other = surfaces.find(
        ({ activation, protocol, seed, pair }) =>
          activation === b && protocol === one.protocol && seed === one.seed && pair === one.pair,
      );
      return other ? [[one, other] as [MeasuredSurface, MeasuredSurface]] : [];
    });
}

/** A measure of a surface; NaN where it can't be measured. */
export function measureOf({ measures }: MeasuredSurface, name: keyof SurfaceMeasures): number {
  return measures?.[name] ?? Number.NaN;
}

/** The cell of a measure over the surfaces of an activation; none if there are none. */
export function surfaceCell(
  surfaces: readonly MeasuredSurface[],
  activation: string,
  measure: keyof SurfaceMeasures,
): Cell[] {
  const own = surfaces.filter((surface) => surface.activation === activation);
  if (own.length === 0) return [];
  const values = own.map((surface) => measureOf(surface, measure)).filter(Number.isFinite);
  return [
    {
      protocol: own[0]!.protocol,
      activation,
      quantity: `${measure} of the surface`,
      n: values.length,
      dead: 0,
      excluded: own.length - values.length,
      mean: mean(values),
      interval: meanInterval(values),
      sd: standardDeviation(values),
    },
  ];
}
