/* The pool: y = Σᵢ cᵢ·fᵢ(x), c = κ(alpha), and its gradient. */
#include "pool.h"
#include <tgmath.h>

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

/* Σᵢ cᵢ·gᵢ(x) at position s, with f or f′ for g. */
static REAL pooled(const struct pool *p, const REAL *c, size_t s, REAL (*g)(enum branch, REAL), REAL x) {
  REAL sum = 0;
  for (size_t i = 0; i < p->n; i++) sum += c[i * p->positions + s] * g(p->branches[i], x);
  return sum;
}

void FORWARD(const struct pool *p, const struct arrays *a) {
  REAL *x = a->x, *c = a->c, *y = a->y;
  coefficients(p, a->alpha, c);
  for (size_t at = 0; at < a->size; at++) y[at] = pooled(p, c, position(p, at), f, x[at]);
}

void VJP(const struct pool *p, const struct arrays *a) {
  REAL *x = a->x, *c = a->c, *dy = a->dy, *dx = a->dx, *dc = a->dc;
  coefficients(p, a->alpha, c);
  for (size_t i = 0; i < p->n * p->positions; i++) dc[i] = 0;
  for (size_t at = 0; at < a->size; at++) {
    size_t s = position(p, at);
    dx[at] = dy[at] * pooled(p, c, s, df, x[at]);
    for (size_t i = 0; i < p->n; i++) dc[i * p->positions + s] += f(p->branches[i], x[at]) * dy[at];
  }
  pull_back(p, a->alpha, dc, a->dalpha);
}
