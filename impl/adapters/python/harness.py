"""pool-harness/1: JSON Lines over stdin and stdout, for any implementation in Python that computes with NumPy arrays.

    serve(implementation, capabilities, answer)    answer(pool, x, alpha, dy) -> y, dx, dalpha

x, dy, y, dx: [N, ...U]; alpha, dalpha: [rows, 1, ...S] with a 1 for each shared axis, so that `alpha[i]` broadcasts over
x. Arrays are float64, float32 and float16; bf16 comes and goes as float32, whose values are rounded to bf16 on their way
out. Of op "forward" dy is zeros and only y is sent.
"""

import binascii
import json
import math
import os
from typing import NamedTuple

import numpy as np

PROTOCOL = 'pool-harness/1'
EVERYTHING = {
    'ops': ['forward', 'vjp'],
    'dtypes': ['f64', 'f32', 'f16', 'bf16'],
    'branches': ['relu', 'step', 'halfSquare', 'negative', 'identity', 'tanh', 'sigmoid', 'softplus'],
    'sharing': ['layer', 'channel', 'unit', 'sharedAxes'],
    'constraints': ['free', 'fixed', 'sumToOne', 'clip'],
    'encodings': ['hex', 'base64'],
    'facets': [],
    'pipeline': 16,
}
# Part of the specification, though no wire carries its bounds: lacking it is no fault of the request.
CONSTRAINTS = [*EVERYTHING['constraints'], 'softmax']
BITS = {
    'hex': {'f64': np.dtype('>f8'), 'f32': np.dtype('>f4'), 'f16': np.dtype('>f2'), 'bf16': np.dtype('>u2')},
    'base64': {'f64': np.dtype('<f8'), 'f32': np.dtype('<f4'), 'f16': np.dtype('<f2'), 'bf16': np.dtype('<u2')},
}
LARGEST = 2**31 - 1


class Refused(Exception):
    """Why a request is invalid."""


class Pool(NamedTuple):
    """What to compute, without its numbers."""

    dtype: str
    branches: list
    constraint: str
    """Under `clip` [n, 1, ...1], otherwise None."""
    bounds: np.ndarray | None
    """[1, ...S] with a 1 for each shared axis: what broadcasts over x."""
    kept: tuple
    """The axes of x to sum over for a coefficient: the batch and the shared ones."""
    axes: tuple

    def coefficients(self, alpha):
        """`c = κ(alpha)`: [n, 1, ...S]."""
        if self.constraint == 'sumToOne':
            return np.concatenate([alpha, 1 - alpha.sum(0, keepdims=True)])
        return np.clip(alpha, -self.bounds, self.bounds) if self.constraint == 'clip' else alpha

    def pull_back(self, alpha, dc):
        """`dalpha = κ′ᵀ dc`; a bound of clip belongs to the inside, NaN is not outside."""
        if self.constraint == 'sumToOne':
            return dc[:-1] - dc[-1]
        return np.where(np.abs(alpha) > self.bounds, 0, dc) if self.constraint == 'clip' else dc


def serve(implementation, capabilities, answer):
    """Speaks until `stop` or the end of input. What `capabilities` leaves out is everything of the protocol."""
    announced = {**EVERYTHING, **capabilities}
    replies = os.fdopen(os.dup(1), 'wb')
    # What a library prints must not get between the replies.
    os.dup2(2, 1)

    def reply_to(request):
        command = request.get('cmd')
        if command == 'start':
            among('protocol', request.get('protocol'), [PROTOCOL])
            return {'ok': {'implementation': implementation, 'capabilities': announced}}
        among('cmd', command, ['start', 'run', 'stop'])
        op, pool, inputs, shapes, encoding = parse(request)
        lacking = lack(announced, op, request)
        if lacking is not None:
            return {'unsupported': lacking}
        outputs = dict(zip(('y', 'dx', 'dalpha'), answer(pool, *inputs)))
        wanted = ('y',) if op == 'forward' else ('dx', 'dalpha')
        return {'outputs': {name: encode(name, outputs[name], pool.dtype, shapes, encoding) for name in wanted}}

    for lines in batches():
        for line in lines:
            if not line.strip():
                continue
            identity = None
            try:
                request = kind('the line', parsed(line), dict)
                identity = request.get('id')
                if request.get('cmd') == 'stop':
                    replies.flush()
                    return
                reply = reply_to(request)
            except Refused as refusal:
                reply = {'refused': str(refusal)}
            except Exception as error:  # Whatever the implementation throws is its answer.
                reply = {'error': f'{type(error).__name__}: {error}'}
            replies.write(json.dumps({'id': identity, **reply}).encode() + b'\n')
        replies.flush()


