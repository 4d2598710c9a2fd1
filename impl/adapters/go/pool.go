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

func relu(x float64) float64    { return max(x, 0) }
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
func step(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x <= 0:
		return 0
	}
	return x
}

// f and f′, in float64 and rounded once.
var functions = map[string][2]func(float64) float64{
	"relu":       {relu, step},
	"step":       {step, func(float64) float64 { return 0 }},
	"halfSquare": {func(x float64) float64 { return relu(x) / 2 * relu(x) }, relu},
	"negative":   {func(x float64) float64 { return min(x, 0) }, func(x float64) float64 { return step(-x) }},
	"identity":   {func(x float64) float64 { return x }, func(float64) float64 { return 1 }},
	"tanh":       {math.Tanh, func(x float64) float64 { return 1 - math.Tanh(x)*math.Tanh(x) }},
	"sigmoid":    {sigmoid, func(x float64) float64 { return sigmoid(x) * sigmoid(-x) }},
	"softplus":   {func(x float64) float64 { return relu(x) + math.Log1p(math.Exp(-math.Abs(x))) }, sigmoid},
}

// answer is y, dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
func answer[T Real](p *Pool[T], x, alpha, dy []T) (y, dx, dalpha []T) {
	c := p.Coefficients(alpha)
	y, dx, dc := make([]T, len(x)), make([]T, len(x)), make([]T, len(c))
	for at, value := range x {
		for i, branch := range p.Branches {
			of, f := i*p.Positions+p.Position(at), functions[branch]
			y[at] += c[of] * T(f[0](float64(value)))
			dx[at] += c[of] * T(f[1](float64(value)))
			dc[of] += T(f[0](float64(value))) * dy[at]
		}
		dx[at] *= dy[at]
	}
	return y, dx, p.PullBack(alpha, dc)
}
