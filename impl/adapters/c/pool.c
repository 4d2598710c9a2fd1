/* The pool: y = Σᵢ cᵢ·fᵢ(x), c = κ(alpha), and its gradient. */
#include "pool.h"
#include <tgmath.h>

ANNOUNCE({
  "implementation": {"name": "pool.c", "version": "1.0.0", "language": "C"},
  "capabilities": {
    "ops": ["forward", "vjp"], "dtypes": ["f64", "f32"],
    "branches": ["relu", "step", "halfSquare", "negative", "identity", "tanh", "sigmoid", "softplus"],
    "sharing": ["layer", "channel", "unit", "sharedAxes"],
    "constraints": ["free", "fixed", "sumToOne", "clip"], "facets": []
  }
})

static REAL f(enum branch branch, REAL x) {
  switch (branch) {
    case RELU: return x < 0 ? 0 : x;
    case STEP: return isnan(x) ? x : x > 0;
    case HALF_SQUARE: return x < 0 ? 0 : x / 2 * x;
    case NEGATIVE: return x > 0 ? 0 : x;
    case TANH: return tanh(x);
    case SIGMOID: return 1 / (1 + exp(-x));
    case SOFTPLUS: return f(RELU, x) + log1p(exp(-fabs(x)));
    default: return x;
  }
}

static REAL df(enum branch branch, REAL x) {
  switch (branch) {
    case RELU: return x > 0;
    case STEP: return 0;
    case HALF_SQUARE: return f(RELU, x);
    case NEGATIVE: return x < 0;
    case TANH: return 1 - tanh(x) * tanh(x);
    case SIGMOID: return f(SIGMOID, x) * f(SIGMOID, -x);
    case SOFTPLUS: return f(SIGMOID, x);
    default: return 1;
  }
}

/* dx = dy·Σᵢ cᵢ·fᵢ′(x); dcᵢ is the sum of fᵢ(x)·dy over what shares a position. */
const char *ANSWER(const struct pool *p, const REAL *x, const REAL *alpha, const REAL *dy, struct answer out) {
  REAL *y = out.y, *dx = out.dx, *c = coefficients(p, alpha), *dc = zeros(p->n * p->positions);
  for (size_t at = 0; at < p->size; at++) {
    for (size_t i = 0; i < p->n; i++) {
      size_t of_branch = i * p->positions + position(p, at);
      y[at] += c[of_branch] * f(p->branches[i], x[at]);
      dx[at] += c[of_branch] * df(p->branches[i], x[at]);
      dc[of_branch] += f(p->branches[i], x[at]) * dy[at];
    }
    dx[at] *= dy[at];
  }
  pull_back(p, alpha, dc, out.dalpha);
  return NULL;
}
