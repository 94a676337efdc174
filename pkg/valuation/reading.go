package valuation

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"mmtools/pkg/metric"
)

// mostDiscrepant is how many samples a Reading names.
const mostDiscrepant = 10

// Reading gathers what there is to read in the contributions of many samples, in memory that does not grow with them. Sums
// are in sample order.
type Reading struct {
	n, classes int

	tallies []metric.Tally // (n)
	sums    []float64      // (classes,n)
	have    []int64        // (classes,n)
	samples []int64        // (classes)
	correct []int64        // (classes)
	pairs   []pair         // (n(n-1)/2), in the order of shapley.Solver.Interactions
	top     []Discrepancy  // the largest first
}

// pair is the sums of two modalities' contributions over the samples that have both.
type pair struct {
	samples, alike, told int64 // told: of which it is known whether each alone is right
	x, y, xx, yy, xy     float64
}

// Discrepancy is a sample by how far its modalities' contributions lie apart.
type Discrepancy struct {
	ID                string
	Row               int64 // position in the samples
	Label, Prediction int32
	Phi               []float64
	Apart             float64 // the largest contribution less the smallest
}

// NewReading returns an empty reading of samples of n modalities and a number of classes.
func NewReading(n, classes int) *Reading {
	return &Reading{
		n: n, classes: classes,
		tallies: make([]metric.Tally, n), sums: make([]float64, classes*n), have: make([]int64, classes*n),
		samples: make([]int64, classes), correct: make([]int64, classes), pairs: make([]pair, n*(n-1)/2),
	}
}

// Add takes in a result; id(i) is the id of its row i.
func (g *Reading) Add(r *Result, id func(i int) string) {
	for i := range r.Rows {
		phi := r.Phi[i*g.n:][:g.n]
		low, high := math.Inf(1), math.Inf(-1)
		for p, x := range phi {
			if x != x { // NaN
				continue
			}
			low, high = min(low, x), max(high, x)
			g.tallies[p].Add(x)
		}
		g.class(r, i, phi)
		var right []bool
		if r.Right != nil {
			right = r.Right[i<<g.n:][:1<<g.n]
		}
		g.agree(phi, right)
		if apart := high - low; apart > 0 && (len(g.top) < mostDiscrepant || apart > g.top[len(g.top)-1].Apart) {
			g.insert(Discrepancy{
				ID: strings.Clone(id(i)), Row: r.At[i], Label: r.Label[i], Prediction: r.Prediction[i],
				Phi: slices.Clone(phi), Apart: apart,
			})
		}
	}
}

// class takes in a labelled row under its class.
func (g *Reading) class(r *Result, i int, phi []float64) {
	label := int(r.Label[i])
	if label < 0 {
		return
	}
	g.samples[label]++
	if r.Prediction[i] == r.Label[i] {
		g.correct[label]++
	}
	for p, x := range phi {
		if x == x {
			g.sums[label*g.n+p] += x
			g.have[label*g.n+p]++
		}
	}
}

// agree takes in how the modalities of a row compare.
func (g *Reading) agree(phi []float64, right []bool) {
	at := 0
	for q, y := range phi {
		for _, x := range phi[:q] {
			k := &g.pairs[at]
			p := at - q*(q-1)/2
			at++
			if x != x || y != y {
				continue
			}
			k.samples++
			k.x, k.y, k.xx, k.yy, k.xy = k.x+x, k.y+y, k.xx+x*x, k.yy+y*y, k.xy+x*y
			if right != nil {
				k.told++
				if right[1<<p] == right[1<<q] {
					k.alike++
				}
			}
		}
	}
}

// insert puts a sample among the largest discrepancies; of equal ones the first stays first.
func (g *Reading) insert(d Discrepancy) {
	at, _ := slices.BinarySearchFunc(g.top, d, func(a, b Discrepancy) int { return cmp.Or(cmp.Compare(b.Apart, a.Apart), -1) })
	g.top = slices.Insert(g.top, at, d)
	g.top = g.top[:min(len(g.top), mostDiscrepant)]
}

// Discrepancies returns the samples whose modalities' contributions lie furthest apart, ten at most, the largest first.
func (g *Reading) Discrepancies() []Discrepancy { return g.top }

// Quantiles returns the quantiles of modality p's contributions at some probabilities, as metric.Tally tells them. NaN of no samples.
func (g *Reading) Quantiles(p int, probabilities ...float64) []float64 {
	return g.tallies[p].Quantiles(probabilities...)
}

// Class returns how many samples carry a label, the share of them that is classified rightly, and each modality's mean
// contribution to them, (n); NaN of none.
func (g *Reading) Class(label int) (samples int64, accuracy float64, means []float64) {
	for p := range g.n {
		means = append(means, g.sums[label*g.n+p]/float64(g.have[label*g.n+p]))
	}
	return g.samples[label], float64(g.correct[label]) / float64(g.samples[label]), means
}

// Agreement returns, of the samples that have modalities p < q, in what share each alone is right or each alone is wrong
// (NaN where that is not known), and the correlation of their contributions (NaN where one of them never varies).
func (g *Reading) Agreement(p, q int) (alike, correlation float64) {
	k := g.pairs[q*(q-1)/2+p]
	n := float64(k.samples)
	vx, vy := k.xx-k.x*k.x/n, k.yy-k.y*k.y/n
	if !(vx > 1e-12*k.xx) || !(vy > 1e-12*k.yy) {
		return float64(k.alike) / float64(k.told), math.NaN()
	}
	return float64(k.alike) / float64(k.told), (k.xy - k.x*k.y/n) / math.Sqrt(vx*vy)
}
