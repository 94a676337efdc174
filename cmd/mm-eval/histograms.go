package main

import (
	"math"
	"slices"

	"mmtools/pkg/metric"
	"mmtools/pkg/report"
)

// allPublished reports whether all runs are of the published value, of which 1 is a fair share.
func allPublished(runs []*run) bool {
	return !slices.ContainsFunc(runs, func(r *run) bool { return !r.value.FairlyOne() })
}

// histograms returns those of the runs, in bins that are the same for all: those of the published value, or else over what the
// contributions of all modalities of all runs cover.
func histograms(runs []*run) []*report.Histogram {
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range runs {
		for p := range r.tallies {
			if l, h := shown(&r.tallies[p]); l <= h { // not NaN, of nothing
				low, high = min(low, l), max(high, h)
			}
		}
	}
	if low > high {
		low, high = 0, 1
	}
	var all []*report.Histogram
	for _, r := range runs {
		h := report.NewHistogramOver(r.name, r.modalities, low, high)
		if allPublished(runs) {
			h = report.NewHistogram(r.name, r.modalities)
		}
		for p := range r.tallies {
			h.AddTally(p, &r.tallies[p])
		}
		all = append(all, h)
	}
	return all
}

// shown returns the range of the values that a figure shows: of them all, but not further from the middle nine tenths than these are wide,
// so that a few far away do not press the others into one bin.
func shown(t *metric.Tally) (low, high float64) {
	q := t.Quantiles(0, 0.05, 0.95, 1)
	if wide := q[2] - q[1]; wide > 0 {
		return max(q[0], q[1]-wide), min(q[3], q[2]+wide)
	}
	return q[0], q[3]
}
