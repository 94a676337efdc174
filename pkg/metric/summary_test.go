package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// numpy 1.24.2, numpy.quantile on the same six values.
func TestQuantilesAgainstNumpy(t *testing.T) {
	got := Quantiles([]float64{0.5, -0.5, 1, 1, 1.5, 2}, 0, .05, .25, .5, .75, .95, 1)
	for i, want := range []float64{-0.5, -0.25, 0.625, 1, 1.375, 1.875, 2} {
		near(t, "quantile", got[i], want)
	}
	near(t, "of nothing", Quantiles(nil, 0.5)[0], math.NaN())
	near(t, "of one", Quantiles([]float64{7}, 0.3)[0], 7)
}

func TestMeanDeviation(t *testing.T) {
	for _, row := range []struct {
		name            string
		x               []float64
		mean, deviation float64
	}{
		{"nothing", nil, math.NaN(), math.NaN()},
		{"one", []float64{3}, 3, 0},
		{"by hand", []float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, math.Sqrt(32. / 7)},
		{"far from zero", []float64{1e9, 1e9 + 1, 1e9 + 2}, 1e9 + 1, 1},
	} {
		mean, deviation := MeanDeviation(row.x)
		near(t, row.name+": mean", mean, row.mean)
		near(t, row.name+": deviation", deviation, row.deviation)
	}
}

// log-softmax by hand: two equal logits are -log 2 each; a lead of 40 leaves the leader -exp(-40), which a difference
// of float32 numbers would round to 0 and a probability to 1.
func TestLogSoftmax(t *testing.T) {
	logits := []float32{3, 3, 40, 0, -1000, 1000}
	dst := make([]float32, 6)
	LogSoftmax(dst, logits, 2)
	for i, want := range []float64{-math.Ln2, -math.Ln2, -math.Exp(-40), -40, -2000, 0} {
		if got := float64(dst[i]); math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("element %d: got %v, want %v", i, got, want)
		}
	}
}

// Each row's probabilities sum to 1, and adding a constant to a row changes nothing.
func TestLogSoftmaxLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(1, 8).Draw(t, "classes")
		logits := rapid.SliceOfN(rapid.Float32Range(-30, 30), classes, classes).Draw(t, "logits")
		dst, moved := make([]float32, classes), make([]float32, classes)
		for c, x := range logits {
			moved[c] = x + 16
		}
		LogSoftmax(dst, logits, classes)
		LogSoftmax(moved, moved, classes)
		var sum float64
		for c := range dst {
			sum += math.Exp(float64(dst[c]))
			if math.Abs(float64(dst[c]-moved[c])) > 1e-5*(1+math.Abs(float64(dst[c]))) {
				t.Fatalf("class %d: %v, moved %v", c, dst[c], moved[c])
			}
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("probabilities sum to %v", sum)
		}
	})
}

// A tally is the values one by one: the same mean, share and quantiles, in any order.
func TestTallyAgainstValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.SampledFrom([]float64{-0.5, 0, 0.5, 1, 1.5}), 0, 30).Draw(t, "x")
		var tally Tally
		for _, v := range x {
			tally.Add(v)
		}
		tally.Add(math.NaN())
		same := func(what string, got, want float64) {
			if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
				t.Fatalf("%s: got %v, want %v", what, got, want)
			}
		}
		mean, _ := MeanDeviation(x)
		same("mean", tally.Mean(), mean)
		p := []float64{0, rapid.Float64Range(0, 1).Draw(t, "p"), 1}
		want := Quantiles(x, p...)
		for i, got := range tally.Quantiles(p...) {
			same("quantile", got, want[i])
		}
		if tally.Total() != int64(len(x)) {
			t.Fatalf("counted %d of %d", tally.Total(), len(x))
		}
	})
}

// Of more different values than a tally tells apart, the mean is theirs, and quantiles are theirs to 12 bits, in memory that does not
// grow: twice as many values of the same distribution are as many different ones.
func TestTallyOfManyValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var tally Tally
	var x []float64
	distinct := 0
	for len(x) < 400_000 {
		v := 2 + 3*r.NormFloat64()
		x = append(x, v)
		tally.Add(v)
		if len(x) == 200_000 {
			distinct = len(tally.counts)
		}
	}
	if now := len(tally.counts); distinct > 60_000 || now > distinct*5/4 {
		t.Errorf("%d different values, and %d of twice as many", distinct, now)
	}
	mean, _ := MeanDeviation(x)
	if got := tally.Mean(); math.Abs(got-mean) > 1e-12*mean || tally.Total() != int64(len(x)) {
		t.Errorf("mean %v of %d, want %v of %d", got, tally.Total(), mean, len(x))
	}
	p := []float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}
	want := Quantiles(x, p...)
	for i, got := range tally.Quantiles(p...) {
		if math.Abs(got-want[i]) > math.Abs(want[i])/4096+1e-6 {
			t.Errorf("quantile %v: got %v, want %v", p[i], got, want[i])
		}
	}
	var sum int64
	last := math.Inf(-1)
	for v, n := range tally.All() {
		if sum += n; v <= last {
			t.Fatalf("%v after %v", v, last)
		}
		last = v
	}
	if sum != tally.Total() {
		t.Errorf("all are %d, want %d", sum, tally.Total())
	}
}
