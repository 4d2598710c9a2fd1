import { type Code, type Definition, define, f32, f32x4, float, i32, type Local } from './assembler.ts';

/**
 * `moved = momentum·v - rate·g`, `next = w + momentum·moved - rate·g`, over `length` elements, four at a time, then one.
 */
export const nesterovCode: Definition = define('nesterov', (f) => {
  const arrays = Array.from({ length: 5 }, () => f.parameter());
  const length = f.parameter();
  const [rate, momentum] = [f.parameter('f32'), f.parameter('f32')];
  const i = f.variable();
  const four = Array.from({ length: 4 }, () => f.variable('v128'));
  const one = [f.variable('f32'), f.variable('f32')];
  const advance = (elements: number): Code => arrays.flatMap((array) => array.add(i32.const(elements * float)));
  const step = (
    of: typeof f32 | typeof f32x4,
    [change, velocity]: Local[],
    by: { rate: Code; momentum: Code },
  ): Code => {
    const [next, moved, w, v, g] = arrays.map(({ get }) => get);
    return [
      ...change.set(of.mul(by.rate, of.load(g))),
      ...velocity.set(of.sub(of.mul(by.momentum, of.load(v)), change.get)),
      ...of.store(moved, velocity.get),
      ...of.store(next, of.sub(of.add(of.load(w), of.mul(by.momentum, velocity.get)), change.get)),
    ];
  };
  const [rates, momenta] = [four[2], four[3]];
  return [
    ...rates.set(f32x4.splat(rate.get)),
    ...momenta.set(f32x4.splat(momentum.get)),
    ...f.loop(i, i32.const(0), i32.and(length.get, i32.const(-4)), 4, [
      ...step(f32x4, four, { rate: rates.get, momentum: momenta.get }),
      ...advance(4),
    ]),
    ...f.loop(i, i.get, length.get, 1, [...step(f32, one, { rate: rate.get, momentum: momentum.get }), ...advance(1)]),
  ];
});
