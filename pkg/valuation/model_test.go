package valuation

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// linear is an additive model: each part is a matrix times the modality's tensor.
type linear struct {
	modalities []modality.Modality
	classes    []string
	weight     [][]float32 // (C,size) a modality
	bias       []float32
	rows       int
	loaded     *network.Minibatch
}

func (l *linear) Modalities() []modality.Modality { return l.modalities }
func (l *linear) Classes() []string               { return l.classes }
func (l *linear) MaxRows() int                    { return l.rows }

func (l *linear) Load(b *network.Minibatch) error {
	if b.Rows < 1 || b.Rows > l.rows {
		return fmt.Errorf("%d rows, want 1 to %d", b.Rows, l.rows)
	}
	l.loaded = b
	return nil
}

// part returns modality p's logits of tensor x.
func (l *linear) part(p int, x []float32) []float32 {
	out := make([]float32, len(l.bias))
	for c := range out {
		for k, v := range x {
			out[c] += l.weight[p][c*len(x)+k] * v
		}
	}
	return out
}

func (l *linear) x(p, r int) []float32 {
	size := l.modalities[p].Size()
	return l.loaded.X[p][r*size:][:size]
}

func (l *linear) Parts(parts, bias []float32) error {
	copy(bias, l.bias)
	for p := range l.modalities {
		for r := range l.loaded.Rows {
			part := l.part(p, l.x(p, r))
			if !l.loaded.Keep[r].Has(p) {
				part = slices.Repeat([]float32{float32(math.NaN())}, len(part)) // not to be looked at
			}
			copy(parts[(p*l.loaded.Rows+r)*len(bias):], part)
		}
	}
	return nil
}

func (l *linear) Logits(c modality.Coalition, dst []float32) error {
	for r := range l.loaded.Rows {
		row := dst[r*len(l.bias):][:len(l.bias)]
		copy(row, l.bias)
		for p := range (c & l.loaded.Keep[r]).Members() {
			for k, v := range l.part(p, l.x(p, r)) {
				row[k] += v
			}
		}
	}
	return nil
}

// opaque hides that a model is additive.
type opaque struct{ Predictor }

// featured hides that a model is additive, and has the modalities' tensors for features.
type featured struct {
	opaque
	m     *linear
	stand [][]float32
}

func newFeatured(m *linear) *featured { return &featured{opaque: opaque{m}, m: m} }

func (f *featured) Features() ([][]float32, error) {
	var out [][]float32
	for p, mod := range f.m.modalities {
		out = append(out, f.m.loaded.X[p][:f.m.loaded.Rows*mod.Size()])
	}
	return out, nil
}

func (f *featured) Replace(features [][]float32) error {
	f.stand = features
	return nil
}

func (f *featured) Logits(c modality.Coalition, dst []float32) error {
	if f.stand == nil {
		return f.opaque.Logits(c, dst)
	}
	for r := range f.m.loaded.Rows {
		row := dst[r*len(f.m.bias):][:len(f.m.bias)]
		copy(row, f.m.bias)
		for p := range f.m.loaded.Keep[r].Members() {
			x := f.stand[p]
			if c.Has(p) {
				x = f.m.x(p, r)
			}
			for k, v := range f.m.part(p, x) {
				row[k] += v
			}
		}
	}
	return nil
}

// samples are rows in memory; a row's tensor is nil where it lacks the modality.
type samples struct {
	schema.Samples
	rows []schema.Sample
}

