package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// modulate is y = gamma * x + beta. modulator (B,2N), which is [gamma, beta], x and y (B,N).
type modulate struct {
	attributes
	n int
}

// Modulate adds feature-wise linear modulation, y = gamma * x + beta, to the graph (Perez et al. 2018, equation 2).
// modulator (B,2N) is [gamma, beta], x and y (B,N).
func Modulate(modulator, x *gorgonia.Node) (*gorgonia.Node, error) {
	n, err := columns("modulate", x)
	if err != nil {
		return nil, err
	}
	return apply(modulate{n: n}, modulator, x)
}

func (o modulate) Arity() int                { return 2 }
func (o modulate) Type() hm.Type             { return signature(matrixType, matrixType, matrixType) }
func (o modulate) String() string            { return fmt.Sprintf("Modulate{%d}", o.n) }
func (o modulate) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o modulate) Hashcode() uint32          { return hashcode(o) }
func (o modulate) InPlace() int              { return 1 }
func (o modulate) DiffWRT(inputs int) []bool { return []bool{true, true} }

func (o modulate) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	modulator, x := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(modulator) != 2 || len(x) != 2 || modulator[0] != x[0] || modulator[1] != 2*o.n || x[1] != o.n {
		return nil, fmt.Errorf("%v: modulator %v, x %v", o, modulator, x)
	}
	return x.Clone(), nil
}

func (o modulate) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[1].Shape().Clone(), in)
}

func (o modulate) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.Modulate(out, in[0], in[1], rows, o.n)
}

// SymDiff gives [dgamma, dbeta] = [dy * x, dy] and dx = dy * gamma.
func (o modulate) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dm, err := apply(modulateGrad{n: o.n, modulator: true}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dx, err := apply(modulateGrad{n: o.n}, dy, in[0])
	return gorgonia.Nodes{dm, dx}, err
}

// modulateGrad is the gradient of x, from dy (B,N) and the modulator (B,2N), or, where modulator is set, that of the
// modulator, from dy and x (B,N).
type modulateGrad struct {
	attributes
	n         int
	modulator bool
}

func (o modulateGrad) Arity() int            { return 2 }
func (o modulateGrad) Type() hm.Type         { return signature(matrixType, matrixType, matrixType) }
func (o modulateGrad) String() string        { return fmt.Sprintf("ModulateGrad{%d,%t}", o.n, o.modulator) }
func (o modulateGrad) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o modulateGrad) Hashcode() uint32      { return hashcode(o) }

// sizes returns the columns of the second input and of the result.
func (o modulateGrad) sizes() (in, out int) {
	if o.modulator {
		return o.n, 2 * o.n
	}
	return 2 * o.n, o.n
}

func (o modulateGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	from, to := o.sizes()
	if _, err := batched(o, in[1], from, to); err != nil {
		return nil, err
	}
	if err := sameRows(o, in); err != nil {
		return nil, err
	}
	return batched(o, in[0], o.n, to)
}

func (o modulateGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	_, to := o.sizes()
	return do(o, tensor.Shape{in[0].Shape()[0], to}, in)
}

func (o modulateGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	if o.modulator {
		d.ModulateGradModulator(out, in[0], in[1], rows, o.n)
		return
	}
	d.ModulateGradInput(out, in[0], in[1], rows, o.n)
}
