package valuation

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/rng"
	"mmtools/pkg/shapley"
)

// random returns the random numbers of the sample at a position.
func (o Options) random(row int64) *rand.Rand { return rng.Stream(o.Seed, "value", "coalitions", row) }

// parted appends the parts that stand in for the modalities present in a draw, in order; none where they are zero.
func (r *Replacement) parted(dst [][]float32, draw int, present modality.Coalition) [][]float32 {
	if r == nil {
		return dst
	}
	for p := range present.Members() {
		dst = append(dst, r.of(draw, p))
	}
	return dst
}

// chain finds the logits of one coalition after another of a sample's parts. It adds in modality order, as walker does, and
// keeps the sums on the way, so that a coalition costs what is above the lowest modality in which it differs from the last.
type chain struct {
	bias          []float32
	parts, absent [][]float32 // (m,C)
	sums          []float32   // (m,C)
	at            [][]float32 // (m+1): the sum of the first modalities; in sums, or one further down where nothing was added
	last          uint64
	begun         bool
}

func (c *chain) start(bias []float32, parts [][]float32) {
	c.bias, c.parts, c.begun = bias, parts, false
	c.sums, c.at = resize(c.sums, len(parts)*len(bias)), resize(c.at, len(parts)+1)
	c.at[0] = bias
}

// logits returns those of a coalition of the parts, (C), borrowed until the next.
func (c *chain) logits(coalition uint64) []float32 {
	from := 0
	if c.begun {
		from = min(bits.TrailingZeros64(c.last^coalition), len(c.parts))
	}
	c.last, c.begun = coalition, true
	classes := len(c.bias)
	for i := from; i < len(c.parts); i++ {
		part := c.parts[i]
		if coalition>>i&1 == 0 {
			if len(c.absent) == 0 {
				c.at[i+1] = c.at[i]
				continue
			}
			part = c.absent[i]
		}
		next := c.sums[i*classes:][:classes]
		add(next, c.at[i], part)
		c.at[i+1] = next
	}
	return c.at[len(c.parts)]
}

// sampled values row at of the result from coalitions that are drawn.
func (w *worker) sampled(present modality.Coalition, logits []float32, at int) bool {
	v := w.v
	for draw := range w.chains {
		c := &w.chains[draw]
		c.absent = v.o.Replacement.parted(c.absent[:0], draw, present)
		c.start(w.bias, w.sweeper.parts)
	}
	w.finite = true
	w.estimate(present, logits, at, w.result.At[at], func(coalition uint64) float64 {
		value := 0.0
		for draw := range w.chains {
			x := w.chains[draw].logits(coalition)
			if largestBits(x) >= infinityBits {
				w.finite = false
				return math.NaN()
			}
			value += v.o.Value.Of(x, w.label, bits.OnesCount64(coalition))
		}
		return value / float64(len(w.chains))
	})
	return w.finite
}

func (w *worker) estimate(present modality.Coalition, logits []float32, at int, position int64, game shapley.Game) {
	v := w.v
	w.finish(logits, at)
	w.game.sample(present, game, position, w.result.Phi[at*v.n:][:v.n], w.result.StdErr[at*v.n:][:v.n])
}

// sampleTogether values the loaded minibatch, row from of the result and on, of a model that gives the logits of a whole
// minibatch at a time: all samples draw the same coalitions, so that each is evaluated once for all. It returns the first
// row with logits that are not finite, or -1.
func (v *valuer) sampleTogether(m *network.Minibatch, from int) (bad int, err error) {
	classes := v.classes
	known := map[modality.Coalition][]float64{} // (Rows) each
	whole := v.result.Logits[from*classes:][:m.Rows*classes]
	if err := v.replace(0); err != nil { // the same machine for every minibatch: rounding must not depend on what was before
		return -1, err
	}
	if err := v.model.Logits(modality.All(v.n), whole); err != nil {
		return -1, err
	}
	w, bad := v.workers[0], m.Rows
	w.found = &v.found
	labels := make([]int, m.Rows)
	for r := range labels {
		labels[r] = int(v.result.Label[from+r])
		if v.o.Predicted {
			labels[r] = int(argmax(whole[r*classes:][:classes]))
		}
	}
	for r := range m.Rows {
		present := m.Keep[r]
		game := func(coalition uint64) float64 {
			c := expand(present, coalition)
			values, ok := known[c]
			if !ok && err == nil {
				values = make([]float64, m.Rows)
				known[c] = values
				var first int
				first, err = v.worths(m, c, labels, values)
				bad = min(bad, first)
			}
			if err != nil {
				return 0
			}
			return values[r]
		}
		w.estimate(present, whole[r*classes:][:classes], from+r, 0, game)
		if err != nil {
			return -1, err
		}
	}
	if bad == m.Rows {
		return -1, nil
	}
	return bad, nil
}

// worths writes what coalition c of each row of the loaded minibatch is worth, (Rows). It returns the first row with logits that are not
// finite, or the number of rows.
func (v *valuer) worths(m *network.Minibatch, c modality.Coalition, labels []int, values []float64) (bad int, err error) {
	bad = m.Rows
	draws := v.o.Replacement.Draws()
	for draw := range draws {
		if err := v.replace(draw); err != nil {
			return bad, err
		}
		if err := v.model.Logits(c, v.logits[:m.Rows*v.classes]); err != nil {
			return bad, err
		}
		for row := range values {
			x := v.logits[row*v.classes:][:v.classes]
			if largestBits(x) >= infinityBits {
				bad = min(bad, row)
				continue
			}
			values[row] += v.o.Value.Of(x, labels[row], (c&m.Keep[row]).Size()) / float64(draws)
		}
	}
	return bad, nil
}
