// pool-harness/1: JSON Lines over stdin and stdout, for a pool in float64 and float32.
//
// pool.go has what it says of itself, implementation and capabilities, and what it computes:
//
//	answer(pool, x, alpha, dy) (y, dx, dalpha)
//
// x, dy, y, dx: [N, ...U], flat and row-major; alpha, dalpha: [rows, Positions]. Of op forward dy is zeros and only y is
// sent. A panic is the reply error.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// Real is what a pool computes in.
type Real interface{ float32 | float64 }

// Implementation says who answers.
type Implementation struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Language string `json:"language"`
}

// Capabilities says what can be asked; the rest is unsupported.
type Capabilities struct {
	Ops         []string `json:"ops"`
	Dtypes      []string `json:"dtypes"`
	Branches    []string `json:"branches"`
	Sharing     []string `json:"sharing"`
	Constraints []string `json:"constraints"`
	Facets      []string `json:"facets"`
	Encodings   []string `json:"encodings"`
	Pipeline    int      `json:"pipeline"`
}

// Pool is what to compute, without its numbers. Alpha is [rows, Positions].
type Pool[T Real] struct {
	Branches   []string
	Positions  int
	constraint string
	bounds     []T
	// For each unit the position that it uses.
	positionOf []int
}

// Position is the position in S of an element of x.
func (p *Pool[T]) Position(at int) int { return p.positionOf[at%len(p.positionOf)] }

// Coefficients is c = κ(alpha): [n, Positions].
func (p *Pool[T]) Coefficients(alpha []T) []T {
	c := slices.Clone(alpha)
	switch p.constraint {
	case "sumToOne":
		for s := 0; s < p.Positions; s++ {
			rest := T(1)
			for i := s; i < len(alpha); i += p.Positions {
				rest -= alpha[i]
			}
			c = append(c, rest)
		}
	case "clip":
		for i := range c {
			b := p.bounds[i/p.Positions]
			c[i] = min(max(c[i], -b), b)
		}
	}
	return c
}

// PullBack is dalpha = κ′ᵀ dc; a bound of clip belongs to the inside.
func (p *Pool[T]) PullBack(alpha, dc []T) []T {
	dalpha := slices.Clone(dc[:len(alpha)])
	for i, a := range alpha {
		if p.constraint == "sumToOne" {
			dalpha[i] -= dc[len(alpha)+i%p.Positions]
		}
		if p.constraint == "clip" && max(a, -a) > p.bounds[i/p.Positions] {
			dalpha[i] = 0
		}
	}
	return dalpha
}

var (
	ops         = []string{"forward", "vjp"}
	dtypes      = []string{"f64", "f32", "f16", "bf16"}
	branches    = []string{"relu", "step", "halfSquare", "negative", "identity", "tanh", "sigmoid", "softplus"}
	constraints = []string{"free", "fixed", "sumToOne", "clip", "softmax"}
)

const largest = 1 << 31

// refusal says why a request is invalid, lacking what it needs that was not announced.
type refusal string
type lacking string

type object = map[string]any

type tensor struct {
	Dtype string `json:"dtype"`
	Shape []int  `json:"shape"`
	Hex   string `json:"hex"`
}

func main() {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<16), bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var request any
			// What is not JSON leaves no object, which is refused.
			_ = json.Unmarshal(line, &request)
			fields, _ := request.(object)
			if fields["cmd"] == "stop" {
				return
			}
			reply := replyTo(fields)
			reply["id"] = fields["id"]
			text, _ := json.Marshal(reply)
			out.Write(append(text, '\n'))
		}
		if err != nil {
			if err != io.EOF {
				panic(err)
			}
			return
		}
		// What waits may be half a line, whose other half waits for no reply.
		if waiting, _ := in.Peek(in.Buffered()); bytes.IndexByte(waiting, '\n') < 0 {
			out.Flush()
		}
	}
}

