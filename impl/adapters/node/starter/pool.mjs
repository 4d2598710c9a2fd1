/** Your layer, to be certified: fill in `answer`, and say what it can do. */
import { parameterLayout } from 'poolproof/reference';
import { serve } from 'poolproof/serve';

const implementation = { name: 'mine', version: '0.1.0', language: 'JavaScript' };

/**
 * There are also the branches halfSquare, negative, identity, tanh, sigmoid, softplus and the dtypes f16, bf16; answers are
 * rounded to the dtype. What is not listed is not asked.
 */
const capabilities = {
  ops: ['forward', 'vjp'],
  dtypes: ['f64', 'f32'],
  branches: ['relu', 'step'],
  sharing: ['layer', 'channel', 'unit', 'sharedAxes'],
  constraints: ['free', 'fixed'],
  encodings: ['hex', 'base64'],
  facets: [],
  pipeline: 16,
};

/**
 * y = Σᵢ cᵢ·fᵢ(x), dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
 *
 * x, dy: Float64Array [N, ...U], flat; alpha: [rows, positions]. With the constraint free, c is alpha, and dalpha is dc:
 * the coefficient of branch pool.branches[i] for x[at] is alpha[i * positions + positionOf[at % units]]. Returns
 * { y, dx, dalpha } in Float64Arrays, or a promise.
 */
function answer({ pool, shape, x, alpha, dy }) {
  const { positions, units, positionOf } = parameterLayout(pool, shape);
  throw new Error('answer is not written yet');
}

await serve({
  implementation,
  capabilities,
  subject: (dtype) => ({ name: implementation.name, dtype, facets: capabilities.facets, answer }),
});
