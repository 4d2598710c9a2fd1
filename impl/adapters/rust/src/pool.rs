//! The pool: `y = Σᵢ cᵢ·fᵢ(x)`, `c = κ(alpha)`, and its gradient, in f64 and f32.

use crate::harness::Pool;
use num_traits::Float;
use serde_json::{json, Value};

/// What the subject says of itself.
pub fn announcement() -> Value {
    json!({
        "implementation": { "name": "pool.rs", "version": env!("CARGO_PKG_VERSION"), "language": "Rust" },
        "capabilities": {
            "ops": ["forward", "vjp"], "dtypes": ["f64", "f32"],
            "branches": ["relu", "step", "halfSquare", "negative", "identity", "tanh", "sigmoid", "softplus"],
            "sharing": ["layer", "channel", "unit", "sharedAxes"],
            "constraints": ["free", "fixed", "sumToOne", "clip"], "facets": [],
        },
    })
}

fn f<T: Float>(branch: &str, x: T) -> T {
    let (zero, one) = (T::zero(), T::one());
    match branch {
        "relu" | "halfSquare" if x < zero => zero,
        "negative" if x > zero => zero,
        "step" if x > zero => one,
        "step" if x <= zero => zero,
        "halfSquare" => x / (one + one) * x,
        "tanh" => x.tanh(),
        "sigmoid" => one / (one + (-x).exp()),
        "softplus" => f("relu", x) + (-x.abs()).exp().ln_1p(),
        // NaN of a step too.
        _ => x,
    }
}

fn df<T: Float>(branch: &str, x: T) -> T {
    match branch {
        "relu" => f("step", x),
        "step" => T::zero(),
        "halfSquare" => f("relu", x),
        "negative" => f("step", -x),
        "tanh" => T::one() - x.tanh() * x.tanh(),
        "sigmoid" => f("sigmoid", x) * f("sigmoid", -x),
        "softplus" => f("sigmoid", x),
        _ => T::one(),
    }
}

/// y, dx and dalpha: `dx = dy·Σᵢ cᵢ·fᵢ′(x)`, `dcᵢ` is the sum of `fᵢ(x)·dy` over what shares a position.
pub fn answer<T: Float>(pool: &Pool<T>, x: &[T], alpha: &[T], dy: &[T]) -> (Vec<T>, Vec<T>, Vec<T>) {
    let c = pool.coefficients(alpha);
    let (mut y, mut dx, mut dc) = (vec![T::zero(); x.len()], vec![T::zero(); x.len()], vec![T::zero(); c.len()]);
    for at in 0..x.len() {
        for (i, branch) in pool.branches.iter().enumerate() {
            let of_branch = i * pool.positions + pool.position(at);
            y[at] = y[at] + c[of_branch] * f(branch, x[at]);
            dx[at] = dx[at] + c[of_branch] * df(branch, x[at]);
            dc[of_branch] = dc[of_branch] + f(branch, x[at]) * dy[at];
        }
        dx[at] = dy[at] * dx[at];
    }
    (y, dx, pool.pull_back(alpha, &dc))
}