def batches():
    """All the lines that wait on stdin at a time, so that their replies leave together."""
    rest = []
    while chunk := os.read(0, 1 << 20):
        whole, newline, tail = chunk.rpartition(b'\n')
        if newline:
            yield b''.join((*rest, whole)).split(b'\n')
            rest.clear()
        rest.append(tail)
    yield [b''.join(rest)]


def parsed(line):
    try:
        return json.loads(line)
    except ValueError as error:
        raise Refused(f'the line expected JSON: {error}') from None


def parse(request):
    """The op, the Pool, its input arrays, the shapes by output, and the encoding. Raises Refused."""
    op = among('op', request.get('op'), EVERYTHING['ops'])
    dtype = among('dtype', request.get('dtype'), EVERYTHING['dtypes'])
    pool = kind('pool', request.get('pool'), dict)
    tensors = kind('inputs', request.get('inputs'), dict)
    x, shape = decode('x', tensors.get('x'), dtype)
    branches = kind('pool.branches', pool.get('branches'), list)
    if not branches:
        raise Refused('"pool.branches" expected at least one branch, got []')
    for branch in branches:
        among('pool.branches', branch, EVERYTHING['branches'])
    axes, kept, own = layout(pool.get('sharing'), shape)
    constraint = kind('pool.constraint', pool.get('constraint'), dict)
    name = among('pool.constraint.kind', constraint.get('kind'), CONSTRAINTS)
    bounds = None
    if name == 'clip':
        bounds, _ = decode('bounds', constraint.get('bounds'), dtype, [len(branches)])
        if not (bounds >= 0).all():
            raise Refused(f'"bounds" expected numbers from 0, got {bounds.tolist()}')
        bounds = bounds.reshape(-1, *[1] * len(kept))
    rows = len(branches) - (name == 'sumToOne')
    alpha, alpha_shape = decode('alpha', tensors.get('alpha'), dtype, [rows, *own])
    dy = decode('dy', tensors.get('dy'), dtype, shape)[0] if op == 'vjp' else np.zeros_like(x)
    inputs = (x, alpha.reshape(rows, *kept), dy)
    shapes = {'y': shape, 'dx': shape, 'dalpha': alpha_shape}
    encoding = 'hex' if 'hex' in tensors['x'] else 'base64'
    return op, Pool(dtype, branches, name, bounds, kept, axes), inputs, shapes, encoding


def layout(sharing, shape):
    """The axes of x to sum over, the shape of a coefficient that broadcasts over x, and S."""
    rank = len(shape)
    if rank == 0:
        raise Refused('"x" expected rank 1 or more, got shape []')
    if sharing == 'layer':
        return tuple(range(rank)), (1,) * rank, []
    if sharing == 'unit':
        shared = ()
    elif sharing == 'channel':
        if rank < 2:
            raise Refused(f'"pool.sharing" "channel" expected "x" of rank 2 or more, got shape {shape}')
        return tuple(range(rank - 1)), (*(1,) * (rank - 1), shape[-1]), shape[-1:]
    elif type(sharing) is dict and list(sharing) == ['sharedAxes']:
        shared = kind('pool.sharing.sharedAxes', sharing['sharedAxes'], list)
        if not all(type(axis) is int and 1 <= axis < rank for axis in shared) or len(set(shared)) < len(shared):
            raise Refused(f'"sharedAxes" expected different axes from 1 to {rank - 1}, got {shown(shared)}')
    else:
        raise Refused(f'"pool.sharing" expected layer, channel, unit or an object of sharedAxes, got {shown(sharing)}')
    axes = (0, *shared)
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(shape))
    return axes, kept, list(kept[1:])


