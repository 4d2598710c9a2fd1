import type { Random } from '../../reference/random.ts';
import { indexIn } from '../positions.ts';
import type { Shapes } from './differentiable.ts';
import { candidateLayouts, type Layout, layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import type { NumericSide } from './numeric-side.ts';
import { type GradcheckOptions, kinksOfInput } from './options.ts';
import { alongDirections, type Projection } from './projection.ts';
import type { GradcheckFailure } from './report.ts';

/** Inputs without structure are measured element by element up to this many. */
export const fewElements = 64;

/** One input and how it is measured; not at all if its structure does not hold. */
export interface Part {
  readonly name: string;
  readonly moved: Moved | undefined;
  readonly projection: Projection | undefined;
}

/** Makes the first evaluations of an input, under its declared structure or the first one found that holds. */
export async function openPart(
  name: string,
  side: NumericSide,
  shapes: Shapes,
  declared: GradcheckOptions,
  draw: Random,
  failures: GradcheckFailure[],
): Promise<Part> {
  const given = declared.structure?.[name];
  const yShape = shapes.y;
  const candidates: readonly Layout[] =
    given === undefined ? candidateLayouts(name, shapes[name], yShape) : [layoutOf(name, given, shapes[name], yShape)];
  const kinksOf = kinksOfInput(name, declared.kinks);
  for (const layout of candidates) {
    if (isProjected(layout, declared.jacobian)) {
      const { moved, projection } = alongDirections(name, side, draw, yShape, kinksOf);
      await moved.first(draw);
      return { name, moved, projection };
    }
    const moved = new Moved(name, layout, kinksOf, side);
    await moved.first(draw);
    if (moved.crossTalk === undefined) return { name, moved, projection: undefined };
    const changed = await moved.again();
    if (changed !== undefined) {
      failures.push({ code: 'non-deterministic', what: 'forward', ...changed });
      return { name, moved: undefined, projection: undefined };
    }
    if (given !== undefined) {
      const { output, was, became } = moved.crossTalk;
      failures.push({ code: 'cross-talk', input: name, structure: given, index: indexIn(yShape, output), was, became });
      return { name, moved: undefined, projection: undefined };
    }
  }
  throw new Error(`gradcheck: no structure of ${name} holds, not even dense`);
}

function isProjected({ structure, colours }: Layout, wanted: GradcheckOptions['jacobian']): boolean {
  if (structure !== 'dense' || wanted === 'full') return false;
  return wanted === 'projected' || colours > fewElements;
}
