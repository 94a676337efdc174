package op

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
)

// Op is a Gorgonia operation that a planned machine can run too.
type Op interface {
	gorgonia.Op
	// Run writes the operation's result to out. rows is the number of minibatch rows in use; buffers whose first
	// dimension is the minibatch may be longer.
	Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer)
	// Batched reports whether the result's first dimension is the minibatch, given which inputs' is.
	Batched(in []bool) bool
	// InPlace returns the input that out may share memory with, or -1.
	InPlace() int
}

// Counter is an Op that is measured by its floating-point operations: those of its definition for rows rows, a multiplication and
// an addition counted as two.
type Counter interface{ Flops(rows int) float64 }

// Convolves reports whether an operation runs on a device's kernels for convolution networks.
func Convolves(o Op) bool {
	switch o.(type) {
	case conv, convGradInput, convGradWeight, convAffine, batchNorm, batchNormGrad, maxPool, maxPoolGrad, averagePool:
		return true
	}
	return false
}

// ConvRun returns the convolution that an operation asks of a device for so many rows; false where it asks for none.
func ConvRun(o Op, rows int) (kernel.ConvRun, bool) {
	run := func(p kernel.Pass, c conv) kernel.ConvRun {
		return kernel.ConvRun{Pass: p, N: rows * c.frames, Conv: c.shape}
	}
	switch o := o.(type) {
	case conv:
		return run(kernel.ConvForward, o), true
	case convAffine:
		r := run(kernel.ConvForward, o.conv)
		r.Residual = o.residual
		return r, true
	case convGradInput:
		return run(kernel.ConvBackInput, o.conv), true
	case convGradWeight:
		return run(kernel.ConvBackWeight, o.conv), true
	}
	return kernel.ConvRun{}, false
}

// Orderer is an Op some of whose inputs only say what has to run before it: their values are not read, and their memory may
// be used again by then.
type Orderer interface{ OrderOnly() []int }

// Binder is an Op that slices its buffers, which allocates: Bind returns the operation for one set of inputs, with its slices.
type Binder interface{ Bind(in []kernel.Buffer) Op }

// mutator is an Op that writes to some of its inputs: scratch and running statistics.
type mutator interface{ Mutates() []int }

// Mutates returns the inputs that an operation writes to.
func Mutates(o Op) []int {
	if m, ok := o.(mutator); ok {
		return m.Mutates()
	}
	return nil
}

// attributes gives the methods of gorgonia.Op that all operations here have in common. The tape machine never
// overwrites an input of ours: pkg/machine plans that itself, through InPlace.
type attributes struct{}

func (attributes) ReturnsPtr() bool       { return false }
func (attributes) CallsExtern() bool      { return false }
func (attributes) OverwritesInput() int   { return -1 }
func (attributes) InPlace() int           { return -1 }
func (attributes) Batched(in []bool) bool { return in[0] }

func writeHash(h hash.Hash, s fmt.Stringer) { fmt.Fprint(h, s.String()) }

func hashcode(s fmt.Stringer) uint32 {
	h := fnv.New32a()
	writeHash(h, s)
	return h.Sum32()
}

var (
	scalarType = tensor.Float32
	vectorType = gorgonia.TensorType{Dims: 1, Of: tensor.Float32}
	matrixType = gorgonia.TensorType{Dims: 2, Of: tensor.Float32}
)

// signature builds an operation's type: inputs, then the result.
func signature(types ...hm.Type) hm.Type { return hm.NewFnType(types...) }

// apply adds op to the graph of its inputs, and refuses a node that Gorgonia merged with a different operation.
func apply(op Op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	n, err := gorgonia.ApplyOp(op, in...)
	if err != nil {
		return nil, fmt.Errorf("applying %v: %w", op, err)
	}
	if n.Op().String() != op.String() {
		return nil, fmt.Errorf("applying %v: the graph merged it with %v", op, n.Op())
	}
	return n, nil
}

// host is the device that Do runs on: one thread, shared by all graphs of the process.
var host struct {
	sync.Mutex
	device kernel.Device
}

// do runs op on host memory: the way in for Gorgonia's machines and for tests, not for speed. The minibatch is the
// first dimension of the first input.
func do(op Op, shape tensor.Shape, values []gorgonia.Value) (gorgonia.Value, error) {
	if err := checkArity(op, len(values)); err != nil {
		return nil, err
	}
	host.Lock()
	defer host.Unlock()
	if host.device == nil {
		d, err := cpu.New(1)
		if err != nil {
			return nil, fmt.Errorf("opening the host device: %w", err)
		}
		host.device = d
	}
	d := host.device
	in := make([]kernel.Buffer, len(values))
	for i, v := range values {
		data, err := hostData(v)
		if err != nil {
			return nil, fmt.Errorf("%v: input %d: %w", op, i, err)
		}
		if in[i], err = d.Alloc(len(data)); err != nil {
			return nil, err
		}
		d.Upload(in[i], data)
	}
	if m, ok := op.(mutator); ok {
		// What the operation writes to its inputs has to be read back before the buffers go.
		defer func() {
			for _, i := range m.Mutates() {
				if data, err := hostData(values[i]); err == nil {
					d.Download(data, in[i])
				}
			}
		}()
	}
	result := make([]float32, shape.TotalSize())
	out, err := d.Alloc(len(result))
	if err != nil {
		return nil, err
	}
	op.Run(d, values[0].Shape()[0], out, in)
	d.Download(result, out)
	if shape.IsScalar() {
		return gorgonia.NewF32(result[0]), nil
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(result)), nil
}

func hostData(v gorgonia.Value) ([]float32, error) {
	switch data := v.Data().(type) {
	case []float32:
		return data, nil
	case float32:
		return []float32{data}, nil
	default:
		return nil, fmt.Errorf("got %T, want float32", data)
	}
}

func checkArity(op Op, n int) error {
	if n != op.Arity() {
		return fmt.Errorf("%v: got %d inputs, want %d", op, n, op.Arity())
	}
	return nil
}
