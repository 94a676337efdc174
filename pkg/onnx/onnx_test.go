//go:build cgo

package onnx

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mmtools/internal/onnxfixture"
)

// dense is max(0, x W + b) of x (N,4), W (4,3).
var dense = onnxfixture.Model{
	Inputs:  []onnxfixture.Value{{Name: "x", Type: onnxfixture.Float, Dims: []int{-1, 4}}},
	Outputs: []onnxfixture.Value{{Name: "y", Type: onnxfixture.Float, Dims: []int{-1, 3}}},
	Nodes: []onnxfixture.Node{
		{Op: "MatMul", Inputs: []string{"x", "W"}, Outputs: []string{"p"}},
		{Op: "Add", Inputs: []string{"p", "b"}, Outputs: []string{"s"}},
		{Op: "Relu", Inputs: []string{"s"}, Outputs: []string{"y"}}},
	Weights: []onnxfixture.Weight{{Name: "W", Dims: []int{4, 3}, Data: []float32{1, -2, 0.5, 3, 0.25, -1, -0.5, 2, 4, 1.5, -3, 0.125}},
		{Name: "b", Dims: []int{3}, Data: []float32{0.1, -0.2, 0.3}}},
}

// denseOf is dense in plain Go.
func denseOf(x []float32) []float32 {
	w, b := dense.Weights[0].Data, dense.Weights[1].Data
	y := make([]float32, 3)
	for j := range y {
		sum := float64(b[j])
		for i, v := range x {
			sum += float64(v) * float64(w[i*3+j])
		}
		y[j] = float32(max(sum, 0))
	}
	return y
}

func open(t *testing.T, m onnxfixture.Model) *Model {
	t.Helper()
	library := onnxfixture.Library(t)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	model, err := Open(path, Options{Library: library})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func encoder(t *testing.T, m onnxfixture.Model, p Plan) *Encoder {
	t.Helper()
	e, err := open(t, m).Encoder(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func runner(t *testing.T, e *Encoder) *Runner {
	t.Helper()
	r, err := e.NewRunner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// encode runs samples, each a slice per input, and returns their embeddings.
func encode(t *testing.T, e *Encoder, samples ...[]any) [][]float32 {
	t.Helper()
	r := runner(t, e)
	var out [][]float32
	for first := 0; first < len(samples); first += e.Batch() {
		part := samples[first:min(first+e.Batch(), len(samples))]
		for row, inputs := range part {
			for i, x := range inputs {
				if err := r.Put(i, row, x); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := r.Run(len(part)); err != nil {
			t.Fatal(err)
		}
		for row := range part {
			y := make([]float32, size(e.Shape()))
			r.Take(row, y)
			out = append(out, y)
		}
	}
	return out
}

func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x)-float64(y)) <= 1e-5 })
}

func TestDenseEqualsGo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var samples [][]any
	for range 21 {
		x := make([]float32, 4)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		samples = append(samples, []any{x})
	}
	fixed := dense
	fixed.Inputs = []onnxfixture.Value{{Name: "x", Type: onnxfixture.Float, Dims: []int{5, 4}}}
	fixed.Outputs = []onnxfixture.Value{{Name: "y", Type: onnxfixture.Float, Dims: []int{5, 3}}}
	for name, c := range map[string]struct {
		model onnxfixture.Model
		batch int // asked for
		want  int
	}{"batch of its own": {fixed, 0, 5}, "default": {dense, 0, DefaultBatch}, "one": {dense, 1, 1}, "seven": {dense, 7, 7}} {
		e := encoder(t, c.model, Plan{Inputs: []Input{{Shape: []int{4}}}, Batch: c.batch, Mask: -1})
		if e.Batch() != c.want || !slices.Equal(e.Shape(), []int{3}) {
			t.Errorf("%s: batch %d of %v", name, e.Batch(), e.Shape())
		}
		for i, got := range encode(t, e, samples...) {
			if want := denseOf(samples[i][0].([]float32)); !near(got, want) {
				t.Errorf("%s: sample %d: got %v, want %v", name, i, got, want)
			}
		}
	}
}

