import { indexIn } from '../positions.ts';
import type { Comparison, Numeric } from './compare.ts';
import type { Declared, Shapes } from './differentiable.ts';
import type { MeasuredKink } from './jacobian.ts';
import type { InputReport, KinkFound } from './report.ts';

/** Kinks that a report lists; it counts them all. */
const kinksShown = 8;

export function inputReport(comparison: Comparison, numeric: Numeric, declared: Declared, shapes: Shapes): InputReport {
  const { name, layout, projection } = numeric;
  const kinks = kinksOn(numeric);
  return {
    name,
    shape: numeric.shape,
    structure: projection ? 'projected' : layout.structure,
    declared: declared.structure?.[name] !== undefined,
    ...(projection && {
      projection: { random: projection.random, together: projection.together, alone: projection.alone.length },
    }),
    kinks: kinks.slice(0, kinksShown).map((kink) => kinkFound(kink, numeric, shapes)),
    kinkCount: kinks.length,
    ...comparison.summary,
    // A sort, only for who reads it.
    get sees() {
      return comparison.sees();
    },
  };
}

/** Those of elements: along a random direction what bends is not known. */
function kinksOn({ jacobian, projection }: Numeric): readonly MeasuredKink[] {
  return projection ? jacobian.kinks.filter(({ element }) => element >= projection.random) : jacobian.kinks;
}

function kinkFound(
  { output, element: k, declared, left, right }: MeasuredKink,
  { shape, values, projection }: Numeric,
  shapes: Shapes,
): KinkFound {
  const element = projection ? projection.alone[k - projection.random] : k;
  const size = projection ? projection.directions[k][element] : 1;
  return {
    element: indexIn(shape, element),
    output: indexIn(shapes.y, output),
    at: values[element],
    declared: declared !== undefined,
    left: left.slope / size,
    right: right.slope / size,
    jump: right.value - left.value,
  };
}

/** What the comparison of the gradients says of them, in words. */
export function gradientCheck(inputs: readonly InputReport[]): string {
  const of = (reports: readonly InputReport[]) => {
    const compared = reports.reduce((sum, report) => sum + report.compared, 0);
    const all = reports.reduce((sum, { open }) => sum + open, compared);
    return compared === all ? 'every element' : `${compared} of ${all} elements`;
  };
  const projected = inputs.filter(({ structure }) => structure === 'projected');
  const single = inputs.filter(({ structure }) => structure !== 'projected');
  if (inputs.length === 0) return 'no gradient';
  return [
    ...(single.length > 0 ? [`gradient of ${of(single)}`] : []),
    ...projected.map(({ name }) => `gradient of ${name} along directions`),
  ].join(', ');
}
