//! The pool: `y = Σᵢ cᵢ·fᵢ(x)`, `c = κ(alpha)`, and its gradient, in f64 and f32.

use crate::harness::Pool;
use num_traits::Float;

fn pick<T>(condition: bool, then: T, otherwise: T) -> T {
    if condition {
        then
    } else {
        otherwise
    }
}

fn f<T: Float>(branch: &str, x: T) -> T {
    let (zero, one) = (T::zero(), T::one());
    match branch {
        "relu" => pick(x < zero, zero, x),
        "step" => pick(x.is_nan(), x, pick(x > zero, one, zero)),
        "halfSquare" => pick(x < zero, zero, x / (one + one) * x),
        "negative" => pick(x > zero, zero, x),
        "identity" => x,
        "tanh" => x.tanh(),
        "sigmoid" => one / (one + (-x).exp()),
        "softplus" => f("relu", x) + (-x.abs()).exp().ln_1p(),
        _ => unreachable!("the protocol knows no other branch"),
    }
}

fn df<T: Float>(branch: &str, x: T) -> T {
    match branch {
        "relu" => f("step", x),
        "step" => T::zero(),
        "halfSquare" => f("relu", x),
        "negative" => f("step", -x),
        "identity" => T::one(),
        "tanh" => T::one() - x.tanh() * x.tanh(),
        "sigmoid" => f("sigmoid", x) * f("sigmoid", -x),
        "softplus" => f("sigmoid", x),
        _ => unreachable!("the protocol knows no other branch"),
    }
}

/// `Σᵢ cᵢ·gᵢ(x)` at element `at` of x, with f or f′ for g.
fn pooled<T: Float>(pool: &Pool<T>, c: &[T], g: fn(&str, T) -> T, x: &[T], at: usize) -> T {
    let terms = pool.branches.iter().enumerate();
    terms.fold(T::zero(), |sum, (i, branch)| sum + c[i * pool.positions + pool.position(at)] * g(branch, x[at]))
}

pub fn forward<T: Float>(pool: &Pool<T>, x: &[T], alpha: &[T]) -> Vec<T> {
    let c = pool.coefficients(alpha);
    (0..x.len()).map(|at| pooled(pool, &c, f, x, at)).collect()
}

pub fn vjp<T: Float>(pool: &Pool<T>, x: &[T], alpha: &[T], dy: &[T]) -> (Vec<T>, Vec<T>) {
    let c = pool.coefficients(alpha);
    let dx = (0..x.len()).map(|at| dy[at] * pooled(pool, &c, df, x, at)).collect();
    let mut dc = vec![T::zero(); c.len()];
    for (i, branch) in pool.branches.iter().enumerate() {
        for at in 0..x.len() {
            let sum = &mut dc[i * pool.positions + pool.position(at)];
            *sum = *sum + f(branch, x[at]) * dy[at];
        }
    }
    (dx, pool.pull_back(alpha, &dc))
}
