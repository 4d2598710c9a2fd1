"""The pool as ONNX graphs of plain ops, forward and backward in one, run by ONNX Runtime: f64, f32 and f16.

A graph for each dtype, written from TypeScript by fixtures/exports/onnx-pool.ts, which says what goes in and comes out.
"""

import math
from pathlib import Path

import numpy as np
import onnxruntime
from harness import serve

np.seterr(all='ignore')
OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = 1


def session(dtype):
    path = Path(__file__).with_name('onnx') / f'{dtype}.onnx'
    return onnxruntime.InferenceSession(path, OPTIONS, providers=['CPUExecutionProvider'])


SESSIONS = {dtype: session(dtype) for dtype in ('f64', 'f32', 'f16')}
ORDER = SESSIONS['f64'].get_modelmeta().custom_metadata_map['branches'].split(',')


def answer(pool, x, alpha, dy):
    """The graphs see x as [elements, positions]: first the axes to sum over, then those of the coefficients."""
    axes = [*pool.axes, *(axis for axis in range(x.ndim) if axis not in pool.axes)]
    positions = math.prod(pool.kept)
    x, dy = (values.transpose(axes) for values in (x, dy))
    given = {name: values.reshape(x.size // max(positions, 1), positions) for name, values in (('x', x), ('dy', dy))}
    c = pool.coefficients(alpha)
    given['c'] = c.reshape(len(c), 1, positions)
    given['branches'] = np.array([ORDER.index(name) for name in pool.branches])
    y, dx, dc = SESSIONS[pool.dtype].run(['y', 'dx', 'dc'], given)
    y, dx = (values.reshape(x.shape).transpose(np.argsort(axes)) for values in (y, dx))
    return y, dx, pool.pull_back(alpha, dc.reshape(c.shape))


if __name__ == '__main__':
    able = {'dtypes': [*SESSIONS], 'branches': ORDER}
    serve({'name': 'onnxruntime', 'version': onnxruntime.__version__, 'language': 'Python'}, able, answer)
