package cpu

import (
	"math"
	"path/filepath"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/kernel"
)

// lateFusion is a model of the fixtures, one hidden layer a modality and concatenation, run kernel by kernel.
type lateFusion struct {
	d                   *Device
	c                   *fixture.Training
	x, features, dz     []kernel.Buffer
	widths              []int
	total               int
	params, grads       map[string]kernel.Buffer
	keep, label, weight kernel.Buffer
	z, dfused           kernel.Buffer
	logits, dlogits     kernel.Buffer
	loss, one           kernel.Buffer
}

func newLateFusion(t testing.TB, d *Device, c *fixture.Training) *lateFusion {
	m := &lateFusion{d: d, c: c, params: map[string]kernel.Buffer{}, grads: map[string]kernel.Buffer{}}
	for name, p := range c.Parameters {
		m.params[name], m.grads[name] = upload(t, d, p.Float32), zeros(t, d, len(p.Float32))
	}
	for _, modality := range c.Modalities {
		width := c.Parameters["backbones."+modality.Name+".0.bias"].Shape[0]
		m.x = append(m.x, upload(t, d, c.X[modality.Name].Float32))
		m.features, m.dz = append(m.features, zeros(t, d, c.Rows*width)), append(m.dz, zeros(t, d, c.Rows*width))
		m.widths, m.total = append(m.widths, width), m.total+width
	}
	label := make([]float32, c.Rows)
	for i, l := range c.Label.Int32 {
		label[i] = float32(l)
	}
	m.keep, m.label, m.weight = upload(t, d, c.Keep.Float32), upload(t, d, label), upload(t, d, c.Weight.Float32)
	m.z, m.dfused = zeros(t, d, c.Rows*m.total), zeros(t, d, c.Rows*m.total)
	m.logits, m.dlogits = zeros(t, d, c.Rows*c.Classes), zeros(t, d, c.Rows*c.Classes)
	m.loss, m.one = zeros(t, d, 1), upload(t, d, []float32{1})
	return m
}

// pass computes the loss and every gradient.
func (m *lateFusion) pass() {
	d, rows, classes, n := m.d, m.c.Rows, m.c.Classes, len(m.widths)
	for p, modality := range m.c.Modalities {
		name := "backbones." + modality.Name + ".0"
		d.Linear(m.features[p], m.x[p], m.params[name+".weight"], m.params[name+".bias"], rows, m.widths[p], modality.Size, true)
	}
	d.MaskedConcat(m.z, m.features, m.widths, m.keep, rows)
	d.Linear(m.logits, m.z, m.params["head.weight"], m.params["head.bias"], rows, classes, m.total, false)
	d.SoftmaxCrossEntropy(m.loss, m.logits, m.label, m.weight, rows, classes)
	d.SoftmaxCrossEntropyGrad(m.dlogits, m.logits, m.label, m.weight, m.one, rows, classes)
	d.LinearGradWeight(m.grads["head.weight"], m.dlogits, m.z, rows, classes, m.total)
	d.SumRows(m.grads["head.bias"], m.dlogits, rows, classes)
	d.LinearGradInput(m.dfused, m.dlogits, m.params["head.weight"], rows, classes, m.total)
	from := 0
	for p, modality := range m.c.Modalities {
		name, width := "backbones."+modality.Name+".0", m.widths[p]
		d.MaskedSlice(m.dz[p], m.dfused, m.keep, nil, rows, m.total, from, width, p, n)
		d.ReLUGrad(m.dz[p], m.dz[p], m.features[p], rows*width)
		d.LinearGradWeight(m.grads[name+".weight"], m.dz[p], m.x[p], rows, width, modality.Size)
		d.SumRows(m.grads[name+".bias"], m.dz[p], rows, width)
		from += width
	}
}

// Forward, loss, gradients and ten steps of Adam and SGD equal PyTorch's within 1e-5 of each tensor's largest element.
func TestTorch(t *testing.T) {
	cases, err := fixture.LoadAll(filepath.Join("..", "..", "train", "testdata", "torch"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, c := range cases {
		if c.Name != "concat-256" && c.Name != "concat-512" && c.Name != "concat-768" {
			continue
		}
		for _, d := range engines(t, 2) {
			t.Run(c.Name+", "+d.Engine(), func(t *testing.T) { testTorch(t, d, c) })
		}
		tried++
	}
	if tried != 3 {
		t.Errorf("%d cases, want 3", tried)
	}
}

func testTorch(t *testing.T, d *Device, c *fixture.Training) {
	m := newLateFusion(t, d, c)
	m.pass()
	nearTensor(t, "logits", download(d, m.logits), c.Float32.Logits, 1e-5)
	nearTensor(t, "loss", download(d, m.loss), c.Float32.Loss, 1e-5)
	for name, g := range c.Float32.Gradients {
		nearTensor(t, "gradient of "+name, download(d, m.grads[name]), g, 1e-5)
	}
	for _, run := range c.Training {
		if run.ClipNorm != 0 {
			continue // the norm is over all parameters, which are apart here
		}
		trainTorch(t, newLateFusion(t, d, c), run)
	}
}

func trainTorch(t *testing.T, m *lateFusion, run fixture.Run) {
	d := m.d
	moments := map[string][2]kernel.Buffer{}
	for name, p := range m.params {
		moments[name] = [2]kernel.Buffer{zeros(t, d, p.Len()), zeros(t, d, p.Len())}
	}
	sgd := kernel.SGD{Momentum: run.Momentum, WeightDecay: run.WeightDecay}
	adam := kernel.Adam{Beta1: run.Beta1, Beta2: run.Beta2, Epsilon: run.Epsilon, WeightDecay: run.WeightDecay, Decoupled: run.Optimizer == "adamw"}
	for step := int64(1); step <= int64(run.Steps); step++ {
		m.pass()
		for name, p := range m.params {
			first, second, g := moments[name][0], moments[name][1], m.grads[name]
			if run.Optimizer == "sgd" {
				d.SGD(p, g, first, nil, rates(t, d, sgd.Rates(step, run.LR)), p.Len(), sgd)
				continue
			}
			d.Adam(p, g, first, second, nil, rates(t, d, adam.Rates(step, run.LR)), p.Len(), adam)
		}
	}
	for name, p := range run.Float32.Parameters {
		nearTensor(t, run.Name+": "+name, download(d, m.params[name]), p, 1e-5)
	}
}

// nearTensor fails where got and want differ by more than tolerance times want's largest element.
func nearTensor(t *testing.T, what string, got []float32, want fixture.Tensor, tolerance float64) {
	t.Helper()
	values, sizes, most := want.Values(), make([]float64, len(got)), 0.0
	for _, v := range values {
		most = max(most, math.Abs(v))
	}
	for i := range sizes {
		sizes[i] = most
	}
	near(t, what, got, values, sizes, tolerance)
}