func replyTo(request object) (reply object) {
	defer func() {
		switch no := recover().(type) {
		case nil:
		case refusal:
			reply = object{"refused": string(no)}
		case lacking:
			reply = object{"unsupported": string(no)}
		default:
			reply = object{"error": fmt.Sprint(no)}
		}
	}()
	if request == nil {
		panic(refusal("the line expected a JSON object"))
	}
	if among("cmd", request["cmd"], []string{"start", "run", "stop"}) == "start" {
		among("protocol", request["protocol"], []string{"pool-harness/1"})
		able := capabilities
		able.Encodings, able.Pipeline = []string{"hex"}, 16
		return object{"ok": object{"implementation": implementation, "capabilities": able}}
	}
	switch dtype := among("dtype", request["dtype"], dtypes); dtype {
	case "f64":
		return object{"outputs": run[float64](request, dtype)}
	case "f32":
		return object{"outputs": run[float32](request, dtype)}
	default:
		panic(lacking("dtype:" + dtype))
	}
}

func run[T Real](request object, dtype string) object {
	op := among("op", request["op"], ops)
	asked, inputs := kind[object]("pool", request["pool"]), kind[object]("inputs", request["inputs"])
	x, shape := decode[T]("x", inputs["x"], dtype, nil)
	pool := &Pool[T]{}
	for _, name := range kind[[]any]("pool.branches", asked["branches"]) {
		pool.Branches = append(pool.Branches, among("pool.branches", name, branches))
	}
	n := len(pool.Branches)
	if n == 0 {
		refuse("pool.branches", "at least one branch", asked["branches"])
	}
	own := pool.layOut(asked["sharing"], shape)
	constraint := kind[object]("pool.constraint", asked["constraint"])
	pool.constraint = among("pool.constraint.kind", constraint["kind"], constraints)
	rows := n
	switch pool.constraint {
	case "sumToOne":
		rows--
	case "softmax":
		// The wire carries none of it.
		panic(lacking("constraint:softmax"))
	case "clip":
		pool.bounds, _ = decode[T]("bounds", constraint["bounds"], dtype, []int{n})
		for _, b := range pool.bounds {
			if !(b >= 0) {
				panic(refusal(fmt.Sprintf(`"bounds" expected numbers from 0, got %v`, pool.bounds)))
			}
		}
	}
	alphaShape := append([]int{rows}, own...)
	alpha, _ := decode[T]("alpha", inputs["alpha"], dtype, alphaShape)
	dy := make([]T, len(x))
	if op == "vjp" {
		dy, _ = decode[T]("dy", inputs["dy"], dtype, shape)
	}
	checkAnnounced(op, dtype, pool.Branches, asked["sharing"], pool.constraint)
	y, dx, dalpha := answer(pool, x, alpha, dy)
	if op == "forward" {
		return object{"y": encode("y", y, dtype, shape)}
	}
	return object{"dx": encode("dx", dx, dtype, shape), "dalpha": encode("dalpha", dalpha, dtype, alphaShape)}
}

// checkAnnounced panics unless all that a valid request needs was announced.
func checkAnnounced(op, dtype string, branches []string, sharing any, constraint string) {
	need := func(word, value string, among []string) {
		if !slices.Contains(among, value) {
			panic(lacking(word + ":" + value))
		}
	}
	need("op", op, capabilities.Ops)
	need("dtype", dtype, capabilities.Dtypes)
	for _, branch := range branches {
		need("branch", branch, capabilities.Branches)
	}
	name, isName := sharing.(string)
	if !isName {
		name = "sharedAxes"
	}
	need("sharing", name, capabilities.Sharing)
	need("constraint", constraint, capabilities.Constraints)
}

