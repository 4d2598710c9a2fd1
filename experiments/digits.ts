/** Six significant digits: what two backends agree on, and more than any claim needs. */
export function digits(value: number): number {
  return Number(value.toPrecision(6));
}

/** The same; `null`, as JSON has no other numbers, if it is not finite. */
export function digitsOrNull(value: number): number | null {
  return Number.isFinite(value) ? digits(value) : null;
}
