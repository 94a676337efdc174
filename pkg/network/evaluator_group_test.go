package network_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/hostgroup"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// A minibatch divided among devices gives the one device's logits, row by row, also where some have no row.
func TestGroupEvaluates(t *testing.T) {
	for _, fusion := range []string{"concat", "attention:2:8"} {
		spec := network.Spec{Fusion: fusion, Classes: []string{"x", "y", "z"}, Modalities: []network.Channel{
			{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: []int{6}}, Backbone: "mlp:16"},
			{Modality: modality.Modality{Name: "image", Kind: modality.Image, Shape: []int{2, 4, 4}}, Backbone: "cnn:4"},
		}}
		layout, err := spec.Layout()
		if err != nil {
			t.Fatal(err)
		}
		logits := func(d kernel.Device, rows int) (all []float32) {
			e, err := network.NewEvaluator(spec, d, 8, layout.Initialize(5), layout.InitializeBuffers())
			if err != nil {
				t.Fatal(err)
			}
			if e.MaxRows() != 8 {
				t.Errorf("%d rows at most, want 8", e.MaxRows())
			}
			r := rand.New(rand.NewPCG(1, 2))
			b := network.Minibatch{Rows: rows}
			for _, m := range spec.Modalities {
				x := make([]float32, rows*m.Size())
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				b.X = append(b.X, x)
			}
			for i := range rows {
				b.Keep = append(b.Keep, modality.Coalition(1+i%3))
			}
			if err := e.Load(&b); err != nil {
				t.Fatal(err)
			}
			for c := range modality.Coalition(4) {
				dst := make([]float32, rows*3)
				if err := e.Logits(c, dst); err != nil {
					t.Fatal(err)
				}
				all = append(all, dst...)
			}
			sums, additive := e.(interface {
				Parts(parts, bias []float32) error
			})
			if additive != (fusion == "concat") {
				t.Errorf("%s: additive: %t", fusion, additive)
			}
			if additive {
				parts, bias := make([]float32, 2*rows*3), make([]float32, 3)
				if err := sums.Parts(parts, bias); err != nil {
					t.Fatal(err)
				}
				all = append(append(all, parts...), bias...)
				return all
			}
			replaceable := e.(interface {
				Features() ([][]float32, error)
				Replace(features [][]float32) error
			})
			features, err := replaceable.Features()
			if err != nil {
				t.Fatal(err)
			}
			var stand [][]float32
			for _, z := range features {
				all = append(all, z...)
				stand = append(stand, slices.Clone(z[:len(z)/rows]))
			}
			dst := make([]float32, rows*3)
			if err := errors.Join(replaceable.Replace(stand), e.Logits(0b10, dst)); err != nil {
				t.Fatal(err)
			}
			return append(all, dst...)
		}
		for _, rows := range []int{8, 7, 2, 1} {
			want := logits(hostgroup.New(t, 1), rows)
			for _, devices := range []int{2, 3} {
				got := logits(hostgroup.New(t, devices), rows)
				for i, w := range want {
					if !(math.Abs(float64(got[i]-w)) <= 1e-5*math.Max(1, math.Abs(float64(w)))) {
						t.Fatalf("%s, %d rows on %d devices: number %d is %v, want %v", fusion, rows, devices, i, got[i], w)
					}
				}
			}
		}
	}
}
