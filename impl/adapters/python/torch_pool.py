"""The pool in PyTorch, its gradient by autograd: f64, f32, f16 and bf16, each in its own arithmetic."""

import numpy as np
import torch
from harness import serve

torch.set_num_threads(1)
np.seterr(all='ignore')
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


def answer(pool, x, alpha, dy):
    """y = Σᵢ cᵢ·fᵢ(x), and by autograd dx and dc."""
    given = [torch.from_numpy(values) for values in (x, pool.coefficients(alpha), dy)]
    x, c, dy = (tensor.to(DTYPES[pool.dtype]) for tensor in given)
    x.requires_grad_()
    c.requires_grad_()
    y = sum(ci * BRANCHES[name](x) for ci, name in zip(c, pool.branches))
    results = y.detach(), *torch.autograd.grad(y, (x, c), dy)
    y, dx, dc = (tensor.to(given[0].dtype).numpy() for tensor in results)
    return y, dx, pool.pull_back(alpha, dc)


if __name__ == '__main__':
    serve({'name': 'torch', 'version': torch.__version__, 'language': 'Python'}, {}, answer)
