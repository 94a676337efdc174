package op

import "mmtools/pkg/kernel"

// Narrow returns what runs an operation on a device that keeps blocked maps in bfloat16, and whether its result is such maps. in says
// which of its inputs are.
func Narrow(o Op, in []bool) (Op, bool) {
	switch v := o.(type) {
	case conv:
		return o, v.shape.Out().Blocked()
	case convAffine:
		return o, v.shape.Out().Blocked()
	case convGradInput:
		return o, v.shape.In.Blocked()
	case batchNorm:
		return o, v.image.Blocked()
	case batchNormGrad:
		return o, v.image.Blocked()
	case maxPool:
		return o, v.shape.In.Blocked()
	case maxPoolGrad:
		return o, v.shape.In.Blocked()
	case averagePool:
		return o, v.grad && v.image.Blocked()
	case arrange:
		return o, v.image.Blocked()
	case add:
		if in[0] {
			return addMaps{v}, true
		}
	case reluGrad:
		if in[0] {
			return reluGradMaps{v}, true
		}
	}
	return o, false
}

// addMaps is add of maps in bfloat16, on a kernel.Narrower.
type addMaps struct{ add }

func (o addMaps) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.(kernel.Narrower).AddMaps(out, in[0], in[1], rows*o.n)
}

// reluGradMaps is reluGrad of maps in bfloat16, on a kernel.Narrower.
type reluGradMaps struct{ reluGrad }

func (o reluGradMaps) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.(kernel.Narrower).ReLUGradMaps(out, in[0], in[1], rows*o.n)
}
