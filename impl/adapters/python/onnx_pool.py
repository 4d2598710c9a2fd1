"""The pool as ONNX graphs of plain ops, forward and backward, run by ONNX Runtime."""

from functools import lru_cache

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from pool_harness import serve

ELEMENTS = {'f64': TensorProto.DOUBLE, 'f32': TensorProto.FLOAT, 'f16': TensorProto.FLOAT16}


class Graph:
    """`graph.Mul(a, b)` adds a node and returns the name of its output; numbers become constants."""

    def __init__(self, dtype):
        self.element = ELEMENTS[dtype]
        self.nodes = []
        self.constants = []

    def __getattr__(self, op):
        def add(*inputs, **attributes):
            output = f'{op}{len(self.nodes)}'
            names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
            self.nodes.append(helper.make_node(op, names, [output], **attributes))
            return output

        return add

    def constant(self, value, element=None):
        dtype = helper.tensor_dtype_to_np_dtype(element or self.element)
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), f'constant{len(self.constants)}'))
        return self.constants[-1].name

    def index(self, value):
        return self.constant(value, TensorProto.INT64)

    def session(self, inputs, outputs):
        def info(name):
            return helper.make_tensor_value_info(name, TensorProto.INT64 if name == 'axes' else self.element, None)

        graph = helper.make_graph(self.nodes, 'pool', [*map(info, inputs)], [*map(info, outputs)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
        options = onnxruntime.SessionOptions()
        # A graph that serves a few Cases is not worth optimizing.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])


def positive(g, x):
    return g.Cast(g.Greater(x, 0), to=g.element)


def tanh(g, x):
    # The kernel of Tanh is off by 7.4 u in float64, more than the specification allows.
    return g.Sub(g.Mul(g.Sigmoid(g.Mul(x, 2)), 2), 1)


def softplus(g, x):
    # The kernel of Softplus overflows in float64 and float16.
    return g.Add(g.Relu(x), g.Log(g.Add(g.Exp(g.Neg(g.Abs(x))), 1)))


# f and f′
BRANCHES = {
    'relu': (lambda g, x: g.Relu(x), positive),
    'step': (lambda g, x: g.Where(g.IsNaN(x), x, positive(g, x)), lambda g, x: g.Mul(positive(g, x), 0)),
    'halfSquare': (lambda g, x: g.Mul(g.Relu(x), g.Mul(g.Relu(x), 0.5)), lambda g, x: g.Relu(x)),
    'negative': (lambda g, x: g.Min(x, 0), lambda g, x: positive(g, g.Neg(x))),
    'identity': (lambda g, x: g.Identity(x), lambda g, x: g.Where(g.IsNaN(x), x, 1)),
    'tanh': (tanh, lambda g, x: g.Mul(g.Sigmoid(g.Mul(x, 2)), g.Mul(g.Sigmoid(g.Mul(x, -2)), 4))),
    'sigmoid': (lambda g, x: g.Sigmoid(x), lambda g, x: g.Mul(g.Sigmoid(x), g.Sigmoid(g.Neg(x)))),
    'softplus': (softplus, lambda g, x: g.Sigmoid(x)),
}


def pooled(g, branches, constraint, which):
    """`Σᵢ cᵢ·gᵢ(x)`, with f or f′ for g."""
    n = len(branches)
    alpha = 'alpha'
    if constraint == 'clip':
        low = g.Neg('bounds')
        alpha = g.Where(g.Greater(alpha, 'bounds'), 'bounds', g.Where(g.Less(alpha, low), low, alpha))
    rest = constraint == 'sumToOne' and g.Sub(1, g.ReduceSum(alpha, g.index([0]), keepdims=0))
    c = [rest if rest and i == n - 1 else g.Gather(alpha, g.index(i)) for i in range(n)]
    return g.Sum(*[g.Mul(ci, BRANCHES[name][which](g, 'x')) for ci, name in zip(c, branches)])


@lru_cache(1000)
def forward_session(dtype, branches, constraint):
    g = Graph(dtype)
    return g.session(['x', 'alpha', *['bounds'] * (constraint == 'clip')], [pooled(g, branches, constraint, 0)])


@lru_cache(1000)
def vjp_session(dtype, branches, constraint):
    g = Graph(dtype)
    dx = g.Mul('dy', pooled(g, branches, constraint, 1))
    sums = [g.ReduceSum(g.Mul(BRANCHES[name][0](g, 'x'), 'dy'), 'axes') for name in branches]
    dalpha = g.Concat(*[g.Unsqueeze(dc, g.index([0])) for dc in sums], axis=0)
    if constraint == 'sumToOne':
        dalpha = g.Sub(g.Slice(dalpha, g.index([0]), g.index([-1])), sums[-1])
    if constraint == 'clip':
        dalpha = g.Where(g.Greater(g.Abs('alpha'), 'bounds'), 0, dalpha)
    return g.session(['x', 'alpha', 'dy', 'axes', *['bounds'] * (constraint == 'clip')], [dx, dalpha])


def run(session, pool, **inputs):
    if pool.bounds is not None:
        inputs['bounds'] = pool.bounds
    return session(pool.dtype, tuple(pool.branches), pool.constraint).run(None, inputs)


def forward(pool, x, alpha):
    return run(forward_session, pool, x=x, alpha=alpha)[0]


def vjp(pool, x, alpha, dy):
    return run(vjp_session, pool, x=x, alpha=alpha, dy=dy, axes=np.array(pool.axes))


if __name__ == '__main__':
    able = {'dtypes': [*ELEMENTS]}
    serve({'name': 'onnxruntime', 'version': onnxruntime.__version__, 'language': 'Python'}, able, forward, vjp)
