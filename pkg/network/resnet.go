package network

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/op"
)

// resnet is the residual network of basic blocks (He, Zhang, Ren and Sun, CVPR 2016) up to its global average pooling,
// each frame through the same network and the features averaged: ResNet-18 and -34. Its stem takes the modality's own
// number of channels: 1 for a spectrogram, 3 for a frame, 2 for optical flow (Wei et al., CVPR 2024, section 4). Names are
// torchvision's.
type resnet struct {
	frames int
	image  kernel.Image
	blocks [4]int
}

func parseResNet(s string, m modality.Modality) (backbone, error) {
	t, image, err := frames(m)
	if err != nil {
		return nil, err
	}
	b := resnet{frames: t, image: image}
	switch s {
	case "resnet18":
		b.blocks = [4]int{2, 2, 2, 2}
	case "resnet34":
		b.blocks = [4]int{3, 4, 6, 3}
	default:
		return nil, fmt.Errorf("backbone %q: a resnet takes no widths", s)
	}
	return b, nil
}

func (b resnet) width() int { return 512 }

// basicBlock is two 3x3 convolutions with a residual: the input itself, or, where the shape changes, its 1x1 convolution.
type basicBlock struct {
	first, second unit
	downsample    *unit
}

// stem is the first layer's 7x7 convolution.
func (b resnet) stem(prefix string) unit {
	return unit{conv: prefix + ".conv1", norm: prefix + ".bn1", k: 64, window: kernel.Square(7, 2, 3)}
}

// layers returns the blocks in order.
func (b resnet) layers(prefix string) []basicBlock {
	var all []basicBlock
	in := 64
	for l, n := range b.blocks {
		k := 64 << l
		for i := range n {
			name := fmt.Sprintf("%s.layer%d.%d", prefix, l+1, i)
			stride := 1
			if l > 0 && i == 0 {
				stride = 2
			}
			block := basicBlock{
				first:  unit{conv: name + ".conv1", norm: name + ".bn1", k: k, window: kernel.Square(3, stride, 1)},
				second: unit{conv: name + ".conv2", norm: name + ".bn2", k: k, window: kernel.Square(3, 1, 1)},
			}
			if in != k {
				block.downsample = &unit{conv: name + ".downsample.0", norm: name + ".downsample.1", k: k, window: kernel.Square(1, stride, 0)}
			}
			all, in = append(all, block), k
		}
	}
	return all
}

func (b resnet) declare(l *Layout, prefix string) {
	b.stem(prefix).declare(l, b.image.C)
	in := 64
	for _, block := range b.layers(prefix) {
		block.first.declare(l, in)
		block.second.declare(l, block.first.k)
		if block.downsample != nil {
			block.downsample.declare(l, in)
		}
		in = block.second.k
	}
}

func (b resnet) build(g *Graph, prefix string, input *gorgonia.Node) (*gorgonia.Node, error) {
	x, err := g.maps(input, b.frames, b.image)
	if err != nil {
		return nil, err
	}
	if x, err = b.stem(prefix).build(g, x, nil, true); err != nil {
		return nil, err
	}
	if x, err = g.maxPool(prefix+".maxpool", x, kernel.Square(3, 2, 1)); err != nil {
		return nil, err
	}
	for _, block := range b.layers(prefix) {
		if x, err = block.build(g, x); err != nil {
			return nil, err
		}
	}
	return op.AveragePool(x)
}

func (b basicBlock) build(g *Graph, x op.Maps) (op.Maps, error) {
	identity, err := x, error(nil)
	if b.downsample != nil {
		if identity, err = b.downsample.build(g, x, nil, false); err != nil {
			return op.Maps{}, err
		}
	}
	y, err := b.first.build(g, x, nil, true)
	if err != nil {
		return op.Maps{}, err
	}
	return b.second.build(g, y, &identity, true)
}

// maxPool adds a max pooling, with the scratch for the places of its maxima.
func (g *Graph) maxPool(name string, x op.Maps, window kernel.Window) (op.Maps, error) {
	index := g.scratch(name, x.Node.Shape()[0], op.MaxPoolIndex(x, window))
	y, err := op.MaxPool(x, index, window)
	if err != nil {
		return op.Maps{}, fmt.Errorf("building %s: %w", name, err)
	}
	return y, nil
}