func (s samples) reader(t testing.TB) *schema.SamplesReader {
	t.Helper()
	var b bytes.Buffer
	w, err := schema.NewSamplesWriter(&b, s.Samples)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range s.rows {
		if err := w.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := stream.NewReader(&b, stream.WithName("samples.arrows"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// float32s returns a row's tensor as the model sees it.
func float32s(x any) []float32 {
	switch x := x.(type) {
	case []float32:
		return x
	case []uint8:
		out := make([]float32, len(x))
		for k, v := range x {
			out[k] = float32(v)
		}
		return out
	}
	return nil
}

// random makes a model of n modalities and rows samples for it, some without some modality. The samples hold the
// modalities in another order than the model, every other one as bytes.
func random(r *rand.Rand, n, classes, rows int) (*linear, samples) {
	m := &linear{rows: 16}
	var s samples
	s.Header = schema.Header{Kind: schema.KindSamples, Tool: "test"}
	for c := range classes {
		m.classes = append(m.classes, fmt.Sprint("class", c))
		m.bias = append(m.bias, float32(r.NormFloat64()))
	}
	for p := range n {
		mod := modality.Modality{Name: fmt.Sprint("m", p), Kind: modality.Embedding, Shape: []int{1 + p%3, 2}}
		m.modalities = append(m.modalities, mod)
		w := make([]float32, classes*mod.Size())
		for k := range w {
			w[k] = float32(r.NormFloat64())
		}
		m.weight = append(m.weight, w)
		s.Modalities = append([]modality.Modality{mod}, s.Modalities...) // reversed
		dtype := schema.Float32
		if p%2 == 1 {
			dtype = schema.Uint8
		}
		s.DTypes = append([]schema.DType{dtype}, s.DTypes...)
	}
	s.Classes = m.classes
	for row := range rows {
		sample := schema.Sample{ID: fmt.Sprint("s", row), Label: int32(r.IntN(classes))}
		for column, mod := range s.Modalities {
			if r.IntN(6) == 0 {
				sample.Tensors = append(sample.Tensors, nil)
			} else if s.DTypes[column] == schema.Uint8 {
				x := make([]uint8, mod.Size())
				for k := range x {
					x[k] = uint8(r.IntN(4))
				}
				sample.Tensors = append(sample.Tensors, x)
			} else {
				x := make([]float32, mod.Size())
				for k := range x {
					x[k] = float32(r.NormFloat64())
				}
				sample.Tensors = append(sample.Tensors, x)
			}
		}
		s.rows = append(s.rows, sample)
	}
	return m, s
}

// outcome is what the reference finds of one sample.
type outcome struct {
	prediction int
	right      []bool
	phi        []float64
}

// reference values one sample slowly: the logits of every coalition by themselves, and the marginal contributions
// averaged over all orders of the modalities that the sample has, in rational numbers.
func reference(m *linear, s samples, row int) outcome {
	n, sample := len(m.modalities), s.rows[row]
	parts := make([][]float32, n)
	var players []int
	for p := range n {
		if x := float32s(sample.Tensors[n-1-p]); x != nil {
			parts[p] = m.part(p, x)
			players = append(players, p)
		}
	}
	logits := func(c int) []float32 {
		out := slices.Clone(m.bias)
		for _, p := range players {
			if c>>p&1 == 1 {
				for k := range out {
					out[k] += parts[p][k]
				}
			}
		}
		return out
	}
	o := outcome{prediction: firstMax(logits(1<<n - 1)), right: make([]bool, 1<<n), phi: slices.Repeat([]float64{math.NaN()}, n)}
	for c := range o.right {
		o.right[c] = firstMax(logits(c)) == int(sample.Label)
	}
	sums, orders := make([]int64, n), int64(0)
	var join func(c, value, size int, marginal []int64)
	join = func(c, value, size int, marginal []int64) {
		if size == len(players) {
			orders++
			for p, x := range marginal {
				sums[p] += x
			}
			return
		}
		for _, p := range players {
			if c>>p&1 == 1 {
				continue
			}
			next := 0
			if o.right[c|1<<p] {
				next = size + 1
			}
			marginal[p] = int64(next - value)
			join(c|1<<p, next, size+1, marginal)
		}
	}
	join(0, 0, 0, make([]int64, n))
	for _, p := range players {
		o.phi[p], _ = big.NewRat(sums[p], orders).Float64()
	}
	return o
}

// same reports whether a and b are the same numbers, NaN included.
func same(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || x != x && y != y })
}
