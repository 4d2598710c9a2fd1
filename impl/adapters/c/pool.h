/* What the protocol and the pool share. pool.c is compiled once for each dtype: REAL is its type, double or float. */
#pragma once
#include <stddef.h>

enum branch { RELU, STEP, HALF_SQUARE, NEGATIVE, IDENTITY, TANH, SIGMOID, SOFTPLUS };
enum constraint { FREE, FIXED, SUM_TO_ONE, CLIP };

struct pool {
  size_t n; /* branches */
  enum branch *branches;
  size_t size;                /* elements of x, dy, y, dx */
  size_t rows, positions;     /* alpha, dalpha: [rows, positions] */
  size_t units, *position_of; /* for each unit the position that it uses */
  enum constraint constraint;
  void *bounds; /* [n] under CLIP */
};

/* To be filled in; zeros until then. */
struct answer {
  void *y, *dx, *dalpha;
};

/* Zeroed memory that is freed once the request is answered. */
void *take(size_t count, size_t bytes);

/* The position in S of an element of x. */
static inline size_t position(const struct pool *p, size_t at) { return p->position_of[at % p->units]; }

#ifdef REAL
#define JOIN(a, b) a##_##b
#define JOINED(a, b) JOIN(a, b)
/* What the subject says of itself, in JSON. */
#define ANNOUNCE(...) const char *const JOINED(announcement, REAL) = #__VA_ARGS__;
/* answer(pool, x, alpha, dy, out) returns NULL, or what broke. Of op forward dy is zeros and only y is sent. */
#define ANSWER JOINED(answer, REAL)

static inline REAL *zeros(size_t count) { return take(count, sizeof(REAL)); }

/* c = κ(alpha): [n, positions] */
static inline REAL *coefficients(const struct pool *p, const REAL *alpha) {
  REAL *c = zeros(p->n * p->positions);
  for (size_t i = 0; i < p->rows * p->positions; i++) {
    REAL b = p->constraint == CLIP ? ((REAL *)p->bounds)[i / p->positions] : 0;
    c[i] = p->constraint != CLIP ? alpha[i] : alpha[i] > b ? b : alpha[i] < -b ? -b : alpha[i];
  }
  for (size_t s = 0; p->constraint == SUM_TO_ONE && s < p->positions; s++) {
    REAL rest = 1;
    for (size_t row = 0; row < p->rows; row++) rest -= alpha[row * p->positions + s];
    c[p->rows * p->positions + s] = rest;
  }
  return c;
}

/* dalpha = κ′ᵀ dc; a bound of clip belongs to the inside. */
static inline void pull_back(const struct pool *p, const REAL *alpha, const REAL *dc, REAL *dalpha) {
  for (size_t i = 0; i < p->rows * p->positions; i++) {
    dalpha[i] = dc[i];
    if (p->constraint == SUM_TO_ONE) dalpha[i] -= dc[p->rows * p->positions + i % p->positions];
    if (p->constraint != CLIP) continue;
    REAL b = ((REAL *)p->bounds)[i / p->positions];
    if (alpha[i] > b || alpha[i] < -b) dalpha[i] = 0;
  }
}
#endif
