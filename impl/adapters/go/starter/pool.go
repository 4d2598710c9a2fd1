// Your layer, to be certified: fill in answer, and say what it can do.
package main

// What is not listed is not asked; there are also the branches halfSquare, negative, identity, tanh, sigmoid, softplus.
var (
	implementation = Implementation{Name: "mine", Version: "0.1.0", Language: "Go"}
	capabilities   = Capabilities{
		Ops:         []string{"forward", "vjp"},
		Dtypes:      []string{"f64", "f32"},
		Branches:    []string{"relu", "step"},
		Sharing:     []string{"layer", "channel", "unit", "sharedAxes"},
		Constraints: []string{"free", "fixed", "sumToOne", "clip"},
		Facets:      []string{},
	}
)

// answer is y = Σᵢ cᵢ·fᵢ(x), dx = dy·Σᵢ cᵢ·fᵢ′(x), and dalpha, where dcᵢ is the sum of fᵢ(x)·dy over what shares a position.
//
// x, dy: [N, ...U], flat; alpha: [rows, Positions]. With c := pool.Coefficients(alpha), the coefficient of branch
// pool.Branches[i] for x[at] is c[i*pool.Positions+pool.Position(at)]; dalpha is pool.PullBack(alpha, dc).
func answer[T Real](pool *Pool[T], x, alpha, dy []T) (y, dx, dalpha []T) {
	panic("answer is not written yet")
}
