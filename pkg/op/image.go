package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// Maps is a value that holds feature maps: a matrix (B, Frames*C*H*W), each row the maps of one sample's frames, each map
// laid out as kernel.Image says.
type Maps struct {
	Node   *gorgonia.Node
	Frames int
	Image  kernel.Image
}

// NewMaps views a matrix (B, frames*C*H*W) as feature maps.
func NewMaps(n *gorgonia.Node, frames int, i kernel.Image) (Maps, error) {
	if s := n.Shape(); len(s) != 2 || s[1] != frames*i.Size() || frames < 1 {
		return Maps{}, fmt.Errorf("feature maps: matrix of shape %v for %d frames of %v", s, frames, i)
	}
	return Maps{Node: n, Frames: frames, Image: i}, nil
}

// like returns n as maps of another shape, of as many frames.
func (m Maps) like(n *gorgonia.Node, i kernel.Image) Maps {
	return Maps{Node: n, Frames: m.Frames, Image: i}
}

// weightType is the type of a convolution's weights, (K,C,KH,KW).
var weightType = gorgonia.TensorType{Dims: 4, Of: tensor.Float32}

// batched returns the shape (B, columns) for an input of shape (B, want), and an error for one of another width.
func batched(o fmt.Stringer, in gorgonia.DimSizer, want, columns int) (tensor.Shape, error) {
	s := in.(tensor.Shape)
	if len(s) != 2 || s[1] != want {
		return nil, fmt.Errorf("%v: input of shape %v, want (B,%d)", o, s, want)
	}
	return tensor.Shape{s[0], columns}, nil
}

// sameRows returns an error where the inputs are not of the same number of rows.
func sameRows(o fmt.Stringer, in []gorgonia.DimSizer) error {
	for _, other := range in[1:] {
		if other.(tensor.Shape)[0] != in[0].(tensor.Shape)[0] {
			return fmt.Errorf("%v: inputs of other rows: %v", o, in)
		}
	}
	return nil
}

// sized returns an error for an input that has not n elements.
func sized(o fmt.Stringer, in gorgonia.DimSizer, what string, n int) error {
	if s := in.(tensor.Shape); s.TotalSize() != n {
		return fmt.Errorf("%v: %s of shape %v, want %d elements", o, what, s, n)
	}
	return nil
}
