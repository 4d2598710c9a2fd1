"""The pool in PyTorch, its gradient by autograd."""

import numpy as np
import torch
from pool_harness import coefficients, serve

torch.set_num_threads(1)
DTYPES = {'f64': torch.float64, 'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16}


class HalfSquare(torch.autograd.Function):
    """By itself autograd would halve the cotangent, which loses a bit of a subnormal one, or add two halves."""

    @staticmethod
    def forward(ctx, x):
        r = torch.relu(x)
        ctx.save_for_backward(r)
        return r * (r / 2)

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.saved_tensors[0]


BRANCHES = {
    'relu': torch.relu,
    'step': lambda x: torch.where(x.isnan(), x, (x > 0).to(x.dtype)),
    'halfSquare': HalfSquare.apply,
    'negative': lambda x: -torch.relu(-x),
    'identity': lambda x: x,
    'tanh': torch.tanh,
    'sigmoid': torch.sigmoid,
    # torch.nn.functional.softplus is x from 20 on, 2e-9 too little.
    'softplus': lambda x: torch.logaddexp(x, torch.zeros_like(x)),
}


def pooled(pool, x, alpha):
    bounds = None if pool.bounds is None else tensor(pool, pool.bounds)
    c = coefficients(pool.constraint, alpha, bounds, torch.where)
    return sum(ci * BRANCHES[name](x) for ci, name in zip(c, pool.branches))


def tensor(pool, values):
    return torch.from_numpy(values).to(DTYPES[pool.dtype])


def array(pool, values):
    return (values.float() if pool.dtype == 'bf16' else values).numpy()


def forward(pool, x, alpha):
    with torch.no_grad():
        return array(pool, pooled(pool, tensor(pool, x), tensor(pool, alpha)))


def vjp(pool, x, alpha, dy):
    inputs = [tensor(pool, values).requires_grad_() for values in (x, alpha)]
    gradients = torch.autograd.grad(pooled(pool, *inputs), inputs, tensor(pool, dy), allow_unused=True)
    # What no output depends on has none: the pool [step] does not depend on x.
    return [np.zeros_like(v) if g is None else array(pool, g) for v, g in zip((x, alpha), gradients)]


def computes(dtype):
    """Whether this PyTorch has the branches in a dtype on a CPU: before 2.0 float16 is lacking."""
    try:
        for branch in BRANCHES.values():
            branch(torch.ones(1, dtype=dtype))
    except RuntimeError:
        return False
    return True


if __name__ == '__main__':
    able = {'dtypes': [name for name, dtype in DTYPES.items() if computes(dtype)]}
    serve({'name': 'torch', 'version': torch.__version__, 'language': 'Python'}, able, forward, vjp)
