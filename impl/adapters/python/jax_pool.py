"""The pool in JAX, its gradient by jax.vjp: f32, f16 and bf16; with the argument f64 that alone.

XLA flushes subnormals on a CPU. Its float64 tanh is off by 5 u, more than the specification allows, so f64 goes without
the transcendental branches.
"""

import math
import os
import sys
from functools import partial

os.environ['JAX_PLATFORMS'] = 'cpu'
import jax
import jax.numpy as jnp
import numpy as np
from pool_harness import coefficients, serve

jax.config.update('jax_enable_x64', True)
DTYPES = {'f64': jnp.float64, 'f32': jnp.float32, 'f16': jnp.float16, 'bf16': jnp.bfloat16}


@jax.custom_jvp
def half_square(x):
    return jax.nn.relu(x) * (jax.nn.relu(x) / 2)


# By itself it would add two halves.
half_square.defjvps(lambda tx, _, x: tx * jax.nn.relu(x))


@jax.custom_jvp
def tanh(x):
    return jnp.tanh(x)


# By itself it would add g and g·tanh(x), which are infinities of both signs where a coefficient is infinite.
tanh.defjvps(lambda tx, y, x: tx * (1 - y * y))

BRANCHES = {
    # The derivative of jax.numpy.maximum would be a half at 0.
    'relu': jax.nn.relu,
    'step': lambda x: jnp.where(jnp.isnan(x), x, (x > 0).astype(x.dtype)),
    'halfSquare': half_square,
    'negative': lambda x: -jax.nn.relu(-x),
    'identity': lambda x: x,
    'tanh': tanh,
    'sigmoid': jax.nn.sigmoid,
    'softplus': jax.nn.softplus,
}


# Compiled once for each branch and size: what is compiled for each pool costs more than it computes.
@partial(jax.jit, static_argnums=0)
def term(name, position, x, c):
    return c[position] * BRANCHES[name](x)


@partial(jax.jit, static_argnums=0)
def term_vjp(name, position, dy, x, c):
    return jax.vjp(partial(term, name, position), x, c)[1](dy)


@partial(jax.jit, static_argnums=0)
def kappa(constraint, bounds, alpha):
    return coefficients(constraint, alpha, bounds, jnp.where)


@partial(jax.jit, static_argnums=0)
def kappa_vjp(constraint, bounds, alpha, dc):
    return jax.vjp(partial(kappa, constraint, bounds), alpha)[1](dc)[0]


def padded(values, dtype):
    """XLA compiles anew for every shape, so the last axis is filled up to one of few sizes."""
    size = 64
    while size < values.shape[-1]:
        size *= 8
    return jnp.asarray(np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, size - values.shape[-1])]), dtype)


def flat(pool, x, alpha):
    """Flat arrays: for each element of x its position in S, the bounds, x and alpha."""
    dtype = DTYPES[pool.dtype]
    positions = math.prod(pool.kept)
    position = np.broadcast_to(np.arange(positions).reshape(pool.kept), x.shape).ravel()
    bounds = None if pool.bounds is None else jnp.asarray(pool.bounds.reshape(-1, 1), dtype)
    rows = alpha.reshape(pool.rows, positions)
    return padded(position, jnp.int32), bounds, padded(x.ravel(), dtype), padded(rows, dtype)


def forward(pool, x, alpha):
    position, bounds, flat_x, rows = flat(pool, x, alpha)
    c = kappa(pool.constraint, bounds, rows)
    y = sum(term(name, position, flat_x, ci) for ci, name in zip(c, pool.branches))
    return np.asarray(y, x.dtype)[: x.size]


def vjp(pool, x, alpha, dy):
    position, bounds, flat_x, rows = flat(pool, x, alpha)
    cotangent = padded(dy.ravel(), DTYPES[pool.dtype])
    c = kappa(pool.constraint, bounds, rows)
    pulled = [term_vjp(name, position, cotangent, flat_x, ci) for ci, name in zip(c, pool.branches)]
    dalpha = kappa_vjp(pool.constraint, bounds, rows, [dc for _, dc in pulled])
    dx = sum(dx for dx, _ in pulled)
    return np.asarray(dx, x.dtype)[: x.size], np.asarray(dalpha, x.dtype)[:, : math.prod(pool.kept)]


if __name__ == '__main__':
    if sys.argv[1:] == ['f64']:
        able = {'dtypes': ['f64'], 'branches': [*BRANCHES][:5]}
    else:
        able = {'dtypes': ['f32', 'f16', 'bf16']}
    serve({'name': 'jax', 'version': jax.__version__, 'language': 'Python'}, {**able, 'facets': ['ftz']}, forward, vjp)
