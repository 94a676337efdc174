package valuation

import (
	"math"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

// grouping collects the rows of one sample after another.
type grouping struct {
	name    string // of the stream
	names   []string
	classes int
	o       Options
	emit    func(ids []string, first int64, r *Result) error
	game    *game
	row     int64 // of the stream

	open        bool // a sample is under way
	id          string
	label       int32
	union       modality.Coalition // of the coalitions seen
	distinct    int                // of them, the empty one not counted
	seen        []bool             // (2^n)
	predictions []int32            // (2^n)
	logits      []float32          // (2^n,C); nil where they are not looked at

	right []bool // (2^n)

	ids    []string
	first  int64 // position of the first of ids among the samples
	result Result
}

func newGrouping(name string, h schema.Header, o Options) *grouping {
	n := len(h.Modalities)
	g := &grouping{
		name: name, names: modality.Names(h.Modalities), classes: len(h.Classes), o: o, game: newGame(n, o),
		seen: make([]bool, 1<<n), predictions: make([]int32, 1<<n), right: make([]bool, 1<<n),
	}
	if o.Additive || !o.Value.Whole() {
		g.logits = make([]float32, g.classes<<n)
	}
	rows := predictionsBatch
	if n > 6 {
		rows = max(1, predictionsBatch>>(n-6)) // the rows of Right together stay as small as with 6 modalities
	}
	g.result.reset(rows, n, 0, o)
	g.result.Rows, g.result.Logits = 0, nil
	return g
}

// add takes in one row of the stream.
func (g *grouping) add(p schema.Prediction) error {
	if !g.open || p.ID != g.id {
		if err := g.finish(); err != nil {
			return err
		}
		if err := g.start(p); err != nil {
			return err
		}
	}
	switch {
	case p.Coalition&^modality.All(len(g.names)) != 0:
		return g.errorf("coalition %#x has a modality beyond the %d of the stream", uint64(p.Coalition), len(g.names))
	case g.seen[p.Coalition]:
		return g.errorf("coalition %s is given twice", p.Coalition.Label(g.names))
	case p.Label != g.label:
		return g.errorf("label %d, but %d in the rows before it", p.Label, g.label)
	case p.Prediction < 0 || int(p.Prediction) >= g.classes:
		return g.errorf("prediction %d, want 0 to %d", p.Prediction, g.classes-1)
	case g.logits != nil && p.Logits == nil:
		return g.errorf("no logits of coalition %s, and %s cannot be told without", p.Coalition.Label(g.names), g.wanted())
	}
	g.seen[p.Coalition], g.predictions[p.Coalition] = true, p.Prediction
	if g.logits != nil {
		copy(g.logits[int(p.Coalition)*g.classes:], p.Logits)
	}
	g.union |= p.Coalition
	if p.Coalition != 0 {
		g.distinct++
	}
	g.row++
	return nil
}

// wanted says what logits are wanted for.
func (g *grouping) wanted() string {
	if g.o.Additive {
		return "sums of parts"
	}
	return "the value " + string(g.o.Value)
}

// start begins the sample of row p.
func (g *grouping) start(p schema.Prediction) error {
	g.open, g.id, g.label = true, strings.Clone(p.ID), p.Label // the row is borrowed
	g.union, g.distinct = 0, 0
	clear(g.seen)
	if p.Label < 0 && !g.o.Predicted {
		return g.errorf("%w", ErrUnlabelled)
	}
	if int(p.Label) >= g.classes {
		return g.errorf("label %d, want 0 to %d", p.Label, g.classes-1)
	}
	return nil
}

// finish values the sample under way, if any.
func (g *grouping) finish() error {
	if !g.open {
		return nil
	}
	g.open = false
	if g.o.Additive {
		if err := g.complete(); err != nil {
			return err
		}
	}
	m := g.union.Size()
	if missing := 1<<m - 1 - g.distinct; missing > 0 { // all seen are subsets of the union, and distinct
		return stream.Errorf("%s: the rows of id %q before row %d: %d of the %d coalitions of %s are missing, among them %s",
			g.name, g.id, g.row, missing, 1<<m-1, g.union.Label(g.names), g.unseen().Label(g.names))
	}
	if !g.seen[0] && g.o.Value.name() != Published {
		return stream.Errorf("%s: the rows of id %q before row %d: coalition none is missing, which the value %s counts from", g.name, g.id, g.row, g.o.Value)
	}
	r, label := &g.result, g.label
	if g.o.Predicted {
		label = g.predictions[g.union]
	}
	for c := range g.right {
		g.right[c] = g.seen[c] && g.predictions[c] == label
	}
	n := len(g.names)
	won := g.game.won[:1<<m]
	gather(g.union, g.right, won)
	spread(g.union, won, g.right)
	r.Label[r.Rows], r.Prediction[r.Rows] = g.label, g.predictions[g.union]
	g.game.summary.Samples++
	if g.right[len(g.right)-1] {
		g.game.summary.Correct++
	}
	g.game.count(g.right)
	if r.Right != nil {
		copy(r.Right[r.Rows<<n:], g.right)
	}
	g.value(won, int(label))
	r.Rows++
	g.ids = append(g.ids, g.id)
	if r.Rows == cap(r.Label) {
		return g.flush()
	}
	return nil
}

// value values the sample under way as the next row of the result.
func (g *grouping) value(won []bool, label int) {
	n, r := len(g.names), &g.result
	var values []float64
	if !g.o.plain() {
		values = g.game.values[:len(won)]
		c := modality.Coalition(0)
		for k := range values {
			if g.logits != nil {
				values[k] = g.o.Value.Of(g.logits[int(c)*g.classes:][:g.classes], label, c.Size())
			} else if values[k] = 0; won[k] {
				values[k] = 1
				if g.o.Value.name() == Published {
					values[k] = float64(c.Size())
				}
			}
			c = (c - g.union) & g.union
		}
	}
	phi := r.Phi[r.Rows*n:][:n]
	g.game.value(g.union, won, values, phi)
	if g.game.summary.Sum != nil {
		g.game.summary.take(phi)
	}
	if g.o.Cooperation {
		r.Cooperation[r.Rows] = shapley.Cooperation(values)
	}
	if g.o.Interactions {
		pairs := n * (n - 1) / 2
		g.game.interactions(g.union, values, r.Interactions[r.Rows*pairs:][:pairs])
	}
}

// complete fills in the logits and predictions of the coalitions that are not given: sums of parts.
func (g *grouping) complete() error {
	at := func(c modality.Coalition) []float32 { return g.logits[int(c)*g.classes:][:g.classes] }
	if !g.seen[0] {
		return stream.Errorf("%s: the rows of id %q before row %d: coalition none is missing, whose logits are the bias", g.name, g.id, g.row)
	}
	bias := at(0)
	parts := make([][]float32, len(g.names))
	for p := range g.union.Members() {
		if !g.seen[modality.Only(p)] {
			return stream.Errorf("%s: the rows of id %q before row %d: coalition %s is missing", g.name, g.id, g.row, g.names[p])
		}
		parts[p] = make([]float32, g.classes)
		for k, x := range at(modality.Only(p)) {
			parts[p][k] = x - bias[k]
		}
	}
	sum := make([]float32, g.classes)
	for c := (0 - g.union) & g.union; c != 0; c = (c - g.union) & g.union {
		copy(sum, bias)
		for p := range c.Members() {
			add(sum, sum, parts[p])
		}
		if g.seen[c] {
			if k := apart(sum, at(c)); k >= 0 {
				return stream.Errorf("%s: the rows of id %q before row %d: coalition %s has logit %v of class %d, but its parts sum to %v",
					g.name, g.id, g.row, c.Label(g.names), at(c)[k], k, sum[k])
			}
			continue
		}
		if largestBits(sum) >= infinityBits {
			return stream.Errorf("%s: the rows of id %q before row %d: the parts of coalition %s do not sum to finite logits", g.name, g.id, g.row, c.Label(g.names))
		}
		copy(at(c), sum)
		g.seen[c], g.predictions[c] = true, argmax(sum)
		g.distinct++
	}
	return nil
}

// apart returns the first class of which a and b say too different things to come from rounding, or -1.
func apart(a, b []float32) int {
	scale := 0.0
	for _, x := range b {
		scale = max(scale, math.Abs(float64(x)))
	}
	for k, x := range a {
		if !(math.Abs(float64(x)-float64(b[k])) <= 1e-3*max(1, scale)) {
			return k
		}
	}
	return -1
}

// unseen returns the first coalition of the union that has not been given.
func (g *grouping) unseen() modality.Coalition {
	for c := (0 - g.union) & g.union; c != 0; c = (c - g.union) & g.union { // the subsets of the union, in order
		if !g.seen[c] {
			return c
		}
	}
	panic("valuation: no coalition is missing")
}

// flush hands on the samples that are valued.
func (g *grouping) flush() error {
	r := g.result // its slices cut to the rows in use
	if r.Rows == 0 {
		return nil
	}
	n := len(g.names)
	r.At = resize(r.At, r.Rows)
	for i := range r.At {
		r.At[i] = g.first + int64(i)
	}
	r.Label, r.Prediction, r.Phi = r.Label[:r.Rows], r.Prediction[:r.Rows], r.Phi[:r.Rows*n]
	if r.Right != nil {
		r.Right = r.Right[:r.Rows<<n]
	}
	if r.Cooperation != nil {
		r.Cooperation = r.Cooperation[:r.Rows]
	}
	if r.Interactions != nil {
		r.Interactions = r.Interactions[:r.Rows*n*(n-1)/2]
	}
	err := g.emit(g.ids, g.first, &r)
	g.first += int64(r.Rows)
	g.ids, g.result.Rows = g.ids[:0], 0
	return err
}

func (g *grouping) errorf(format string, args ...any) error {
	return stream.Errorf("%s: row %d, id %q: %w", g.name, g.row, g.id, stream.Errorf(format, args...))
}
