package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
	"mmtools/pkg/op"
)

// models are the cases: widths of 256, 512 and 768 are where Gorgonia's own Concat merges the modalities' gradients.
func models() map[string]Spec {
	channel := func(name string, size int, backbone string) Channel {
		return Channel{Modality: modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{size}}, Backbone: backbone, Standardize: true}
	}
	pair := func(fusion string) Spec {
		return Spec{Fusion: fusion, Classes: []string{"a", "b", "c"}, Modalities: []Channel{channel("audio", 5, "linear:6"), channel("image", 3, "linear:4")}}
	}
	three := func(fusion string) Spec {
		s := pair(fusion)
		s.Modalities = append(s.Modalities, channel("text", 4, "identity"))
		return s
	}
	return map[string]Spec{
		"film":              pair("film"),
		"film, first of 3":  three("film:audio"),
		"gated":             pair("gated:7"),
		"gated, 3":          three("gated:5"),
		"attention":         pair("attention:2:8"),
		"attention, 3":      three("attention:3:6"),
		"attention, 1 of 1": {Fusion: "attention:1:4", Classes: []string{"a", "b"}, Modalities: []Channel{channel("audio", 5, "identity")}},
		"identity":          {Fusion: "concat", Classes: []string{"a", "b", "c"}, Modalities: []Channel{channel("audio", 5, "identity"), channel("image", 3, "identity")}},
		"linear sum":        {Fusion: "sum", Classes: []string{"a", "b"}, Modalities: []Channel{channel("audio", 5, "linear:8"), channel("image", 3, "linear:8")}},
		"256":               {Fusion: "concat", Classes: []string{"a", "b", "c", "d"}, Modalities: []Channel{channel("audio", 6, "mlp:256"), channel("image", 4, "mlp:256")}},
		"512":               {Fusion: "concat", Classes: []string{"a", "b", "c", "d"}, Modalities: []Channel{channel("audio", 6, "mlp:512"), channel("image", 4, "mlp:512"), channel("text", 2, "mlp:512")}},
		"768 and 256":       {Fusion: "concat", Classes: []string{"a", "b", "c", "d"}, Modalities: []Channel{channel("audio", 6, "mlp:768"), channel("image", 4, "mlp:256")}},
		"cnn and temporal": {Fusion: "concat", Classes: []string{"a", "b", "c"}, Modalities: []Channel{
			{Modality: modality.Modality{Name: "video", Kind: modality.Video, Shape: []int{2, 3, 9, 8}}, Backbone: "cnn:16,5", Standardize: true},
			{Modality: modality.Modality{Name: "sensor", Kind: modality.Audio, Shape: []int{16, 11}}, Backbone: "temporal:16,32", Standardize: true}}},
		"resnet18": {Fusion: "concat", Classes: []string{"a", "b", "c"}, Modalities: []Channel{
			{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: []int{33, 35}}, Backbone: "resnet18", Standardize: true},
			{Modality: modality.Modality{Name: "image", Kind: modality.Image, Shape: []int{7}}, Backbone: "linear:6", Standardize: true}}},
		"frozen": {Fusion: "concat", Classes: []string{"a", "b", "c"}, Modalities: []Channel{
			{Modality: modality.Modality{Name: "video", Kind: modality.Video, Shape: []int{2, 3, 9, 8}}, Backbone: "cnn:16,5", Standardize: true, Frozen: true},
			{Modality: modality.Modality{Name: "sensor", Kind: modality.Audio, Shape: []int{16, 11}}, Backbone: "temporal:16,32", Standardize: true}}},
		"dropout":      {Fusion: "concat", Dropout: 0.5, Classes: []string{"a", "b", "c"}, Modalities: []Channel{channel("audio", 5, "mlp:6"), channel("image", 3, "linear:4")}},
		"deep, 1 of 3": {Fusion: "sum", Classes: []string{"a", "b"}, Modalities: []Channel{channel("a1", 6, "mlp:7,9"), channel("a2", 4, "mlp:9"), channel("a3", 9, "identity")}},
	}
}

