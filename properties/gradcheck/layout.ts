import { sizeOf } from '../../reference/shape.ts';
import type { Structure } from './differentiable.ts';

/**
 * The reach of an input, in the form that all structures share: every output depends on the elements of one site only,
 * one for each colour. Elements of different sites can be moved at once, and each output still shows one of them.
 */
export interface Layout {
  readonly structure: Structure;
  readonly sites: number;
  readonly colours: number;
  /** The site of each output. */
  readonly siteOf: Int32Array;
  /** The input element of a site and colour. */
  element(site: number, colour: number): number;
  /** The input element of a colour that each output shows. */
  elements(colour: number): Int32Array;
  /** How many outputs each input element reaches. */
  reaches(): Int32Array;
}

/** Every layout is made here, so that what is read in inner loops has one form. */
function strided(
  structure: Structure,
  sites: number,
  colours: number,
  siteOf: Int32Array,
  siteStride: number,
  colourStride: number,
): Layout {
  const element = (site: number, colour: number) => site * siteStride + colour * colourStride;
  const known: Int32Array[] = [];
  const elements = (colour: number) => {
    if (known[colour] === undefined) {
      const of = new Int32Array(siteOf.length);
      for (let i = 0; i < of.length; i++) of[i] = siteOf[i] * siteStride + colour * colourStride;
      known[colour] = of;
    }
    return known[colour];
  };
  let counts: Int32Array | undefined;
  const reaches = () => {
    if (counts === undefined) {
      counts = new Int32Array(sites * colours);
      for (let colour = 0; colour < colours; colour++) for (const j of elements(colour)) counts[j]++;
    }
    return counts;
  };
  return { structure, sites, colours, siteOf, element, elements, reaches };
}

/** The layout of an input of this shape under a structure. @throws RangeError naming the input if it does not fit. */
export function layoutOf(
  name: string,
  structure: Structure,
  shape: readonly number[],
  yShape: readonly number[],
): Layout {
  const size = sizeOf(shape);
  const outputs = sizeOf(yShape);
  const misfit = (expected: string): never => {
    throw new RangeError(
      `gradcheck: "structure.${name}" ${describeStructure(structure)} expected ${expected}, got [${shape}] for y of [${yShape}]`,
    );
  };
  if (structure === 'elementwise') {
    if (size !== outputs) misfit('as many elements as y has');
    const siteOf = new Int32Array(size);
    for (let i = 0; i < size; i++) siteOf[i] = i;
    return strided(structure, size, 1, siteOf, 1, 0);
  }
  if (structure === 'rows') {
    const rows = shape[0] ?? 0;
    if (shape.length === 0 || rows !== yShape[0]) misfit('the first axis of y');
    const colours = rows === 0 ? 0 : size / rows;
    const per = outputs / rows;
    const siteOf = new Int32Array(outputs).map((_, i) => Math.floor(i / per));
    return strided(structure, rows, colours, siteOf, colours, 1);
  }
  const trailing = structure === 'dense' ? 0 : structure.trailing;
  if (!Number.isSafeInteger(trailing) || trailing < 0 || trailing > shape.length || trailing > yShape.length) {
    misfit('at most as many axes as x and y have');
  }
  const kept = shape.slice(shape.length - trailing);
  const along = yShape.slice(yShape.length - trailing);
  if (!kept.every((n, axis) => n === along[axis] || n === 1)) misfit('axes of the length of those of y, or 1');
  const sites = sizeOf(kept);
  const siteOf = new Int32Array(outputs);
  for (let i = 0; i < outputs; i++) {
    let rest = i;
    let stride = 1;
    for (let axis = trailing - 1; axis >= 0; axis--) {
      const index = rest % along[axis];
      rest = (rest - index) / along[axis];
      if (kept[axis] !== 1) siteOf[i] += index * stride;
      stride *= kept[axis];
    }
  }
  const colours = sites === 0 ? 0 : size / sites;
  return strided(structure, sites, colours, siteOf, 1, sites);
}

/** The layouts that an input of this shape may have, those that need the fewest evaluations first, `dense` last. */
export function candidateLayouts(name: string, shape: readonly number[], yShape: readonly number[]): Layout[] {
  const candidates: Layout[] = [];
  const attempt = (structure: Structure) => {
    try {
      candidates.push(layoutOf(name, structure, shape, yShape));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  };
  attempt('elementwise');
  for (let trailing = Math.min(shape.length, yShape.length - 1); trailing > 0; trailing--) attempt({ trailing });
  if (shape.length > 1 || yShape.length > 1) attempt('rows');
  attempt('dense');
  return candidates.sort((a, b) => a.colours - b.colours);
}

/** `elementwise`, `{ trailing: 1 }`: a structure as its author writes it. */
export function describeStructure(structure: Structure): string {
  return typeof structure === 'string' ? `"${structure}"` : `{ trailing: ${structure.trailing} }`;
}
