"""PyTorch's and JAX's gradient checks of the PAP layer, for `npm run bench`.

In a throw-away environment, on Debian 12 with the CPU build of its own PyTorch:
    apt-get install python3-torch python3-venv && /usr/bin/python3 -m venv --system-site-packages ../bench-env
    ../bench-env/bin/pip install jax
then POOLPROOF_PYTHON=../bench-env/bin/python npm run bench. Elsewhere `pip install torch jax` does (5 GB of CUDA on Linux).

The first line says what is there: {"checkers", "versions", "absent"}. Each line of stdin then asks
{"checker", "x", "alpha", "fault"} and each line of stdout answers {"passed", "ms", "forward", "backward", "jvp"}.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
ROWS, UNITS = 32, 64
counts = {"forward": 0, "backward": 0, "jvp": 0}
checkers, versions, absent = {}, {"python": sys.version.split()[0]}, {}


def torch_checkers():
    import torch

    class Pool(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, alpha, fault):
            counts["forward"] += 1
            ctx.save_for_backward(x, alpha)
            ctx.fault = fault
            on = (x > 0).to(x.dtype)
            return alpha[0] * x.clamp(min=0) + alpha[1] * on

        @staticmethod
        def backward(ctx, dy):
            counts["backward"] += 1
            x, alpha = ctx.saved_tensors
            on = (x > 0).to(x.dtype)
            dx = dy * alpha[0] * on
            if ctx.fault:
                dx.view(-1)[ctx.fault["element"]] *= ctx.fault["factor"]
            return dx, torch.stack([(dy * x * on).sum(0), (dy * on).sum(0)]), None

    def check(fast):
        def run(x, alpha, fault):
            def tensor(values, rows):
                return torch.tensor(values, dtype=torch.float64).reshape(rows, UNITS).requires_grad_()

            given = (tensor(x, ROWS), tensor(alpha, 2))
            return lambda: torch.autograd.gradcheck(
                lambda *v: Pool.apply(*v, fault), given, fast_mode=fast, raise_exception=False
            )

        return run

    versions["torch"] = torch.__version__
    checkers["PyTorch gradcheck, slow"] = check(False)
    checkers["PyTorch gradcheck, fast_mode"] = check(True)


def jax_checkers():
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def run(x, alpha, fault):
        given = (jnp.array(x).reshape(ROWS, UNITS), jnp.array(alpha).reshape(2, UNITS))

        def value(x, alpha):
            counts["forward"] += 1
            return alpha[0] * jnp.maximum(x, 0) + alpha[1] * (x > 0)

        def backward(saved, dy):
            counts["backward"] += 1
            x, alpha = saved
            on = x > 0
            dx = dy * alpha[0] * on
            if fault:
                at = divmod(fault["element"], UNITS)
                dx = dx.at[at].multiply(fault["factor"])
            return dx, jnp.stack([(dy * x * on).sum(0), (dy * on).sum(0)])

        pool = jax.custom_vjp(value)
        pool.defvjp(lambda x, alpha: (value(x, alpha), (x, alpha)), backward)

        def check():
            try:
                check_grads(pool, given, order=1, modes=["rev"])
                return True
            except AssertionError:
                return False

        return check

    versions["jax"] = jax.__version__
    checkers["JAX check_grads, reverse"] = run


for name, add in {"PyTorch": torch_checkers, "JAX": jax_checkers}.items():
    try:
        add()
    except ImportError as error:
        absent[name] = str(error)

print(json.dumps({"checkers": list(checkers), "versions": versions, "absent": absent}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    check = checkers[question.pop("checker")](**question)
    counts.update(forward=0, backward=0, jvp=0)
    start = time.perf_counter()
    passed = check()
    ms = (time.perf_counter() - start) * 1e3
    print(json.dumps({"passed": passed, "ms": ms, **counts}), flush=True)