def lack(announced, op, request):
    """What a request needs that is not announced, in the words of the protocol."""
    pool = request['pool']
    sharing = pool['sharing'] if type(pool['sharing']) is str else 'sharedAxes'
    needs = [('op', 'ops', op), ('dtype', 'dtypes', request['dtype'])]
    needs += [('branch', 'branches', branch) for branch in pool['branches']]
    needs += [('sharing', 'sharing', sharing), ('constraint', 'constraints', pool['constraint']['kind'])]
    return next((f'{word}:{value}' for word, among, value in needs if value not in announced[among]), None)


def decode(name, tensor, dtype, expected=None):
    """The array of a tensor, and its shape. Raises Refused."""
    kind(name, tensor, dict)
    among(f'{name}.dtype', tensor.get('dtype'), [dtype])
    shape = kind(f'{name}.shape', tensor.get('shape'), list)
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(filter(None, shape)) > LARGEST:
        raise Refused(f'"{name}.shape" expected integers from 0 with a product below 2^31, got {shown(shape)}')
    if expected is not None and shape != expected:
        raise Refused(f'"{name}" expected shape {expected}, got {shape}')
    if ('hex' in tensor) == ('base64' in tensor):
        raise Refused(f'"{name}" expected one of hex and base64, got {"both" if "hex" in tensor else "none"}')
    encoding = 'hex' if 'hex' in tensor else 'base64'
    text = kind(f'{name}.{encoding}', tensor[encoding], str)
    try:
        data = bytes_of(encoding, text)
    except ValueError as error:
        raise Refused(f'"{name}.{encoding}" is none: {error}') from None
    bits = BITS[encoding][dtype]
    size = math.prod(shape) * bits.itemsize
    if len(data) != size:
        raise Refused(f'"{name}" expected {size} bytes for shape {shape}, got {len(data)}')
    values = np.frombuffer(data, bits).astype(bits.newbyteorder('='))
    if dtype == 'bf16':
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.reshape(shape), shape


def bytes_of(encoding, text):
    if encoding == 'hex':
        return binascii.unhexlify(text)
    return binascii.a2b_base64(text, strict_mode=True) if text != '' else b''


def encode(name, values, dtype, shapes, encoding):
    """The tensor of an output, which has as many elements as its shape says."""
    values, shape = np.asarray(values), shapes[name]
    if values.size != math.prod(shape):
        raise ValueError(f'"{name}" expected shape {shape}, got {list(values.shape)}')
    if dtype == 'bf16':
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        # To nearest even; the carry of a NaN with a full payload would make it 0.
        rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
        values = np.where(np.isnan(values), 0x7FC0, rounded)
    data = values.astype(BITS[encoding][dtype]).tobytes()
    text = data.hex() if encoding == 'hex' else binascii.b2a_base64(data, newline=False).decode()
    return {'dtype': dtype, 'shape': shape, encoding: text}


def kind(name, value, wanted):
    if type(value) is not wanted:
        words = {dict: 'an object', list: 'an array', str: 'text'}
        raise Refused(f'"{name}" expected {words[wanted]}, got {shown(value)}')
    return value


def among(name, value, known):
    if type(value) is not str or value not in known:
        raise Refused(f'"{name}" expected {", ".join(known)}, got {shown(value)}')
    return value


def shown(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else f'{text[:79]}…'
