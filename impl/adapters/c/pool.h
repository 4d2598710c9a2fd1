/* What the protocol and the pool share. pool.c is compiled once for each dtype: REAL is its type, NAME its name. */
#pragma once
#include <stddef.h>

enum branch { RELU, STEP, HALF_SQUARE, NEGATIVE, IDENTITY, TANH, SIGMOID, SOFTPLUS };
enum constraint { FREE, FIXED, SUM_TO_ONE, CLIP };

struct pool {
  size_t n; /* branches */
  enum branch *branches;
  size_t rows, positions;     /* alpha: [rows, positions] */
  size_t units, *position_of; /* for each unit the position that it uses */
  enum constraint constraint;
  void *bounds; /* [n] under CLIP */
};

/* Arrays of REAL: x, dy, y, dx have `size` elements, alpha and dalpha rows * positions, c and dc n * positions. */
struct arrays {
  size_t size;
  void *x, *alpha, *dy, *y, *dx, *dalpha, *c, *dc;
};

void forward_f64(const struct pool *, const struct arrays *);
void forward_f32(const struct pool *, const struct arrays *);
void vjp_f64(const struct pool *, const struct arrays *);
void vjp_f32(const struct pool *, const struct arrays *);

static inline size_t position(const struct pool *p, size_t at) { return p->position_of[at % p->units]; }

#ifdef REAL
#define JOIN(a, b) a##_##b
#define JOINED(a, b) JOIN(a, b)
#define FORWARD JOINED(forward, NAME)
#define VJP JOINED(vjp, NAME)

/* c = κ(alpha) */
static void coefficients(const struct pool *p, const REAL *alpha, REAL *c) {
  for (size_t i = 0; i < p->rows * p->positions; i++) {
    REAL b = p->constraint == CLIP ? ((REAL *)p->bounds)[i / p->positions] : 0;
    c[i] = p->constraint != CLIP ? alpha[i] : alpha[i] > b ? b : alpha[i] < -b ? -b : alpha[i];
  }
  if (p->constraint != SUM_TO_ONE) return;
  for (size_t s = 0; s < p->positions; s++) {
    REAL rest = 1;
    for (size_t row = 0; row < p->rows; row++) rest -= alpha[row * p->positions + s];
    c[p->rows * p->positions + s] = rest;
  }
}

/* dalpha = κ′ᵀ dc; a bound of clip belongs to the inside. */
static void pull_back(const struct pool *p, const REAL *alpha, const REAL *dc, REAL *dalpha) {
  for (size_t i = 0; i < p->rows * p->positions; i++) {
    dalpha[i] = dc[i];
    if (p->constraint == SUM_TO_ONE) dalpha[i] -= dc[p->rows * p->positions + i % p->positions];
    if (p->constraint != CLIP) continue;
    REAL b = ((REAL *)p->bounds)[i / p->positions];
    if (alpha[i] > b || alpha[i] < -b) dalpha[i] = 0;
  }
}
#endif
