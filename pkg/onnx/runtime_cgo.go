//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// The runtime is opened once a process, and stays: its threads and allocators do not survive being unloaded.
var runtimeLock sync.Mutex

// openRuntime opens the library, the first of those that Library names which can be opened.
func openRuntime(named string) error {
	runtimeLock.Lock()
	defer runtimeLock.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	paths, err := Library(named)
	if err != nil {
		return err
	}
	var causes []string
	for _, path := range paths {
		ort.SetSharedLibraryPath(path)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err == nil {
			return nil
		} else {
			causes = append(causes, err.Error())
		}
	}
	return libraryError{strings.Join(causes, "; "), howToGet}
}

func sessionOptions(o Options) (*ort.SessionOptions, error) {
	s, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.SetIntraOpNumThreads(o.Threads), s.SetInterOpNumThreads(1))
	if err == nil && o.CUDA {
		err = addCUDA(s)
	}
	if err != nil {
		return nil, errors.Join(err, s.Destroy())
	}
	return s, nil
}

func addCUDA(s *ort.SessionOptions) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err == nil {
		err = s.AppendExecutionProviderCUDA(cuda)
		err = errors.Join(err, cuda.Destroy())
	}
	if err != nil {
		return fmt.Errorf("CUDA: this ONNX Runtime has no working CUDA provider: %w", err)
	}
	return nil
}

var typeNames = map[ort.TensorElementDataType]Type{
	ort.TensorElementDataTypeFloat: Float32, ort.TensorElementDataTypeFloat16: Float16, ort.TensorElementDataTypeDouble: Float64,
	ort.TensorElementDataTypeInt64: Int64, ort.TensorElementDataTypeInt32: Int32, ort.TensorElementDataTypeUint8: Uint8,
}

// inspect returns the ports of the model.
func inspect(path string, o Options) (inputs, outputs []Port, err error) {
	if err := openRuntime(o.Library); err != nil {
		return nil, nil, err
	}
	s, err := ort.NewSessionOptions()
	if err != nil {
		return nil, nil, err
	}
	in, out, err := []ort.InputOutputInfo(nil), []ort.InputOutputInfo(nil), s.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll)
	if err == nil {
		in, out, err = ort.GetInputOutputInfoWithOptions(path, s)
	}
	if err := errors.Join(err, s.Destroy()); err != nil {
		return nil, nil, err
	}
	return ports(in), ports(out), nil
}

func ports(infos []ort.InputOutputInfo) []Port {
	out := make([]Port, len(infos))
	for i, info := range infos {
		out[i] = Port{Name: info.Name, Type: Type(info.OrtValueType.String())}
		if info.OrtValueType == ort.ONNXTypeTensor {
			if out[i].Type = typeNames[info.DataType]; out[i].Type == "" {
				out[i].Type = Type(info.DataType.String())
			}
		}
		for _, d := range info.Dimensions {
			out[i].Shape = append(out[i].Shape, int(max(d, -1)))
		}
	}
	return out
}

// ortSession is a session of the runtime.
type ortSession struct {
	s      *ort.DynamicAdvancedSession
	inputs []bound
	output *bound
}

func load(path string, o Options, inputs []bound, output *bound) (session, error) {
	options, err := sessionOptions(o)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(inputs))
	for i, in := range inputs {
		names[i] = in.port.Name
	}
	s, err := ort.NewDynamicAdvancedSession(path, names, []string{output.port.Name}, options)
	if err := errors.Join(err, options.Destroy()); err != nil {
		return nil, err
	}
	return &ortSession{s: s, inputs: inputs, output: output}, nil
}

func (s *ortSession) close() error { return s.s.Destroy() }

// value makes a tensor of the runtime over elements.
func value(shape []int, elements any) (ort.Value, error) {
	sizes := make(ort.Shape, len(shape))
	for i, d := range shape {
		sizes[i] = int64(d)
	}
	switch e := elements.(type) {
	case []float32:
		return ort.NewTensor(sizes, e)
	case []float64:
		return ort.NewTensor(sizes, e)
	case []int64:
		return ort.NewTensor(sizes, e)
	case []int32:
		return ort.NewTensor(sizes, e)
	case []uint8:
		return ort.NewTensor(sizes, e)
	case []half:
		return ort.NewCustomDataTensor(sizes, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(e))), 2*len(e)),
			ort.TensorElementDataTypeFloat16)
	}
	return nil, fmt.Errorf("elements of %T", elements)
}

func destroy(values []ort.Value) error {
	var err error
	for _, v := range values {
		if v != nil {
			err = errors.Join(err, v.Destroy())
		}
	}
	return err
}

func (s *ortSession) values(inputs []any) ([]ort.Value, error) {
	values := make([]ort.Value, len(inputs))
	for i, elements := range inputs {
		var err error
		if values[i], err = value(s.inputs[i].shape, elements); err != nil {
			return nil, errors.Join(err, destroy(values[:i]))
		}
	}
	return values, nil
}

func (s *ortSession) run(inputs []any, output any) (call, free func() error, err error) {
	in, err := s.values(inputs)
	if err != nil {
		return nil, nil, err
	}
	out, err := value(s.output.shape, output)
	if err != nil {
		return nil, nil, errors.Join(err, destroy(in))
	}
	call = func() error { return s.s.Run(in, []ort.Value{out}) }
	free = func() error { return errors.Join(destroy(in), out.Destroy()) }
	return call, free, nil
}

// probe runs a batch of zeros. The runtime makes the output and so tells its shape; of float16 the binding does not hand over what the
// runtime made, and an output of the right shape must be offered.
func (s *ortSession) probe(inputs []bound) ([]int, error) {
	zeros := make([]any, len(inputs))
	for i, in := range inputs {
		zeros[i] = newElements(in.port.Type, size(in.shape))
	}
	in, err := s.values(zeros)
	if err != nil {
		return nil, err
	}
	shape, err := []int(nil), error(nil)
	if s.output.port.Type == Float16 {
		shape, err = s.probeHalf(in)
	} else {
		shape, err = s.probeAny(in)
	}
	return shape, errors.Join(err, destroy(in))
}

func (s *ortSession) probeAny(in []ort.Value) ([]int, error) {
	out := []ort.Value{nil}
	if err := s.s.Run(in, out); err != nil {
		return nil, err
	}
	var shape []int
	for _, d := range out[0].GetShape() {
		shape = append(shape, int(d))
	}
	return shape, out[0].Destroy()
}

// probeHalf offers outputs whose open axes have sizes that the inputs have; the runtime refuses a wrong one.
func (s *ortSession) probeHalf(in []ort.Value) ([]int, error) {
	var sizes []int
	for _, b := range s.inputs {
		sizes = append(sizes, b.shape[1:]...)
	}
	var causes error
	for _, shape := range candidates(s.output.port.Shape, s.inputs[0].shape[0], sizes) {
		n := size(shape)
		if n < 1 || n > maxElements {
			continue
		}
		out, err := value(shape, newElements(Float16, n))
		if err != nil {
			return nil, err
		}
		err = s.s.Run(in, []ort.Value{out})
		if err := errors.Join(err, out.Destroy()); err == nil {
			return shape, nil
		} else if causes == nil {
			causes = err
		}
	}
	return nil, fmt.Errorf("output %s: its shape does not follow from the inputs', which float16 needs: %w", s.output.port, causes)
}