// layOut finds the position of each unit, and returns S.
func (p *Pool[T]) layOut(sharing any, shape []int) []int {
	rank := len(shape)
	if rank == 0 {
		refuse("x", "rank 1 or more", shape)
	}
	shared := make([]bool, rank)
	own := func(kept []int) []int { return kept }
	axes, isAxes := sharing.(object)
	switch {
	case sharing == "unit":
	case sharing == "layer":
		own = func([]int) []int { return nil }
		for axis := range shared {
			shared[axis] = true
		}
	case sharing == "channel":
		if rank < 2 {
			refuse("x", "rank 2 or more for the sharing channel", shape)
		}
		own = func(kept []int) []int { return kept[rank-2:] }
		for axis := range shared {
			shared[axis] = axis < rank-1
		}
	case isAxes && len(axes) == 1 && axes["sharedAxes"] != nil:
		for _, value := range kind[[]any]("sharedAxes", axes["sharedAxes"]) {
			axis, isWhole := whole(value)
			if !isWhole || axis < 1 || axis >= rank || shared[axis] {
				refuse("sharedAxes", fmt.Sprintf("different axes from 1 to %d", rank-1), axes["sharedAxes"])
			}
			shared[axis] = true
		}
	default:
		refuse("pool.sharing", "layer, channel, unit or an object of sharedAxes", sharing)
	}
	kept, units := slices.Clone(shape[1:]), 1
	p.Positions = 1
	for i, n := range shape[1:] {
		if shared[i+1] {
			kept[i] = 1
		}
		p.Positions *= kept[i]
		units *= n
	}
	// An empty x uses no position, however many units its shape names.
	if shape[0] == 0 {
		units = 0
	}
	p.positionOf = make([]int, units)
	for unit := range p.positionOf {
		rest, stride := unit, 1
		for axis := rank - 1; axis >= 1; axis-- {
			if !shared[axis] {
				p.positionOf[unit] += rest % shape[axis] * stride
				stride *= shape[axis]
			}
			rest /= shape[axis]
		}
	}
	return own(kept)
}

func decode[T Real](name string, value any, dtype string, expected []int) ([]T, []int) {
	from := kind[object](name, value)
	among(name+".dtype", from["dtype"], []string{dtype})
	shape, size, product := []int{}, 1, 1
	for _, value := range kind[[]any](name+".shape", from["shape"]) {
		n, isWhole := whole(value)
		if isWhole {
			product *= max(n, 1)
		}
		if !isWhole || product >= largest {
			refuse(name+".shape", "integers from 0 with a product below 2^31", from["shape"])
		}
		shape, size = append(shape, n), size*n
	}
	if expected != nil && !slices.Equal(shape, expected) {
		refuse(name, fmt.Sprint("shape ", expected), shape)
	}
	if from["hex"] == nil && from["base64"] != nil {
		panic(lacking("encoding:base64"))
	}
	digits := kind[string](name+".hex", from["hex"])
	width := binary.Size(T(0))
	data, err := hex.DecodeString(digits)
	if err != nil || len(data) != width*size {
		refuse(name+".hex", fmt.Sprint(2*width*size, " hex digits"), digits)
	}
	values := make([]T, size)
	for i := range values {
		if width == 8 {
			values[i] = T(math.Float64frombits(binary.BigEndian.Uint64(data[8*i:])))
		} else {
			values[i] = T(math.Float32frombits(binary.BigEndian.Uint32(data[4*i:])))
		}
	}
	return values, shape
}

func encode[T Real](name string, values []T, dtype string, shape []int) tensor {
	size := 1
	for _, n := range shape {
		size *= n
	}
	if len(values) != size {
		panic(fmt.Sprintf(`"%s" expected shape %v, got %d elements`, name, shape, len(values)))
	}
	data := []byte{}
	for _, value := range values {
		if dtype == "f64" {
			data = binary.BigEndian.AppendUint64(data, math.Float64bits(float64(value)))
		} else {
			data = binary.BigEndian.AppendUint32(data, math.Float32bits(float32(value)))
		}
	}
	return tensor{dtype, shape, hex.EncodeToString(data)}
}

// whole is a JSON number that is an integer from 0 below 2^31.
func whole(value any) (int, bool) {
	n, isNumber := value.(float64)
	return int(n), isNumber && n == math.Trunc(n) && n >= 0 && n < largest
}

func kind[K any](name string, value any) K {
	is, ok := value.(K)
	if !ok {
		words := map[string]string{"map[string]interface {}": "an object", "[]interface {}": "an array", "string": "text"}
		refuse(name, words[fmt.Sprintf("%T", is)], value)
	}
	return is
}

func among(name string, value any, known []string) string {
	text, isText := value.(string)
	if !isText || !slices.Contains(known, text) {
		refuse(name, strings.Join(known, ", "), value)
	}
	return text
}

func refuse(name, expected string, got any) {
	text, _ := json.Marshal(got)
	panic(refusal(fmt.Sprintf(`"%s" expected %s, got %.80s`, name, expected, text)))
}
