package valuation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Absence names what stands in for a modality that a coalition lacks.
type Absence string

// The absences. A modality that a sample itself lacks is no player, and its feature is zero whatever the absence.
const (
	ZeroFeature Absence = "zero-feature" // the zero vector after the backbone: published
	MeanFeature Absence = "mean-feature" // the mean feature of the reference samples
	ZeroInput   Absence = "zero-input"   // what the backbone makes of zeros
	MeanInput   Absence = "mean-input"   // what the backbone makes of the mean of the reference samples
	Marginal    Absence = "marginal"     // the modalities of reference samples: v(C) is the mean over draws of them
)

// Absences lists every Absence.
var Absences = []Absence{ZeroFeature, MeanFeature, ZeroInput, MeanInput, Marginal}

// Validate returns an error for a name that is no Absence.
func (a Absence) Validate() error {
	if a == "" || slices.Contains(Absences, a) {
		return nil
	}
	return fmt.Errorf("absence %q: want one of %s", string(a), joined(Absences))
}

// Referring reports whether the absence is made from reference samples.
func (a Absence) Referring() bool { return a == MeanFeature || a == MeanInput || a == Marginal }

// Replacement is what stands in for absent modalities: parts of the logits of an Additive model, features of a Featured one. The head
// of the former is linear, so the part of a mean feature is the mean of the parts, and whatever replaces a modality's input is just
// another part. nil is ZeroFeature.
type Replacement struct {
	Absence Absence
	parts   [][][]float32 // (draws,n,C), or (draws,n,D_p) of features; one draw where nothing is drawn
}

// Draws returns over how many replacements a coalition's value is averaged.
func (r *Replacement) Draws() int {
	if r == nil {
		return 1
	}
	return len(r.parts)
}

// of returns what stands in for modality p in a draw.
func (r *Replacement) of(draw, p int) []float32 { return r.parts[draw][p] }

// NewReplacement computes what stands in for the modalities of model p under an absence: from the samples of reference,
// which fit the model, where the absence refers to some; it is nil otherwise. Marginal keeps draws of the samples that
// have every modality, without replacement: all of them where there are fewer. Every reading goes once through the
// reference, in memory that does not grow with it.
//
// A model that is neither Additive nor Featured has ZeroFeature alone.
func NewReplacement(ctx context.Context, a Absence, p Predictor, reference *schema.SamplesReader, draws int, seed uint64, o Options) (*Replacement, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if a == "" || a == ZeroFeature {
		return nil, nil
	}
	r := &replacer{model: p, n: len(p.Modalities()), rows: p.MaxRows()}
	switch p := p.(type) {
	case Additive:
		r.read = additiveParts(p)
	case Featured:
		r.read = func(*network.Minibatch) ([][]float32, error) { return p.Features() }
	default:
		return nil, fmt.Errorf("absence %s of a model that is not told from its features, want %s", a, ZeroFeature)
	}
	out := &Replacement{Absence: a}
	if a == ZeroInput {
		part, err := r.zeroInput()
		out.parts = [][][]float32{part}
		return out, err
	}
	if reference == nil {
		return nil, fmt.Errorf("absence %s without reference samples", a)
	}
	columns, err := arrange(reference, p, o)
	if err != nil {
		return nil, err
	}
	r.in, r.loader = reference, newLoader(columns, p.Modalities())
	var part [][]float32
	switch a {
	case MeanFeature:
		part, err = r.meanFeature(ctx)
	case MeanInput:
		part, err = r.meanInput(ctx)
	case Marginal:
		if draws < 1 {
			return nil, fmt.Errorf("draws %d: want 1 or more", draws)
		}
		out.parts, err = r.drawn(ctx, newReservoir(draws, rng.Stream(seed, "value", "reference")))
		return out, err
	}
	out.parts = [][][]float32{part}
	return out, err
}

// replacer goes through reference samples.
type replacer struct {
	model   Predictor
	read    func(m *network.Minibatch) ([][]float32, error) // of the loaded minibatch: (Rows,C) parts or (Rows,D_p) features a modality
	n, rows int
	in      *schema.SamplesReader
	loader  *loader
	loaded  network.Minibatch
}