// bench is a model with random parameters and a random minibatch.
type bench struct {
	graph  *Graph
	grads  gorgonia.Nodes
	values map[*gorgonia.Node][]float32 // every leaf's
}

func newBench(t testing.TB, s Spec, rows int) bench {
	t.Helper()
	g, err := Build(s, rows, true)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := g.Grads()
	if err != nil {
		t.Fatal(err)
	}
	b := bench{graph: g, grads: grads, values: map[*gorgonia.Node][]float32{}}
	r := rand.New(rand.NewPCG(1, 2))
	fill := func(n *gorgonia.Node, draw func() float32) {
		values := make([]float32, n.Shape().TotalSize())
		for i := range values {
			values[i] = draw()
		}
		b.values[n] = values
	}
	normal := func() float32 { return float32(r.NormFloat64()) }
	for _, slot := range append(append([]Slot{}, g.Layout.Params...), g.Layout.Buffers...) {
		fill(g.Param(slot.Name), normal)
	}
	for _, x := range g.X {
		fill(x, normal)
	}
	for _, n := range g.scratches {
		fill(n, normal)
	}
	fill(g.Keep, func() float32 { return float32(r.IntN(2)) })
	fill(g.Label, func() float32 { return float32(r.IntN(len(s.Classes))) })
	fill(g.Weight, r.Float32)
	if g.Drop != nil {
		fill(g.Drop, func() float32 { return float32(2 * r.IntN(2)) })
	}
	return b
}

// tape runs the model in Gorgonia's tape machine and returns the loss and the gradients.
func (b bench) tape(t testing.TB) [][]float32 {
	t.Helper()
	for n, values := range b.values {
		if err := gorgonia.Let(n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(append([]float32{}, values...)))); err != nil {
			t.Fatal(err)
		}
	}
	wanted := append(gorgonia.Nodes{b.graph.Loss}, b.grads...)
	read := make([]gorgonia.Value, len(wanted))
	for i, n := range wanted {
		gorgonia.Read(n, &read[i])
	}
	m := gorgonia.NewTapeMachine(b.graph.graph)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(wanted))
	for i, v := range read {
		switch data := v.Data().(type) {
		case []float32:
			out[i] = data
		case float32:
			out[i] = []float32{data}
		}
	}
	return out
}

// inputs are what a minibatch fills.
func (g *Graph) inputs() []*gorgonia.Node {
	all := append([]*gorgonia.Node{g.Keep, g.Label, g.Weight}, g.X...)
	if g.Drop != nil {
		all = append(all, g.Drop)
	}
	return all
}

// compiled plans the model for a device, with every leaf filled.
func (b bench) compiled(t testing.TB, d kernel.Device, rows int) (*machine.Machine, []*gorgonia.Node) {
	t.Helper()
	bound := map[*gorgonia.Node]kernel.Buffer{}
	for _, slot := range append(append([]Slot{}, b.graph.Layout.Params...), b.graph.Layout.Buffers...) {
		n := b.graph.Param(slot.Name)
		buffer, err := d.Alloc(slot.Size())
		if err != nil {
			t.Fatal(err)
		}
		bound[n] = buffer
	}
	for _, n := range b.graph.scratches {
		buffer, err := d.Alloc(n.Shape().TotalSize())
		if err != nil {
			t.Fatal(err)
		}
		bound[n] = buffer
	}
	wanted := append([]*gorgonia.Node{b.graph.Loss}, b.grads...)
	inputs := b.graph.inputs()
	m, err := machine.Compile(d, machine.Program{Rows: rows, Outputs: wanted, Inputs: inputs, Bound: bound})
	if err != nil {
		t.Fatal(err)
	}
	for n, values := range b.values {
		d.Upload(m.Buffer(n), values)
	}
	return m, wanted
}

// The planned machine and Gorgonia's tape machine run the same kernels on the same graph: they must agree to the rounding
// of a different number of threads.
func TestMachineEqualsTape(t *testing.T) {
	for name, spec := range models() {
		t.Run(name, func(t *testing.T) {
			const rows = 9
			b := newBench(t, spec, rows)
			d := open(t, 2)
			m, wanted := b.compiled(t, d, rows)
			want := b.tape(t)
			for range 2 { // a second run must not depend on what the first left in shared memory
				m.Run(rows)
				for i, n := range wanted {
					got := make([]float32, n.Shape().TotalSize())
					d.Download(got, m.Buffer(n))
					if err := near(got, want[i], 2e-5); err != nil {
						t.Errorf("value %d, shape %v: %v", i, n.Shape(), err)
					}
				}
			}
		})
	}
}

