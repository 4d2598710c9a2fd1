"""The pool as ONNX graphs of plain ops, forward and backward in one, run by ONNX Runtime: f64, f32 and f16."""

from functools import lru_cache

import numpy as np
import onnxruntime
from harness import serve
from onnx_graph import ELEMENTS, Graph

np.seterr(all='ignore')


def positive(g, x):
    return g.Cast(g.Greater(x, 0), to=g.element)


# f and f′. The kernel of Tanh is off by 7.4 u in float64, more than the specification allows; that of Softplus overflows.
BRANCHES = {
    'relu': (lambda g, x: g.Relu(x), positive),
    'step': (lambda g, x: g.Where(g.IsNaN(x), x, positive(g, x)), lambda g, x: g.Mul(positive(g, x), 0)),
    'halfSquare': (lambda g, x: g.Mul(g.Relu(x), g.Mul(g.Relu(x), 0.5)), lambda g, x: g.Relu(x)),
    'negative': (lambda g, x: g.Min(x, 0), lambda g, x: positive(g, g.Neg(x))),
    'identity': (lambda g, x: g.Identity(x), lambda g, x: g.Where(g.IsNaN(x), x, 1)),
    'tanh': (
        lambda g, x: g.Sub(g.Mul(g.Sigmoid(g.Mul(x, 2)), 2), 1),
        lambda g, x: g.Mul(g.Sigmoid(g.Mul(x, 2)), g.Mul(g.Sigmoid(g.Mul(x, -2)), 4)),
    ),
    'sigmoid': (lambda g, x: g.Sigmoid(x), lambda g, x: g.Mul(g.Sigmoid(x), g.Sigmoid(g.Neg(x)))),
    'softplus': (
        lambda g, x: g.Add(g.Relu(x), g.Log(g.Add(g.Exp(g.Neg(g.Abs(x))), 1))),
        lambda g, x: g.Sigmoid(x),
    ),
}


@lru_cache(1000)
def session(dtype, branches):
    """Inputs x, c, dy and the axes to sum over; outputs y, dx and dc."""
    g = Graph(dtype)
    c = [g.Squeeze(g.Slice('c', [i], [i + 1]), [0]) for i in range(len(branches))]
    f, slopes = ([BRANCHES[name][which](g, 'x') for name in branches] for which in (0, 1))
    y, slope = (g.Sum(*[g.Mul(ci, value) for ci, value in zip(c, values)]) for values in (f, slopes))
    dc = [g.Unsqueeze(g.ReduceSum(g.Mul(fi, 'dy'), 'axes'), [0]) for fi in f]
    return g.session(['x', 'c', 'dy'], ['axes'], [y, g.Mul('dy', slope), g.Concat(*dc, axis=0)])


def answer(pool, x, alpha, dy):
    inputs = {'x': x, 'c': pool.coefficients(alpha), 'dy': dy, 'axes': np.array(pool.axes)}
    y, dx, dc = session(pool.dtype, tuple(pool.branches)).run(None, inputs)
    return y, dx, pool.pull_back(alpha, dc)


if __name__ == '__main__':
    able = {'dtypes': [*ELEMENTS]}
    serve({'name': 'onnxruntime', 'version': onnxruntime.__version__, 'language': 'Python'}, able, answer)
