package cpu

import (
	"fmt"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/dnn"
)

// values returns a buffer's memory, nil for a nil buffer.
func values(b kernel.Buffer) []float32 {
	if b == nil {
		return nil
	}
	return b.(buffer).Host()
}

func norm(p kernel.Norm) dnn.Norm {
	return dnn.Norm{Gamma: values(p.Gamma), Beta: values(p.Beta), Mean: values(p.Mean), InvStd: values(p.InvStd),
		RunningMean: values(p.RunningMean), RunningVar: values(p.RunningVar)}
}

// PrepareConvolutions opens the convolution kernels: a model without convolutions starts none of their threads. It fails where the
// library that the program was built for is not on this machine.
func (d *Device) PrepareConvolutions() error {
	if d.engine != nil {
		return nil
	}
	e, err := dnn.Open(dnn.Options{Threads: d.threads, BF16: d.bf16})
	if err != nil {
		return err
	}
	d.engine = e
	return nil
}

// Narrow is kernel.Narrower's: bf16 keeps maps in it where the engine can.
func (d *Device) Narrow() bool { return d.bf16 && d.images().Narrow() }

// AddMaps is kernel.Narrower's.
func (d *Device) AddMaps(y, a, b kernel.Buffer, n int) {
	d.images().AddMaps(values(y), values(a), values(b), n)
}

// ReLUGradMaps is kernel.Narrower's.
func (d *Device) ReLUGradMaps(dx, dy, y kernel.Buffer, n int) {
	d.images().ReLUGradMaps(values(dx), values(dy), values(y), n)
}

// images returns the convolution kernels, opened now where nobody has.
func (d *Device) images() dnn.Engine {
	if err := d.PrepareConvolutions(); err != nil {
		panic(fmt.Sprintf("cpu: %v", err))
	}
	return d.engine
}

// closeImages frees the convolution kernels, if they were used.
func (d *Device) closeImages() error {
	if d.engine == nil {
		return nil
	}
	err := d.engine.Close()
	d.engine = nil
	return err
}

// standardizePixels is Standardize for channels of several pixels: input data, read once a step.
func standardizePixels(y, x, mean, scale []float32, m, pixels int) {
	at := 0
	for range m {
		for c, mu := range mean {
			s := scale[c]
			out := y[at : at+pixels]
			for i, v := range x[at : at+pixels] {
				out[i] = (v - mu) * s
			}
			at += pixels
		}
	}
}

// Copy writes y = x over n elements.
func (d *Device) Copy(y, x kernel.Buffer, n int) { copy(values(y)[:n], values(x)[:n]) }

// The methods below are kernel.Convolution, which says what each computes.

func (d *Device) Conv(y, x, w kernel.Buffer, n int, c kernel.Conv) {
	d.images().Conv(values(y), values(x), values(w), n, c)
}

func (d *Device) ConvAffine(y, x, w, scale, shift, residual kernel.Buffer, n int, c kernel.Conv, relu bool) {
	d.images().ConvAffine(values(y), values(x), values(w), values(scale), values(shift), values(residual), n, c, relu)
}

func (d *Device) ConvGradInput(dx, dy, w kernel.Buffer, n int, c kernel.Conv) {
	d.images().ConvGradInput(values(dx), values(dy), values(w), n, c)
}

func (d *Device) ConvGradWeight(dw, dy, x kernel.Buffer, n int, c kernel.Conv) {
	d.images().ConvGradWeight(values(dw), values(dy), values(x), n, c)
}

func (d *Device) BatchNorm(y, x, residual kernel.Buffer, p kernel.Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	d.images().BatchNorm(values(y), values(x), values(residual), norm(p), n, i, s, relu)
}

func (d *Device) BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y kernel.Buffer, p kernel.Norm, n int, i kernel.Image, relu bool) {
	d.images().BatchNormGrad(values(dx), values(dresidual), values(dgamma), values(dbeta), values(dy), values(x), values(y), norm(p), n, i, relu)
}

func (d *Device) FoldNorm(scale, shift kernel.Buffer, p kernel.Norm, c int, s kernel.NormStep) {
	dnn.FoldNorm(values(scale), values(shift), norm(p), c, s)
}

func (d *Device) Affine(y, x, scale, shift, residual kernel.Buffer, n int, i kernel.Image, relu bool) {
	d.images().Affine(values(y), values(x), values(scale), values(shift), values(residual), n, i, relu)
}

func (d *Device) MaxPool(y, index, x kernel.Buffer, n int, p kernel.Pool) {
	d.images().MaxPool(values(y), values(index), values(x), n, p)
}

func (d *Device) MaxPoolGrad(dx, dy, index kernel.Buffer, n int, p kernel.Pool) {
	d.images().MaxPoolGrad(values(dx), values(dy), values(index), n, p)
}

func (d *Device) AveragePool(y, x kernel.Buffer, n, frames int, i kernel.Image) {
	d.images().AveragePool(values(y), values(x), n, frames, i)
}

func (d *Device) AveragePoolGrad(dx, dy kernel.Buffer, n, frames int, i kernel.Image) {
	d.images().AveragePoolGrad(values(dx), values(dy), n, frames, i)
}

func (d *Device) Arrange(y, x kernel.Buffer, n int, i kernel.Image) {
	d.images().Arrange(values(y), values(x), n, i)
}

func (d *Device) ArrangePlain(y, x kernel.Buffer, n int, i kernel.Image) {
	d.images().ArrangePlain(values(y), values(x), n, i)
}
