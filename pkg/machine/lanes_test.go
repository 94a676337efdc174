package machine_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
	"mmtools/pkg/rng"
)

// laner is the CPU with as many lanes as it says, which it knows nothing of: it does things in the order in which it is asked for them.
type laner struct {
	*cpu.Device
	lanes int
}

func (l laner) Lanes() int { return l.lanes }
func (l laner) Lane(int)   {}
func (l laner) Mark(int)   {}
func (l laner) Wait(int)   {}

// networks are small ones of every fusion and of every kind of backbone.
func networks() map[string]network.Spec {
	with := func(fusion, backbone string) network.Spec {
		spec := networktest.LateFusion(backbone, 6)
		spec.Fusion = fusion
		for _, name := range []string{"text", "sensor"} {
			spec.Modalities = append(spec.Modalities, network.Channel{Modality: modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{5}}, Backbone: "mlp:7,6"})
		}
		return spec
	}
	resnet := networktest.AudioVisual("resnet18", []int{33, 35}, []int{2, 3, 33, 33})
	frozen := networktest.AudioVisual("cnn:16,5", []int{9, 8}, []int{2, 3, 9, 8})
	frozen.Modalities[0].Frozen = true
	return map[string]network.Spec{
		"late fusion": networktest.LateFusion("mlp:8", 6), "four modalities": with("concat", "mlp:6"), "sum": with("sum", "mlp:9,6"), "film": with("film", "linear:6"),
		"gated": with("gated:5", "mlp:6"), "attention": with("attention:2:8", "mlp:6"), "resnet18": resnet, "frozen": frozen,
	}
}

// compile plans a training step, with weights and a minibatch of noise, and returns what it gives.
func compile(t *testing.T, d kernel.Device, spec network.Spec, rows int) (*machine.Machine, []*gorgonia.Node) {
	t.Helper()
	g, err := network.Build(spec, rows, true)
	if err != nil {
		t.Fatal(err)
	}
	gradients, err := g.Grads()
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := network.Upload(d, g.Layout.Initialize(1), g.Layout.InitializeBuffers())
	if err != nil {
		t.Fatal(err)
	}
	bound, err := g.Bind(d, tensors)
	if err != nil {
		t.Fatal(err)
	}
	g.Fold(d, bound)
	outputs, inputs := append([]*gorgonia.Node{g.Loss}, gradients...), append([]*gorgonia.Node{g.Keep, g.Label, g.Weight}, g.X...)
	m, err := machine.Compile(d, machine.Program{Rows: rows, Outputs: outputs, Inputs: inputs, Bound: bound})
	if err != nil {
		t.Fatal(err)
	}
	r := rng.Stream(1, "lanes")
	fill := func(n *gorgonia.Node, draw func() float32) {
		values := make([]float32, n.Shape().TotalSize())
		for i := range values {
			values[i] = draw()
		}
		d.Upload(m.Buffer(n), values)
	}
	for _, x := range g.X {
		fill(x, func() float32 { return float32(r.NormFloat64()) })
	}
	fill(g.Keep, func() float32 { return float32(min(1, r.IntN(4))) })
	fill(g.Label, func() float32 { return float32(r.IntN(len(spec.Classes))) })
	fill(g.Weight, r.Float32)
	return m, outputs
}

func results(d kernel.Device, m *machine.Machine, outputs []*gorgonia.Node) (all [][]uint32) {
	for _, n := range outputs {
		values, bits := make([]float32, n.Shape().TotalSize()), []uint32(nil)
		d.Download(values, m.Buffer(n))
		for _, v := range values {
			bits = append(bits, math.Float32bits(v))
		}
		all = append(all, bits)
	}
	return all
}

// In whatever order lanes run what does not wait for each other, the results are those of one lane, to the bit: nothing is read before it is
// there, or from memory that has been given to another value.
func TestLanes(t *testing.T) {
	for name, spec := range networks() {
		t.Run(name, func(t *testing.T) {
			const rows = 5
			if name == "resnet18" && testing.Short() {
				t.Skip("takes longer")
			}
			d, err := cpu.New(1)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			single, outputs := compile(t, d, spec, rows)
			single.Run(rows)
			want := results(d, single, outputs)
			numbers, orders := []int{2, 4, 8}, 6
			if name == "resnet18" {
				numbers, orders = []int{4}, 2 // it takes longer
			}
			for _, lanes := range numbers {
				in := laner{d, lanes}
				m, outputs := compile(t, in, spec, rows)
				all, longest := m.Longest()
				planned, _ := m.Memory()
				alone, unshared := single.Memory()
				t.Logf("%d lanes: %d instructions, %d in a row; %d bytes, in one lane %d, unshared %d", lanes, all, longest, planned, alone, unshared)
				if longest >= all {
					t.Errorf("%d lanes: all of %d instructions wait for each other", lanes, all)
				}
				m.Run(rows)
				if got := results(d, m, outputs); !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%d lanes, as they were asked for: other results than of one lane", lanes)
				}
				for seed := range orders {
					m.RunDrawn(rows, rng.Stream(1, "drawn", seed))
					if got := results(d, m, outputs); !slices.EqualFunc(got, want, slices.Equal) {
						t.Fatalf("%d lanes, order %d: other results than of one lane", lanes, seed)
					}
				}
			}
		})
	}
}
