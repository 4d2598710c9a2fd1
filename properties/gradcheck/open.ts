import type { MeasuredKink } from './jacobian.ts';
import type { Moved } from './measure.ts';
import type { Sides } from './sides.ts';

/** An output and a colour whose derivative the first evaluations did not settle. */
export interface Open {
  readonly at: number;
  readonly output: number;
  readonly colour: number;
  readonly element: number;
  /** The best interval so far. */
  lo: number;
  hi: number;
  /** Whether its slopes come nearer to none from scale to scale, so that nothing bounds it. */
  isWithoutLimit: boolean;
  kink: MeasuredKink | undefined;
  sides: Sides | undefined;
  /** Slopes at all scales: as if f were smooth, and on both sides. */
  readonly slopes: { readonly smooth: SlopeAt[]; readonly left: SlopeAt[]; readonly right: SlopeAt[] };
}

/** A slope at one scale, and what rounding can add to its difference from another. */
export interface SlopeAt {
  readonly slope: number;
  readonly rounding: number;
}

/** Every output and colour with an element that can be moved and a value from which it can be measured. */
export function measurable(moved: Moved, y: Float64Array): Open[] {
  return movable(moved, (output) => Number.isFinite(y[output]));
}

/** Every colour of these outputs with a finite element that can be moved. */
export function movable(moved: Moved, isWanted: (output: number) => boolean): Open[] {
  const { layout, given } = moved;
  const [near, far] = moved.stencils[0].points;
  const outputs = layout.siteOf.length;
  const open: Open[] = [];
  for (let colour = 0; colour < layout.colours; colour++) {
    for (let output = 0; output < outputs; output++) {
      const element = layout.element(layout.siteOf[output], colour);
      const v = given[element];
      if (near[element] === v || far[element] === v || !Number.isFinite(v) || !isWanted(output)) continue;
      open.push(openAt(colour * outputs + output, output, colour, element));
    }
  }
  return open;
}

export function openAt(at: number, output: number, colour: number, element: number): Open {
  return {
    at,
    output,
    colour,
    element,
    lo: Number.NaN,
    hi: Number.NaN,
    isWithoutLimit: false,
    kink: undefined,
    sides: undefined,
    slopes: { smooth: [], left: [], right: [] },
  };
}

/** Evaluates the levels of one scale that open derivatives still want; of the widest the first two are there already. */
export async function readAt(
  moved: Moved,
  scale: number,
  open: readonly Open[],
  hasFirst: boolean,
  wantsLast = true,
): Promise<void> {
  const { layout } = moved;
  const wanted = Array.from({ length: layout.colours }, () => new Uint8Array(layout.sites));
  for (const { output, colour } of open) wanted[colour][layout.siteOf[output]] = 1;
  if (!hasFirst) await moved.more(scale, 0, wanted);
  if (wantsLast) await moved.more(scale, 2, wanted);
}

/** The values of an open derivative at one scale; `undefined` where one of them is not finite. */
export function valuesAt(
  { output, colour, element }: Open,
  moved: Moved,
  scale: number,
): { readonly t: number[]; readonly f: number[] } | undefined {
  const v = moved.given[element];
  const t = moved.stencils[scale].points.map((point) => point[element] - v);
  if (t.includes(0)) return undefined;
  const f = moved.values[scale].map((level) => level[colour]?.[output] ?? Number.NaN);
  return f.every(Number.isFinite) ? { t, f } : undefined;
}
