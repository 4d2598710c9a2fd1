import type { Numeric } from './compare.ts';
import type { Tensors } from './differentiable.ts';

/** What a tangent may be, output by output, by the measured derivatives. */
export interface ExpectedTangent {
  readonly middle: Float64Array;
  readonly half: Float64Array;
  /** `Σ |∂y/∂v·t|`, by which rounding is bounded. */
  readonly size: Float64Array;
}

/** `J t` in intervals, middle and half width, and `Σ|∂y/∂v·t|`; NaN where a derivative is not known by itself. */
export function expectedTangent(numerics: readonly Numeric[], tangents: Tensors, outputs: number): ExpectedTangent {
  const [middle, half, size] = [new Float64Array(outputs), new Float64Array(outputs), new Float64Array(outputs)];
  for (const { name, layout, jacobian, projection } of numerics) {
    if (projection) middle.fill(Number.NaN);
    const tangent = tangents[name];
    for (let colour = 0; colour < layout.colours && !projection; colour++) {
      const elements = layout.elements(colour);
      for (let i = 0; i < outputs; i++) {
        const t = tangent[elements[i]];
        const least = jacobian.lo[colour * outputs + i];
        const radius = (jacobian.hi[colour * outputs + i] - least) / 2;
        const width = Math.abs(t) * radius;
        const term = t * (least + radius);
        middle[i] += term;
        half[i] += width;
        size[i] += Math.abs(term) + width;
      }
    }
  }
  return { middle, half, size };
}
