package report

import "math"

// Histogram counts the contributions of one named run in bins, one row of bins a modality. Its size depends on the
// number of modalities n alone: bins lie over the range [-(n-1)/2, (n+1)/2] of a contribution and one is centred on
// the fair share 1.
type Histogram struct {
	Name       string
	Modalities []string
	Unshared   bool      // 1 is not the fair share: of another value than the published
	width      float64   // of a bin
	first      int       // bin k is centred on 1 + (first+k) * width
	counts     [][]int64 // (n,bins)
	total      []int64   // (n)
	sum        []float64 // (n), of the finite contributions, in the order of Add
}

// NewHistogram returns an empty histogram. The bins of one or two modalities are half a unit wide, those of three a
// sixth: exactly the steps of phi; above that there are about 24.
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
	h := &Histogram{Name: name, Modalities: modalities, width: width, first: first,
		total: make([]int64, len(modalities)), sum: make([]float64, len(modalities))}
	for range modalities {
		h.counts = append(h.counts, make([]int64, last-first+1))
	}
	return h
}

// Add counts one contribution of modality p. NaN (no contribution) is left out; values beyond the range, which only
// a sampled estimate has, count in the outermost bin.
func (h *Histogram) Add(p int, phi float64) {
	if math.IsNaN(phi) {
		return
	}
	bin := int(math.Round((phi-1)/h.width)) - h.first
	h.counts[p][min(max(bin, 0), len(h.counts[p])-1)]++
	h.total[p]++
	h.sum[p] += phi
}

func (h *Histogram) centre(k int) float64 { return 1 + float64(h.first+k)*h.width }

// share returns the percentage of modality p's contributions that lie in bin k.
func (h *Histogram) share(p, k int) float64 {
	if h.total[p] == 0 {
		return 0
	}
	return 100 * float64(h.counts[p][k]) / float64(h.total[p])
}

func (h *Histogram) mean(p int) float64 { return h.sum[p] / float64(h.total[p]) }
