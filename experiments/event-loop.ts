/** Lets messages and signals through: an update awaits promises only, which leave no turn to them. */
export function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
