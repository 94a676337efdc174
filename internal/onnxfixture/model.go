// Package onnxfixture writes small ONNX models, protobuf by hand, and finds the ONNX Runtime that scripts/onnxruntime fetches. Only
// tests import it. Field numbers are those of onnx.proto (opset 13).
package onnxfixture

import (
	"encoding/binary"
	"math"
)

// Element types of onnx.proto.
const (
	Float   = 1
	Uint8   = 2
	Int64   = 7
	Float16 = 10
)

// Value is an input or output. A size below 0 is left open.
type Value struct {
	Name string
	Type int
	Dims []int
}

// Weight is a float32 tensor of the model.
type Weight struct {
	Name string
	Dims []int
	Data []float32
}

// Node is an operation. Attributes are whole numbers, or lists of them.
type Node struct {
	Op      string
	Inputs  []string
	Outputs []string
	Ints    map[string][]int
	Int     map[string]int
}

// Model is a graph.
type Model struct {
	Inputs, Outputs []Value
	Nodes           []Node
	Weights         []Weight
}

// Bytes lays the model out as a ModelProto.
func (m Model) Bytes() []byte {
	var graph []byte
	for _, n := range m.Nodes {
		graph = field(graph, 1, n.bytes())
	}
	graph = field(graph, 2, []byte("test"))
	for _, w := range m.Weights {
		graph = field(graph, 5, w.bytes())
	}
	for _, v := range m.Inputs {
		graph = field(graph, 11, v.bytes())
	}
	for _, v := range m.Outputs {
		graph = field(graph, 12, v.bytes())
	}
	model := number(nil, 1, 8) // ir_version
	model = field(model, 7, graph)
	return field(model, 8, number(nil, 2, 13)) // opset_import
}

func (n Node) bytes() []byte {
	var b []byte
	for _, name := range n.Inputs {
		b = field(b, 1, []byte(name))
	}
	for _, name := range n.Outputs {
		b = field(b, 2, []byte(name))
	}
	b = field(b, 4, []byte(n.Op))
	for name, v := range n.Int {
		b = field(b, 5, number(number(field(nil, 1, []byte(name)), 3, v), 20, 2))
	}
	for name, list := range n.Ints {
		a := field(nil, 1, []byte(name))
		for _, v := range list {
			a = number(a, 8, v)
		}
		b = field(b, 5, number(a, 20, 7))
	}
	return b
}

func (w Weight) bytes() []byte {
	var b, data []byte
	for _, d := range w.Dims {
		b = number(b, 1, d)
	}
	for _, v := range w.Data {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return field(field(number(b, 2, Float), 8, []byte(w.Name)), 9, data)
}

func (v Value) bytes() []byte {
	var shape []byte
	for i, d := range v.Dims {
		dim := number(nil, 1, d)
		if d < 0 {
			dim = field(nil, 2, []byte(string(rune('a'+i))))
		}
		shape = field(shape, 1, dim)
	}
	tensor := field(number(nil, 1, v.Type), 2, shape)
	return field(field(nil, 1, []byte(v.Name)), 2, field(nil, 1, tensor))
}

// field appends a field of bytes.
func field(b []byte, number int, value []byte) []byte {
	b = binary.AppendUvarint(b, uint64(number)<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

// number appends a field of a whole number.
func number(b []byte, number, value int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(number)<<3), uint64(value))
}
