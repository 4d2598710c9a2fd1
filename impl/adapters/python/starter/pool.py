"""Your layer, to be certified: fill in `answer`, and say what it can do."""

import numpy as np
from harness import serve

IMPLEMENTATION = {'name': 'mine', 'version': '0.1.0', 'language': 'Python'}
# There are also the branches halfSquare, negative, identity, tanh, sigmoid, softplus and the dtypes f16, bf16. What is not
# listed is not asked.
CAPABILITIES = {
    'ops': ['forward', 'vjp'],
    'dtypes': ['f64', 'f32'],
    'branches': ['relu', 'step'],
    'sharing': ['layer', 'channel', 'unit', 'sharedAxes'],
    'constraints': ['free', 'fixed', 'sumToOne', 'clip'],
    'facets': [],
}


def answer(pool, x, alpha, dy):
    """y = Σᵢ cᵢ·fᵢ(x), dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over pool.axes.

    x, dy: arrays [N, ...U]; alpha: [rows, 1, ...S]. c = pool.coefficients(alpha), where c[i], of the branch
    pool.branches[i], broadcasts over x; dalpha = pool.pull_back(alpha, dc). Returns y, dx, dalpha.
    """
    raise NotImplementedError('answer is not written yet')


if __name__ == '__main__':
    serve(IMPLEMENTATION, CAPABILITIES, answer)
