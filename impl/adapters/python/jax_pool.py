"""The pool in JAX, its gradient by jax.vjp: f32, f16 and bf16; with the argument f64 that alone.

XLA flushes subnormals on a CPU. Its float64 tanh is off by 7 u, more than the specification allows, so f64 goes without.
"""

import math
import os
import sys
from functools import partial

os.environ['JAX_PLATFORMS'] = 'cpu'
import jax
import jax.numpy as jnp
import numpy as np
from harness import serve

jax.config.update('jax_enable_x64', True)
np.seterr(all='ignore')
DTYPES = {'f64': jnp.float64, 'f32': jnp.float32, 'f16': jnp.float16, 'bf16': jnp.bfloat16}
relu = jax.nn.relu


def with_slope(f, slope):
    """f with f′ as given, where what JAX makes of it would be another legal one or none."""
    g = jax.custom_jvp(f)
    g.defjvps(lambda tx, _, x: tx * slope(x))
    return g


BRANCHES = {
    # The derivative of jax.numpy.maximum would be a half at 0.
    'relu': relu,
    'step': lambda x: jnp.where(jnp.isnan(x), x, (x > 0).astype(x.dtype)),
    # By itself it would add two halves.
    'halfSquare': with_slope(lambda x: relu(x) * (relu(x) / 2), relu),
    'negative': lambda x: -relu(-x),
    'identity': lambda x: x,
    # By itself it would add g and g·tanh(x), infinities of both signs where a coefficient is infinite.
    'tanh': with_slope(jnp.tanh, lambda x: 1 - jnp.tanh(x) ** 2),
    'sigmoid': jax.nn.sigmoid,
    # By itself exp(x - softplus(x)), which in float64 is off by 32 u near x = 33.
    'softplus': with_slope(jax.nn.softplus, jax.nn.sigmoid),
}


# Compiled once for each branch and size: what is compiled for each pool costs more than it computes.
@partial(jax.jit, static_argnums=0)
def term(branch, position, x, c, dy):
    """c·f(x), and by jax.vjp dy·c·f′(x) and the sums of f(x)·dy by position."""
    y, pull = jax.vjp(lambda x, c: c[position] * BRANCHES[branch](x), x, c)
    return y, *pull(dy)


def padded(values, dtype):
    """XLA compiles anew for every shape, so the last axis is filled up to one of few sizes."""
    size = 64
    while size < values.shape[-1]:
        size *= 8
    return jnp.asarray(np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, size - values.shape[-1])]), dtype)


def answer(pool, x, alpha, dy):
    """y = Σᵢ cᵢ·fᵢ(x), dx and dc as sums of what one branch gives; flat, with the position in S of each element."""
    positions = math.prod(pool.kept)
    position = padded(np.broadcast_to(np.arange(positions).reshape(pool.kept), x.shape).ravel(), jnp.int32)
    rows = pool.coefficients(alpha).reshape(len(pool.branches), positions)
    c = padded(rows, DTYPES[pool.dtype])
    flat_x, flat_dy = (padded(values.ravel(), DTYPES[pool.dtype]) for values in (x, dy))
    y, dx, dc = zip(*[term(name, position, flat_x, ci, flat_dy) for name, ci in zip(pool.branches, c)])
    y, dx = (np.asarray(sum(terms), x.dtype)[: x.size] for terms in (y, dx))
    dc = np.asarray(dc, x.dtype)[:, :positions].reshape(len(dc), *pool.kept)
    return y, dx, pool.pull_back(alpha, dc)


if __name__ == '__main__':
    if sys.argv[1:] == ['f64']:
        able = {'dtypes': ['f64'], 'branches': [name for name in BRANCHES if name != 'tanh']}
    else:
        able = {'dtypes': ['f32', 'f16', 'bf16']}
    serve({'name': 'jax', 'version': jax.__version__, 'language': 'Python'}, {**able, 'facets': ['ftz']}, answer)
