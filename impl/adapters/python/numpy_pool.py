"""The pool in NumPy: f64, f32 and f16 in their own arithmetic, bf16 in float32."""

import numpy as np
from pool_harness import coefficients, serve

np.seterr(all='ignore')


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# f and f′; np.heaviside(x, 0) is 0 at 0 and NaN at NaN.
BRANCHES = {
    'relu': (relu, lambda x: np.heaviside(x, 0)),
    'step': (lambda x: np.heaviside(x, 0), np.zeros_like),
    'halfSquare': (lambda x: relu(x) * (relu(x) / 2), relu),
    'negative': (lambda x: np.minimum(x, 0), lambda x: np.heaviside(-x, 0)),
    'identity': (lambda x: x, np.ones_like),
    'tanh': (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    'sigmoid': (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    'softplus': (lambda x: np.logaddexp(x, 0), sigmoid),
}


def forward(pool, x, alpha):
    c = coefficients(pool.constraint, alpha, pool.bounds, np.where)
    return sum(ci * BRANCHES[name][0](x) for ci, name in zip(c, pool.branches))


def vjp(pool, x, alpha, dy):
    c = coefficients(pool.constraint, alpha, pool.bounds, np.where)
    dx = dy * sum(ci * BRANCHES[name][1](x) for ci, name in zip(c, pool.branches))
    dc = np.stack([(BRANCHES[name][0](x) * dy).sum(pool.axes, keepdims=True) for name in pool.branches])
    if pool.constraint == 'sumToOne':
        return dx, dc[:-1] - dc[-1]
    if pool.constraint == 'clip':
        return dx, np.where(np.abs(alpha) <= pool.bounds, dc, 0)
    return dx, dc


if __name__ == '__main__':
    serve({'name': 'numpy', 'version': np.__version__, 'language': 'Python'}, {}, forward, vjp)
