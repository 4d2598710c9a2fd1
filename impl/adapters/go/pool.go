// The pool: y = Σᵢ cᵢ·fᵢ(x), c = κ(alpha), and its gradient, in float64 and float32.
package main

import (
	"math"
	"runtime"
)

// What the subject says of itself.
var (
	implementation = Implementation{Name: "pool.go", Version: runtime.Version(), Language: "Go"}
	capabilities   = Capabilities{
		Ops:         []string{"forward", "vjp"},
		Dtypes:      []string{"f64", "f32"},
		Branches:    []string{"relu", "step", "halfSquare", "negative", "identity", "tanh", "sigmoid", "softplus"},
		Sharing:     []string{"layer", "channel", "unit", "sharedAxes"},
		Constraints: []string{"free", "fixed", "sumToOne", "clip"},
		Facets:      []string{},
	}
)

// of computes a function of float64 in the pool's own type, rounded once.
func of[T Real](g func(float64) float64, x T) T { return T(g(float64(x))) }

func f[T Real](branch string, x T) T {
	switch {
	case x != x || branch == "identity":
		return x
	case branch == "relu":
		return max(x, 0)
	case branch == "step" && x > 0:
		return 1
	case branch == "halfSquare" && x > 0:
		return x / 2 * x
	case branch == "negative":
		return min(x, 0)
	case branch == "tanh":
		return of(math.Tanh, x)
	case branch == "sigmoid":
		return 1 / (1 + of(math.Exp, -x))
	case branch == "softplus":
		return max(x, 0) + of(math.Log1p, of(math.Exp, -max(x, -x)))
	}
	return 0
}

func df[T Real](branch string, x T) T {
	switch branch {
	case "relu":
		return f("step", x)
	case "halfSquare":
		return f("relu", x)
	case "negative":
		return f("step", -x)
	case "identity":
		return 1
	case "tanh":
		return 1 - f("tanh", x)*f("tanh", x)
	case "sigmoid":
		return f("sigmoid", x) * f("sigmoid", -x)
	case "softplus":
		return f("sigmoid", x)
	}
	return 0
}

// answer is y, dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
func answer[T Real](p *Pool[T], x, alpha, dy []T) (y, dx, dalpha []T) {
	c := p.Coefficients(alpha)
	y, dx, dc := make([]T, len(x)), make([]T, len(x)), make([]T, len(c))
	for at, value := range x {
		for i, branch := range p.Branches {
			ofBranch := i*p.Positions + p.Position(at)
			y[at] += c[ofBranch] * f(branch, value)
			dx[at] += c[ofBranch] * df(branch, value)
			dc[ofBranch] += f(branch, value) * dy[at]
		}
		dx[at] *= dy[at]
	}
	return y, dx, p.PullBack(alpha, dc)
}