// TestRowsAlone: a sample's embedding is the same to the bit wherever it stands in a batch and whatever else does.
func TestRowsAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const in, out = 64, 33
	m := onnxfixture.Model{
		Inputs:  []onnxfixture.Value{{Name: "x", Type: onnxfixture.Float, Dims: []int{-1, in}}},
		Outputs: []onnxfixture.Value{{Name: "y", Type: onnxfixture.Float, Dims: []int{-1, out}}},
		Nodes:   []onnxfixture.Node{{Op: "MatMul", Inputs: []string{"x", "W"}, Outputs: []string{"y"}}},
		Weights: []onnxfixture.Weight{{Name: "W", Dims: []int{in, out}, Data: normal(random, in*out)}}}
	e := encoder(t, m, Plan{Inputs: []Input{{Shape: []int{in}}}, Mask: -1})
	var samples [][]any
	for range 40 {
		samples = append(samples, []any{normal(random, in)})
	}
	all := encode(t, e, samples...)
	var wait sync.WaitGroup
	for from := range 17 {
		r := runner(t, e)
		wait.Go(func() { // runners of one encoder at once
			for k := from; k < len(samples); k += 5 {
				if err := r.Put(0, 0, samples[k][0]); err != nil {
					t.Error(err)
				}
				if err := r.Run(1); err != nil {
					t.Error(err)
				}
				y := make([]float32, out)
				if r.Take(0, y); !slices.Equal(y, all[k]) {
					t.Errorf("sample %d alone differs", k)
				}
			}
		})
	}
	wait.Wait()
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// lookup gathers (N,T,2) rows of a table by ids (N,T), its mask unused but there.
var lookup = onnxfixture.Model{
	Inputs: []onnxfixture.Value{{Name: "input_ids", Type: onnxfixture.Int64, Dims: []int{-1, -1}},
		{Name: "attention_mask", Type: onnxfixture.Int64, Dims: []int{-1, -1}}},
	Outputs: []onnxfixture.Value{{Name: "mask_out", Type: onnxfixture.Int64, Dims: []int{-1, -1}},
		{Name: "last_hidden_state", Type: onnxfixture.Float, Dims: []int{-1, -1, 2}}},
	Nodes: []onnxfixture.Node{{Op: "Gather", Inputs: []string{"table", "input_ids"}, Outputs: []string{"last_hidden_state"}},
		{Op: "Identity", Inputs: []string{"attention_mask"}, Outputs: []string{"mask_out"}}},
	Weights: []onnxfixture.Weight{{Name: "table", Dims: []int{4, 2}, Data: []float32{0, 100, 1, 10, 2, 20, 3, 30}}},
}

func TestSequencePooled(t *testing.T) {
	ids, mask := []int64{3, 1, 2, 0}, []int64{1, 1, 1, 0}
	// By hand: rows 3, 1, 2 of the table and the padding, row 0.
	for _, c := range []struct {
		pool  Pool
		mask  int
		shape []int
		want  []float32
	}{
		{Mean, 0, []int{2}, []float32{2, 20}},
		{Mean, -1, []int{2}, []float32{1.5, 40}},
		{First, -1, []int{2}, []float32{3, 30}},
		{NoPool, -1, []int{4, 2}, []float32{3, 30, 1, 10, 2, 20, 0, 100}},
		{Spatial, -1, []int{4}, []float32{16.5, 5.5, 11, 50}},
	} {
		p := Plan{Inputs: []Input{{Name: "attention_mask", Shape: []int{4}}, {Shape: []int{4}}}, Output: "last_hidden_state",
			Pool: c.pool, Mask: c.mask}
		e := encoder(t, lookup, p)
		if !slices.Equal(e.Shape(), c.shape) {
			t.Errorf("%s: shape %v, want %v", c.pool, e.Shape(), c.shape)
		}
		if got := encode(t, e, []any{mask, ids}, []any{mask, ids})[1]; !near(got, c.want) {
			t.Errorf("pool %q, mask %d: got %v, want %v", c.pool, c.mask, got, c.want)
		}
	}
}

