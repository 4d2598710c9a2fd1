"""The pool as ONNX graphs of plain ops, forward and backward in one, run by ONNX Runtime: f64, f32 and f16."""

from functools import lru_cache

import numpy as np
import onnxruntime
from harness import serve
from onnx import TensorProto, helper, numpy_helper

np.seterr(all='ignore')
ELEMENTS = {'f64': TensorProto.DOUBLE, 'f32': TensorProto.FLOAT, 'f16': TensorProto.FLOAT16}


class Graph:
    """`graph.Mul(a, b)` adds a node and returns the name of its output; numbers become constants."""

    def __init__(self, dtype):
        self.element, self.nodes, self.constants = ELEMENTS[dtype], [], []

    def __getattr__(self, op):
        def add(*inputs, **attributes):
            output = f'{op}{len(self.nodes)}'
            names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
            self.nodes.append(helper.make_node(op, names, [output], **attributes))
            return output

        return add

    def constant(self, value):
        dtype = np.int64 if isinstance(value, list) else helper.tensor_dtype_to_np_dtype(self.element)
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), f'constant{len(self.constants)}'))
        return self.constants[-1].name

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
    return g.session(['x', 'c', 'dy', 'axes'], [y, g.Mul('dy', slope), g.Concat(*dc, axis=0)])


def answer(pool, x, alpha, dy):
    inputs = {'x': x, 'c': pool.coefficients(alpha), 'dy': dy, 'axes': np.array(pool.axes)}
    y, dx, dc = session(pool.dtype, tuple(pool.branches)).run(None, inputs)
    return y, dx, pool.pull_back(alpha, dc)


if __name__ == '__main__':
    able = {'dtypes': [*ELEMENTS]}
    serve({'name': 'onnxruntime', 'version': onnxruntime.__version__, 'language': 'Python'}, able, answer)
