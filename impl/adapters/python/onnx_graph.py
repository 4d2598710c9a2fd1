"""Graphs of ONNX ops in one element type, run by ONNX Runtime."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ELEMENTS = {'f64': TensorProto.DOUBLE, 'f32': TensorProto.FLOAT, 'f16': TensorProto.FLOAT16}


class Graph:
    """`graph.Mul(a, b)` adds a node and returns the name of its output; numbers become constants, lists int64 ones."""

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

    def session(self, inputs, integers, outputs):
        """Runs the graph; `integers` are the inputs of int64, after the others."""
        given, taken = ([self.info(name) for name in names] for names in (inputs, outputs))
        given += [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in integers]
        graph = helper.make_graph(self.nodes, 'pool', given, taken, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
        options = onnxruntime.SessionOptions()
        # A graph that serves a few Cases is not worth optimizing.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])

    def info(self, name):
        return helper.make_tensor_value_info(name, self.element, None)
