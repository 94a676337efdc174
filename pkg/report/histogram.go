package report

import (
	"math"

	"mmtools/pkg/metric"
)

// mostBins is how many bins a range is cut into at most.
const mostBins = 40

// Histogram counts the contributions of one named run in bins, one row of bins a modality. Its size depends on the
// number of modalities n alone. Those of the published value lie in [-(n-1)/2, (n+1)/2], and a bin is centred on the fair share 1; those of
// other values lie anywhere, and have no fair share that is one number.
type Histogram struct {
	Name       string
	Modalities []string
	shared     bool    // 1 is the fair share
	width      float64 // of a bin
	origin     float64 // bin k is centred on origin + (first+k) * width
	first      int
	counts     [][]int64 // (n,bins)
	beyond     bool      // values lie beyond the bins, and count in the outermost
	total      []int64   // (n)
	sum        []float64 // (n), of the finite contributions, in the order of Add
}

// NewHistogram returns an empty histogram of contributions of the published value. The bins of one or two modalities are half a unit wide,
// those of three a sixth: exactly the steps of phi; above that there are about 24.
func NewHistogram(name string, modalities []string) *Histogram {
	n := float64(len(modalities))
	width := n / 24
	switch {
	case n <= 2:
		width = 1. / 2
	case n == 3:
		width = 1. / 6
	}
	first := int(math.Floor((-(n-1)/2-1)/width + 0.5))
	last := int(math.Ceil(((n+1)/2-1)/width - 0.5))
	h := &Histogram{Name: name, Modalities: modalities, shared: true, width: width, origin: 1, first: first}
	return h.empty(last - first + 1)
}

// NewHistogramOver returns an empty histogram of contributions of another value, whose bins cover [low, high]: at most 40, from multiples of a
// round width.
func NewHistogramOver(name string, modalities []string, low, high float64) *Histogram {
	edges := niceTicks(low, high, mostBins)
	bins := len(edges) - 1
	width := (edges[bins].Value - edges[0].Value) / float64(bins)
	h := &Histogram{Name: name, Modalities: modalities, width: width, origin: edges[0].Value + width/2}
	return h.empty(bins)
}

func (h *Histogram) empty(bins int) *Histogram {
	h.total, h.sum = make([]int64, len(h.Modalities)), make([]float64, len(h.Modalities))
	for range h.Modalities {
		h.counts = append(h.counts, make([]int64, bins))
	}
	return h
}

// Add counts one contribution of modality p. NaN (no contribution) is left out; values beyond the bins, which of the published value
// only a sampled estimate has, count in the outermost.
func (h *Histogram) Add(p int, phi float64) {
	if math.IsNaN(phi) {
		return
	}
	h.count(p, phi, 1)
	h.sum[p] += phi
}

// AddTally counts the contributions of modality p that t has counted.
func (h *Histogram) AddTally(p int, t *metric.Tally) {
	if t.Total() == 0 {
		return
	}
	for phi, times := range t.All() {
		h.count(p, phi, times)
	}
	h.sum[p] += t.Mean() * float64(t.Total())
}

func (h *Histogram) count(p int, phi float64, times int64) {
	bins := float64(len(h.counts[p]))
	at := math.Floor((phi-h.origin)/h.width+0.5+1e-9) - float64(h.first) // what lies between two is in the upper
	bin := min(max(at, 0), bins-1)
	// What rounding alone puts outside, as it may niceTicks, is not beyond.
	h.beyond = h.beyond || math.Abs(phi-h.centre(int(bin))) > h.width*(0.5+1e-6)
	h.counts[p][int(bin)] += times
	h.total[p] += times
}

// like reports whether both have the same bins.
func (h *Histogram) like(o *Histogram) bool {
	return h.width == o.width && h.origin == o.origin && h.first == o.first && len(h.counts[0]) == len(o.counts[0])
}

func (h *Histogram) centre(k int) float64 { return h.origin + float64(h.first+k)*h.width }

// share returns the percentage of modality p's contributions that lie in bin k.
func (h *Histogram) share(p, k int) float64 {
	if h.total[p] == 0 {
		return 0
	}
	return 100 * float64(h.counts[p][k]) / float64(h.total[p])
}

func (h *Histogram) mean(p int) float64 { return h.sum[p] / float64(h.total[p]) }
