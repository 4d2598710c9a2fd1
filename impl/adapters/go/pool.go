package main

import "math"

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

// pooled is Σᵢ cᵢ·gᵢ(x) at position s, with f or f′ for g.
func pooled[T Real](p *Pool[T], c []T, s int, g func(string, T) T, x T) (sum T) {
	for i, branch := range p.Branches {
		sum += c[i*p.Positions+s] * g(branch, x)
	}
	return sum
}

// Forward is y = Σᵢ cᵢ·fᵢ(x) with c = κ(alpha).
func Forward[T Real](p *Pool[T], x, alpha []T) []T {
	c, y := p.Coefficients(alpha), make([]T, len(x))
	for at := range x {
		y[at] = pooled(p, c, p.Position(at), f[T], x[at])
	}
	return y
}

// VJP is dx = dy·Σᵢ cᵢ·fᵢ′(x) and dalpha = κ′ᵀ dc, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
func VJP[T Real](p *Pool[T], x, alpha, dy []T) (dx, dalpha []T) {
	c := p.Coefficients(alpha)
	dx, dc := make([]T, len(x)), make([]T, len(c))
	for at := range x {
		s := p.Position(at)
		dx[at] = dy[at] * pooled(p, c, s, df[T], x[at])
		for i, branch := range p.Branches {
			dc[i*p.Positions+s] += f(branch, x[at]) * dy[at]
		}
	}
	return dx, p.PullBack(alpha, dc)
}
