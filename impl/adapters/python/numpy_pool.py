"""The pool in NumPy: f64, f32 and f16 in their own arithmetic, bf16 in float32."""

import numpy as np
from harness import serve

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


def answer(pool, x, alpha, dy):
    """y = Σᵢ cᵢ·fᵢ(x), dx = dy·Σᵢ cᵢ·fᵢ′(x), dcᵢ = the sum of fᵢ(x)·dy over what shares a coefficient."""
    c = pool.coefficients(alpha)
    f = [BRANCHES[name][0](x) for name in pool.branches]
    slopes = [BRANCHES[name][1](x) for name in pool.branches]
    y = sum(ci * fi for ci, fi in zip(c, f))
    dx = dy * sum(ci * slope for ci, slope in zip(c, slopes))
    dc = np.stack([(fi * dy).sum(pool.axes, keepdims=True) for fi in f])
    return y, dx, pool.pull_back(alpha, dc)


if __name__ == '__main__':
    serve({'name': 'numpy', 'version': np.__version__, 'language': 'Python'}, {}, answer)
