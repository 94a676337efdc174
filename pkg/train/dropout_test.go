package train

import (
	"context"
	"math"
	"slices"
	"testing"
)

// Each epoch of a plan drops other features, the same ones whenever it is trained; what is kept is scaled up, so that sums stay
// what they are on average.
func TestDropout(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 96, nil))
	spec, state := testSpec(), testState("adam")
	spec.Dropout = 0.25
	masks := func(epochs int) (all [][]float32, params []float32) {
		c, err := New(spec, state, samples)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRun(c, Options{Device: open(t), Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
		for range epochs {
			if err := r.epoch(context.Background()); err != nil {
				t.Fatal(err)
			}
			all = append(all, slices.Clone(r.trainer.stepIn.drop))
		}
		return all, weightsOf(t, r.trainer).params
	}
	first, params := masks(3)
	second, again := masks(3)
	if !slices.Equal(params, again) || !slices.Equal(first[2], second[2]) {
		t.Error("the same run drops other features")
	}
	if slices.Equal(first[0], first[1]) {
		t.Error("two epochs drop the same features")
	}
	kept, all := 0, 0
	for _, mask := range first {
		for _, v := range mask {
			if v != 0 && v != float32(1/0.75) {
				t.Fatalf("a mask holds %v", v)
			}
			if v != 0 {
				kept++
			}
			all++
		}
	}
	// A share of 0.75 over n draws is off by more than 5 deviations once in two million times; the seed is fixed.
	if share, deviation := float64(kept)/float64(all), math.Sqrt(0.25*0.75/float64(all)); math.Abs(share-0.75) > 5*deviation {
		t.Errorf("%v of %d features are kept, want 0.75", share, all)
	}
	spec.Dropout = 0
	if _, without := masks(3); slices.Equal(params, without) {
		t.Error("dropout changes nothing")
	}
}

// Features are dropped alike where frames are prepared on other threads.
func TestDropoutAhead(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 40, nil))
	spec, state := testSpec(), testState("sgd")
	spec.Dropout = 0.5
	trained := func(ahead bool) []float32 {
		c, err := New(spec, state, samples)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRun(c, Options{Device: open(t), Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
		if st := &r.trainer.stepIn; ahead {
			for i := range st.ahead {
				st.ahead[i] = st.newBatch()
			}
			for range 3 {
				w, err := newWorker(spec)
				if err != nil {
					t.Fatal(err)
				}
				st.workers = append(st.workers, w)
			}
		}
		if err := r.epoch(context.Background()); err != nil {
			t.Fatal(err)
		}
		return weightsOf(t, r.trainer).params
	}
	if !slices.Equal(trained(false), trained(true)) {
		t.Error("prepared ahead, other features are dropped")
	}
}
