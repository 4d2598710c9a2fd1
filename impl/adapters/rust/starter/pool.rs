//! Your layer, to be certified: fill in `answer`, and say what it can do.

use crate::harness::Pool;
use num_traits::Float;
use serde_json::{json, Value};

/// What is not listed is not asked; there are also the branches halfSquare, negative, identity, tanh, sigmoid, softplus.
pub fn announcement() -> Value {
    json!({
        "implementation": { "name": "mine", "version": env!("CARGO_PKG_VERSION"), "language": "Rust" },
        "capabilities": {
            "ops": ["forward", "vjp"], "dtypes": ["f64", "f32"], "branches": ["relu", "step"],
            "sharing": ["layer", "channel", "unit", "sharedAxes"],
            "constraints": ["free", "fixed", "sumToOne", "clip"], "facets": [],
        },
    })
}

/// `y = Σᵢ cᵢ·fᵢ(x)`, `dx = dy·Σᵢ cᵢ·fᵢ′(x)`, and dalpha, where `dcᵢ` is the sum of `fᵢ(x)·dy` over what shares a position.
///
/// x, dy: `[N, ...U]`, flat; alpha: `[rows, positions]`. With `c = pool.coefficients(alpha)`, the coefficient of branch
/// `pool.branches[i]` for `x[at]` is `c[i * pool.positions + pool.position(at)]`; `dalpha = pool.pull_back(alpha, &dc)`.
pub fn answer<T: Float>(pool: &Pool<T>, x: &[T], alpha: &[T], dy: &[T]) -> (Vec<T>, Vec<T>, Vec<T>) {
    panic!("answer is not written yet")
}
