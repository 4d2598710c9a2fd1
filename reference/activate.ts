import type { Activation } from './activations.ts';
import type { Pool } from './case.ts';
import { forward, vjp } from './pool.ts';

/** The input of an activation: z `[N, units]`, alpha `[rows, ...S]`. */
interface ActivationInput {
  readonly units: number;
  readonly z: Float64Array;
  readonly alpha: Float64Array;
}

/** Values that an activation makes of one unit. */
export function mapsOf({ maps = 1 }: Activation): number {
  return maps;
}

/** `y = Σᵢ cᵢ·fᵢ(z)`, `[N, units]`; with feature maps `c₁·f₁(z), c₂·f₂(z), …` side by side, `[N, maps · units]`. */
export function activate(activation: Activation, { units, z, alpha }: ActivationInput): Float64Array {
  const shape = [z.length / units, units];
  if (mapsOf(activation) === 1) return forward({ pool: activation.pool, shape, x: z, alpha });
  return sideBySide(
    branchPools(activation).map((pool, i) => forward({ pool, shape, x: z, alpha: alpha.subarray(i, i + 1) })),
    units,
  );
}

/** `dz` and `dalpha` of `activate` for the cotangent `dy` of its result; maps add up in `dz`. */
export function activateVjp(
  activation: Activation,
  { units, z, alpha }: ActivationInput,
  dy: Float64Array,
): { dz: Float64Array; dalpha: Float64Array } {
  const shape = [z.length / units, units];
  if (mapsOf(activation) === 1) {
    const { dx, dalpha } = vjp({ pool: activation.pool, shape, x: z, alpha, dy });
    return { dz: dx, dalpha };
  }
  const pulled = branchPools(activation).map((pool, i, { length }) =>
    vjp({ pool, shape, x: z, alpha: alpha.subarray(i, i + 1), dy: mapOf(dy, i, length, units) }),
  );
  return {
    dz: z.map((_, at) => pulled.reduce((sum, { dx }) => sum + dx[at], 0)),
    dalpha: Float64Array.from(pulled, ({ dalpha }) => dalpha[0]),
  };
}

/** Each branch of an activation with feature maps as a pool of its own. */
function branchPools({ pool }: Activation): Pool[] {
  return pool.branches.map((branch) => ({ ...pool, branches: [branch] }));
}

function sideBySide(maps: readonly Float64Array[], units: number): Float64Array {
  const all = new Float64Array(maps.length * maps[0].length);
  for (const [i, map] of maps.entries()) {
    for (let at = 0; at < map.length; at++) all[placeOf(at, i, maps.length, units)] = map[at];
  }
  return all;
}

function mapOf(all: Float64Array, i: number, maps: number, units: number): Float64Array {
  return Float64Array.from({ length: all.length / maps }, (_, at) => all[placeOf(at, i, maps, units)]);
}

/** Where element `at` of `[N, units]` lies as map `i` of `[N, maps · units]`. */
export function placeOf(at: number, i: number, maps: number, units: number): number {
  return Math.floor(at / units) * maps * units + i * units + (at % units);
}