// additiveParts returns how the parts of a minibatch are read, by modality.
func additiveParts(a Additive) func(m *network.Minibatch) ([][]float32, error) {
	n, classes := len(a.Modalities()), len(a.Classes())
	parts, bias := make([]float32, n*a.MaxRows()*classes), make([]float32, classes)
	out := make([][]float32, n)
	return func(m *network.Minibatch) ([][]float32, error) {
		for p := range out {
			out[p] = parts[p*m.Rows*classes:][:m.Rows*classes]
		}
		return out, a.Parts(parts[:n*m.Rows*classes], bias)
	}
}

// each calls visit with every minibatch of the reference and the position of its first row.
func (r *replacer) each(ctx context.Context, visit func(first int64, m *network.Minibatch) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := b.CheckFinite(); err != nil {
			return err
		}
		for from := 0; from < b.Rows(); from += r.rows {
			r.loader.load(&r.loaded, b, from, min(from+r.rows, b.Rows()))
			if err := visit(b.First()+int64(from), &r.loaded); err != nil {
				return err
			}
		}
	}
}

// parts runs the model on a minibatch: (Rows,C) parts or (Rows,D_p) features a modality, borrowed until the next.
func (r *replacer) parts(m *network.Minibatch) ([][]float32, error) {
	if err := r.model.Load(m); err != nil {
		return nil, err
	}
	return r.read(m)
}

// one returns what the model makes of one row of inputs, by modality.
func (r *replacer) one(x [][]float32) ([][]float32, error) {
	m := &network.Minibatch{Rows: 1, X: x, Label: []int32{-1}, Weight: []float32{1}}
	m.Keep = append(m.Keep, modality.All(r.n))
	parts, err := r.parts(m)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, r.n)
	for p, part := range parts {
		if largestBits(part) >= infinityBits {
			return nil, stream.Errorf("what stands in for an absent modality gives logits that are not finite")
		}
		out[p] = slices.Clone(part)
	}
	return out, nil
}

func (r *replacer) zeroInput() ([][]float32, error) {
	var x [][]float32
	for _, m := range r.model.Modalities() {
		x = append(x, make([]float32, m.Size()))
	}
	return r.one(x)
}

// meanInput averages the tensors of each modality over the samples that have it, in sample order and in float64.
func (r *replacer) meanInput(ctx context.Context) ([][]float32, error) {
	sums, have := make([][]float64, r.n), make([]int64, r.n)
	for p, size := range r.loader.sizes {
		sums[p] = make([]float64, size)
	}
	err := r.each(ctx, func(_ int64, m *network.Minibatch) error {
		for p, sum := range sums {
			for row := range m.Rows {
				if m.Keep[row].Has(p) {
					have[p]++
					accumulate(sum, m.X[p][row*len(sum):][:len(sum)])
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x := make([][]float32, r.n)
	for p, sum := range sums {
		if x[p], err = r.mean(p, sum, have[p]); err != nil {
			return nil, err
		}
	}
	return r.one(x)
}

// meanFeature averages the parts, or the features, of each modality over the samples that have it: by linearity the mean part is that
// of the mean feature.
func (r *replacer) meanFeature(ctx context.Context) ([][]float32, error) {
	sums, have := make([][]float64, r.n), make([]int64, r.n)
	err := r.each(ctx, func(_ int64, m *network.Minibatch) error {
		parts, err := r.parts(m)
		if err != nil {
			return err
		}
		for p, part := range parts {
			width := len(part) / m.Rows
			sums[p] = resize(sums[p], width)
			for row := range m.Rows {
				if m.Keep[row].Has(p) {
					have[p]++
					accumulate(sums[p], part[row*width:])
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float32, r.n)
	for p, sum := range sums {
		if out[p], err = r.mean(p, sum, have[p]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *replacer) mean(p int, sum []float64, have int64) ([]float32, error) {
	if have == 0 {
		return nil, stream.Errorf("%s: no reference sample has modality %q", r.in.Name(), r.model.Modalities()[p].Name)
	}
	out := make([]float32, len(sum))
	for k, s := range sum {
		out[k] = float32(s / float64(have))
		if !isFinite(out[k]) {
			return nil, stream.Errorf("%s: the mean of modality %q over the reference samples is not finite", r.in.Name(), r.model.Modalities()[p].Name)
		}
	}
	return out, nil
}

func accumulate(sum []float64, x []float32) {
	x = x[:len(sum)]
	for k, v := range x {
		sum[k] += float64(v)
	}
}