// A minibatch of fewer rows than planned gives what a graph of just that many rows gives.
func TestFewerRows(t *testing.T) {
	for name, spec := range models() {
		t.Run(name, func(t *testing.T) {
			const planned, rows = 9, 4
			big := newBench(t, spec, planned)
			small := newBench(t, spec, rows)
			for _, slot := range append(append([]Slot{}, small.graph.Layout.Params...), small.graph.Layout.Buffers...) {
				copy(small.values[small.graph.Param(slot.Name)], big.values[big.graph.Param(slot.Name)])
			}
			for i, f := range small.graph.folds {
				copy(small.values[f.scale], big.values[big.graph.folds[i].scale])
				copy(small.values[f.shift], big.values[big.graph.folds[i].shift])
			}
			from := big.graph.inputs()
			for i, to := range small.graph.inputs() {
				copy(small.values[to], big.values[from[i]])
			}
			d := open(t, 1)
			m, wanted := big.compiled(t, d, planned)
			m.Run(planned) // leaves every value of the whole minibatch behind
			m.Run(rows)
			for i, want := range small.tape(t) {
				got := make([]float32, len(want))
				d.Download(got, m.Buffer(wanted[i]))
				if err := near(got, want, 2e-5); err != nil {
					t.Errorf("value %d: %v", i, err)
				}
			}
		})
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, name := range []string{"512", "film, first of 3", "gated", "attention, 3", "cnn and temporal", "resnet18"} {
		b := newBench(t, models()[name], 6)
		m, _ := b.compiled(t, open(t, 2), 6)
		if n := testing.AllocsPerRun(4, func() { m.Run(5) }); n != 0 {
			t.Errorf("%s: a run allocates %v times, want none", name, n)
		}
	}
}

// Sharing must pay: the planned arena is smaller than the values' sum.
func TestMemoryIsShared(t *testing.T) {
	b := newBench(t, models()["512"], 64)
	m, _ := b.compiled(t, open(t, 1), 64)
	if planned, unshared := m.Memory(); planned >= unshared {
		t.Errorf("planned %d bytes, %d without sharing", planned, unshared)
	}
}

// In bf16 convolution networks give nearly what they give in float32, a second run what the first gave, and, where the device keeps
// maps in bfloat16, they take little more than half the memory. A program that asks for such maps is refused.
func TestBF16IsNear(t *testing.T) {
	for _, name := range []string{"resnet18", "cnn and temporal", "frozen"} {
		t.Run(name, func(t *testing.T) {
			const rows = 9
			b := newBench(t, models()[name], rows)
			exact := open(t, 2)
			d, err := cpu.Open(cpu.Options{Threads: 2, Precision: kernel.BF16})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			ours, wanted := b.compiled(t, d, rows)
			theirs, _ := b.compiled(t, exact, rows)
			theirs.Run(rows)
			var first []float32
			for range 2 {
				ours.Run(rows)
				var all []float32
				var dot, own, want float64
				for i, n := range wanted {
					got, held := make([]float32, n.Shape().TotalSize()), make([]float32, n.Shape().TotalSize())
					d.Download(got, ours.Buffer(n))
					exact.Download(held, theirs.Buffer(n))
					if i == 0 {
						if err := near(got, held, 0.03); err != nil {
							t.Errorf("loss: %v", err)
						}
					}
					for k := range got {
						dot, own, want = dot+float64(got[k]*held[k]), own+float64(got[k]*got[k]), want+float64(held[k]*held[k])
					}
					all = append(all, got...)
				}
				if cosine := dot / math.Sqrt(own*want); !(cosine > 0.95) {
					t.Errorf("loss and gradients: cosine %.3f to float32's", cosine)
				}
				if first == nil {
					first = all
				} else if err := near(all, first, 0); err != nil {
					t.Errorf("the second run: %v", err)
				}
			}
			if !d.Narrow() {
				return
			}
			gradients := 4 * b.graph.Layout.ParamSize
			_, half := ours.Memory()
			if _, whole := theirs.Memory(); name == "resnet18" && float64(half-gradients) > 0.6*float64(whole-gradients) {
				t.Errorf("values take %d bytes, in float32 %d, of which gradients of parameters %d", half, whole, gradients)
			}
		})
	}
}

// What would give feature maps to somebody else is refused where the device keeps them in bfloat16.
func TestMapsInBF16AreNoOutput(t *testing.T) {
	d, err := cpu.Open(cpu.Options{Threads: 1, Precision: kernel.BF16})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.PrepareConvolutions(); err != nil || !d.Narrow() {
		t.Skip("this device keeps maps in float32")
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 3*8*8), gorgonia.WithName("x"))
	w := gorgonia.NewTensor(g, tensor.Float32, 4, gorgonia.WithShape(16, 3, 3, 3), gorgonia.WithName("w"))
	m, err := op.NewMaps(x, 1, kernel.Image{C: 3, H: 8, W: 8})
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Conv(m, w, 16, kernel.Square(3, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := d.Alloc(16 * 27)
	if err != nil {
		t.Fatal(err)
	}
	_, err = machine.Compile(d, machine.Program{Rows: 2, Outputs: []*gorgonia.Node{y.Node}, Inputs: []*gorgonia.Node{x}, Bound: map[*gorgonia.Node]kernel.Buffer{w: weights}})
	if err == nil || !strings.Contains(err.Error(), "bfloat16") {
		t.Errorf("got %v, want an error that tells of bfloat16", err)
	}
}

// Analytic gradients are held to central differences of the loss in the tape machine's graph, on the smallest models.
func TestGradientsAreDerivatives(t *testing.T) {
	for _, name := range []string{"identity", "linear sum", "film", "film, first of 3", "gated", "gated, 3", "attention", "attention, 3", "dropout"} {
		t.Run(name, func(t *testing.T) {
			const rows = 5
			b := newBench(t, models()[name], rows)
			for _, slot := range b.graph.Layout.Params { // as small as weights are: attention to large ones is a step, with no slope to see
				for i := range b.values[b.graph.Param(slot.Name)] {
					b.values[b.graph.Param(slot.Name)][i] /= 2
				}
			}
			d := open(t, 1)
			m, wanted := b.compiled(t, d, rows)
			loss := func() float64 {
				m.Run(rows)
				out := make([]float32, 1)
				d.Download(out, m.Buffer(b.graph.Loss))
				return float64(out[0])
			}
			m.Run(rows)
			for i, slot := range b.graph.Layout.Params {
				grad := make([]float32, slot.Size())
				m.Run(rows)
				d.Download(grad, m.Buffer(wanted[1+i]))
				values := append([]float32{}, b.values[b.graph.Param(slot.Name)]...)
				buffer := m.Buffer(b.graph.Param(slot.Name))
				for k := range values {
					const h = 1e-2
					old := values[k]
					at := func(x float32) float64 {
						values[k] = x
						d.Upload(buffer, values)
						return loss()
					}
					// Of fourth order: attention bends too much for the two-point difference at a step that float32 can bear.
					want := (8*(at(old+h)-at(old-h)) - (at(old+2*h) - at(old-2*h))) / (12 * h)
					at(old)
					if math.Abs(want-float64(grad[k])) > 1e-3 {
						t.Fatalf("%s[%d]: gradient %v, central difference %v", slot.Name, k, grad[k], want)
					}
				}
			}
		})
	}
}

func open(t testing.TB, threads int) kernel.Device {
	t.Helper()
	d, err := cpu.New(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// near holds got to want, relative to the largest element of want.
func near(got, want []float32, tolerance float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	largest := 1e-6
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	for i := range got {
		if diff := math.Abs(float64(got[i]) - float64(want[i])); !(diff <= tolerance*largest) {
			return fmt.Errorf("element %d: got %v, want %v", i, got[i], want[i])
		}
	}
	return nil
}