func TestElementTypes(t *testing.T) {
	half := onnxfixture.Model{
		Inputs:  []onnxfixture.Value{{Name: "x", Type: onnxfixture.Float16, Dims: []int{-1, 1, -1}}},
		Outputs: []onnxfixture.Value{{Name: "y", Type: onnxfixture.Float16, Dims: []int{-1, 1, -1}}},
		Nodes:   []onnxfixture.Node{{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}}}}
	got := encode(t, encoder(t, half, Plan{Inputs: []Input{{Shape: []int{5}}}, Mask: -1}), []any{[]float32{-1, 0.5, 1.0 / 3, 65504, 0x1p-24}})
	if want := []float32{0, 0.5, 0.33325195, 65504, 0x1p-24}; !slices.Equal(got[0], want) { // 1/3 to the nearest of eleven bits
		t.Errorf("float16: got %v, want %v", got[0], want)
	}
	bytes := onnxfixture.Model{
		Inputs:  []onnxfixture.Value{{Name: "x", Type: onnxfixture.Uint8, Dims: []int{-1, 2, 2, 3}}},
		Outputs: []onnxfixture.Value{{Name: "y", Type: onnxfixture.Float, Dims: []int{-1, 3}}},
		Nodes: []onnxfixture.Node{{Op: "Cast", Inputs: []string{"x"}, Outputs: []string{"f"}, Int: map[string]int{"to": onnxfixture.Float}},
			{Op: "ReduceMean", Inputs: []string{"f"}, Outputs: []string{"y"}, Ints: map[string][]int{"axes": {1, 2}}, Int: map[string]int{"keepdims": 0}}}}
	e := encoder(t, bytes, Plan{Inputs: []Input{{Shape: []int{2, 2, 3}}}, Mask: -1})
	got = encode(t, e, []any{[]uint8{0, 1, 2, 4, 5, 6, 8, 9, 10, 255, 13, 14}})
	if want := []float32{66.75, 7, 8}; !slices.Equal(got[0], want) {
		t.Errorf("uint8: got %v, want %v", got[0], want)
	}
	if err := runner(t, e).Put(0, 0, make([]float32, 12)); err == nil {
		t.Error("float32 went into uint8")
	}
	if err := runner(t, e).Put(0, 0, append(make([]int64, 11), 256)); err == nil {
		t.Error("256 went into uint8")
	}
}

func TestPlansRefused(t *testing.T) {
	model := open(t, lookup)
	mask, ids := Input{Name: "attention_mask", Shape: []int{4}}, Input{Name: "input_ids", Shape: []int{4}}
	for name, c := range map[string]struct {
		plan Plan
		want string
	}{
		"no such input":  {Plan{Inputs: []Input{{Name: "pixels", Shape: []int{4}}}}, `no input "pixels": it has "input_ids" int64[?,?], "attention_mask" int64[?,?]`},
		"no such output": {Plan{Inputs: []Input{mask, ids}, Output: "z"}, `no output "z": it has "mask_out" int64[?,?], "last_hidden_state" float32[?,?,2]`},
		"one left":       {Plan{Inputs: []Input{ids}}, `nothing to put into the model's input "attention_mask"`},
		"too many axes":  {Plan{Inputs: []Input{{Name: "input_ids", Shape: []int{4, 2}}, mask}}, `takes no samples of [4 2]`},
		"twice":          {Plan{Inputs: []Input{ids, ids}}, `input "input_ids" twice`},
		"no sequence":    {Plan{Inputs: []Input{ids, mask}, Pool: Mean, Mask: -1}, `pooling mean wants an output of (positions, width)`},
		"unknown pool":   {Plan{Inputs: []Input{ids, mask}, Pool: "max", Mask: -1}, `pooling "max"`},
	} {
		_, err := model.Encoder(c.plan)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestModelsRefused(t *testing.T) {
	o := Options{Library: onnxfixture.Library(t)}
	folder := t.TempDir()
	whole := dense.Bytes()
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("not a model"), "cut": whole[:len(whole)/2]} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, o); err == nil || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(folder, "absent.onnx"), o); err == nil {
		t.Error("absent: no error")
	}
	o.CUDA = true
	path := filepath.Join(folder, "dense.onnx")
	if err := os.WriteFile(path, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := m.Encoder(Plan{Inputs: []Input{{Shape: []int{4}}}, Mask: -1}); err == nil {
		_ = e.Close() // this runtime has CUDA
	} else if !strings.Contains(err.Error(), "CUDA") {
		t.Errorf("CUDA: got %v", err)
	}
}
