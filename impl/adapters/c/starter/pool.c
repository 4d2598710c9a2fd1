/* Your layer, to be certified: fill in ANSWER, and say what it can do. Compiled twice: REAL is double, then float. */
#include "pool.h"
#include <tgmath.h>

/* What is not listed is not asked; there are also the branches halfSquare, negative, identity, tanh, sigmoid, softplus. */
ANNOUNCE({
  "implementation": {"name": "mine", "version": "0.1.0", "language": "C"},
  "capabilities": {
    "ops": ["forward", "vjp"], "dtypes": ["f64", "f32"], "branches": ["relu", "step"],
    "sharing": ["layer", "channel", "unit", "sharedAxes"],
    "constraints": ["free", "fixed", "sumToOne", "clip"], "facets": []
  }
})

/* y = Σᵢ cᵢ·fᵢ(x), dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
 *
 * x, dy, y, dx: [N, ...U], p->size elements, flat; alpha, dalpha: [rows, positions]. With c = coefficients(p, alpha), the
 * coefficient of branch p->branches[i], of p->n, for x[at] is c[i * p->positions + position(p, at)]; with
 * dc = zeros(p->n * p->positions) filled in, pull_back(p, alpha, dc, dalpha). Returns NULL, or what broke.
 */
const char *ANSWER(const struct pool *p, const REAL *x, const REAL *alpha, const REAL *dy, struct answer out) {
  REAL *y = out.y, *dx = out.dx, *dalpha = out.dalpha;
  return "ANSWER is not written yet";
}
