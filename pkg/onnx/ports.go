package onnx

import (
	"fmt"
	"strconv"
	"strings"
)

// Type is the element type of a tensor.
type Type string

// The element types of inputs and outputs that are supported.
const (
	Float32 Type = "float32"
	Float16 Type = "float16"
	Float64 Type = "float64"
	Int64   Type = "int64"
	Int32   Type = "int32"
	Uint8   Type = "uint8"
)

// Port is an input or an output of a model.
type Port struct {
	Name  string
	Type  Type  // another type's name where it is not supported
	Shape []int // -1 for a size that the model leaves open
}

// String is the port as messages show it: "pixels" float32[?,3,224,224].
func (p Port) String() string {
	sizes := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		sizes[i] = "?"
		if d >= 0 {
			sizes[i] = strconv.Itoa(d)
		}
	}
	return fmt.Sprintf("%q %s[%s]", p.Name, p.Type, strings.Join(sizes, ","))
}

func list(ports []Port) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// find returns the port of that name, the first one of all for "".
func find(ports []Port, what, name string) (Port, error) {
	for _, p := range ports {
		if p.Name == name || name == "" {
			return p, p.check(what)
		}
	}
	if len(ports) == 0 {
		return Port{}, fmt.Errorf("the model has no %s", what)
	}
	return Port{}, fmt.Errorf("the model has no %s %q: it has %s", what, name, list(ports))
}

func (p Port) check(what string) error {
	if newElements(p.Type, 0) == nil {
		return fmt.Errorf("%s %s: want a tensor of float32, float16, float64, int64, int32 or uint8", what, p)
	}
	return nil
}
