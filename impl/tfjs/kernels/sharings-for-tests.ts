import * as fc from 'fast-check';
import type { Sharing } from '../../../reference/case.ts';

const shapes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 });
/** Small shapes of rank 1 to 8, each with a sharing that fits it. */
export const shapesAndSharings: fc.Arbitrary<[number[], Sharing]> = shapes.chain((shape) =>
  fc.oneof(
    fc.constant<[number[], Sharing]>([shape, 'layer']),
    fc.constant<[number[], Sharing]>([shape, 'unit']),
    fc.constant<[number[], Sharing]>([shape, shape.length > 1 ? 'channel' : 'layer']),
    fc
      .subarray(shape.map((_, axis) => axis).slice(1))
      .map((sharedAxes): [number[], Sharing] => [shape, { sharedAxes }]),
  ),
);
