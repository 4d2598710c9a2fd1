/** `Π shape`: the elements of a tensor of this shape, 1 of a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
