package valuation

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

func TestAllFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for size := range 26 {
		x := make([]float32, size+1)[size%2:][:size] // at eight bytes, and at four
		for k := range x {
			x[k] = []float32{math.MaxFloat32, -math.MaxFloat32, 0, math.SmallestNonzeroFloat32}[k%4]
		}
		if !allFinite(x) {
			t.Errorf("%v is reported as not finite", x)
		}
		for k := range x {
			for _, bad := range []float32{nan, -nan, inf, -inf} {
				was := x[k]
				x[k] = bad
				if allFinite(x) {
					t.Errorf("%v is reported as finite", x)
				}
				x[k] = was
			}
		}
	}
}

// TestNotFinite holds that a number that is not finite is found wherever it is, whatever the threads, and that the backbone
// is not asked whether it can hide it.
func TestNotFinite(t *testing.T) {
	m := identity()
	m.rows = 64
	for _, at := range []int{0, 40, 99} {
		var rows []schema.Sample
		for row := range 100 {
			x := []float32{0, 0, 0}
			if row == at {
				x[2] = float32(math.Inf(-1)) // the label's logit: the others alone are finite
			}
			rows = append(rows, schema.Sample{ID: "s" + strings.Repeat("i", row), Tensors: []any{[]float32{0, 0, 0}, x}})
		}
		for _, model := range []Predictor{m, glass{m}} {
			for _, e := range Estimators {
				o := Options{Threads: 3, Estimator: e, Rule: shapley.Rule{Evaluations: 100}}
				_, err := Run(context.Background(), identitySamples(m, rows...).reader(t), model, o, func(*schema.SamplesBatch, *Result) error { return nil })
				if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), `"v"`) || !strings.Contains(err.Error(), `"`+rows[at].ID+`"`) {
					t.Errorf("%T %s, row %d: got %v", model, e, at, err)
				}
			}
		}
	}
}

// glass is a model that says that it hides nothing.
type glass struct{ *linear }

func (glass) Transparent() bool { return true }
