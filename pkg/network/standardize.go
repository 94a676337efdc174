package network

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// A standardized modality has two buffers: y = (x - mean) * scale, element by element before a fully connected backbone,
// channel by channel before one that sees feature maps.

func declareStandardize(l *Layout, c Channel, b backbone) {
	size := c.Size()
	if m, err := c.Seen(); err == nil {
		size = m.Size()
	}
	if isImage(b) {
		size = imageOf(b).C
	}
	place(&l.Buffers, &l.BufferSize, Slot{Name: standardizeName(c.Name) + ".mean", Shape: []int{size}})
	place(&l.Buffers, &l.BufferSize, Slot{Name: standardizeName(c.Name) + ".scale", Shape: []int{size}})
}

// StandardizeSlots returns the two buffers of a standardized modality, and the number of consecutive elements of a
// sample that share one: 1, or a channel's pixels.
func (l Layout) StandardizeSlots(c Channel) (mean, scale Slot, pixels int, err error) {
	b, err := c.backbone()
	if err != nil {
		return Slot{}, Slot{}, 0, err
	}
	pixels = 1
	if isImage(b) {
		image := imageOf(b)
		pixels = image.H * image.W
	}
	for i, s := range l.Buffers {
		if s.Name == standardizeName(c.Name)+".mean" {
			return s, l.Buffers[i+1], pixels, nil
		}
	}
	return Slot{}, Slot{}, 0, fmt.Errorf("modality %q is not standardized", c.Name)
}

func (g *Graph) standardize(c Channel, b backbone, x *gorgonia.Node) (*gorgonia.Node, error) {
	name := standardizeName(c.Name)
	pixels := 1
	if isImage(b) {
		image := imageOf(b)
		pixels = image.H * image.W
	}
	y, err := op.Standardize(x, g.Param(name+".mean"), g.Param(name+".scale"), pixels)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", name, err)
	}
	return y, nil
}

// imageOf returns the shape of an image backbone's frames.
func imageOf(b backbone) kernel.Image {
	switch b := b.(type) {
	case resnet:
		return b.image
	case cnn:
		return b.image
	default:
		panic(fmt.Sprintf("network: backbone %T sees no images", b))
	}
}

// maps views a backbone's plain input, (B,T*C*H*W), as feature maps, laid out as the device keeps them.
func (g *Graph) maps(x *gorgonia.Node, frames int, i kernel.Image) (op.Maps, error) {
	m, err := op.NewMaps(x, frames, i)
	if err != nil || !i.Blocked() {
		return m, err
	}
	return op.Arrange(m)
}
