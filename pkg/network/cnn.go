package network

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/op"
)

// cnn is a small convolution network: a layer a width, each a convolution, a batch normalisation, ReLU and a max pooling
// by 2 while the maps are larger than that; then the mean over pixels and frames.
//
//	cnn:C1,C2,...       3x3 over (H,W), (C,H,W) or (T,C,H,W)
//	temporal:C1,C2,...  5 steps over time: (H,W) is H channels of W steps, as a spectrogram (mels, frames) or sensors
type cnn struct {
	frames   int
	image    kernel.Image
	widths   []int
	temporal bool
}

func parseCNN(s, kind, arg string, m modality.Modality) (backbone, error) {
	widths, err := parseWidths(s, arg)
	if err != nil {
		return nil, err
	}
	b := cnn{widths: widths, temporal: kind == "temporal"}
	if b.temporal {
		if len(m.Shape) != 2 {
			return nil, fmt.Errorf("shape %v: backbone %q takes (channels, steps)", m.Shape, s)
		}
		b.frames, b.image = 1, kernel.Image{C: m.Shape[0], H: 1, W: m.Shape[1]}
		return b, nil
	}
	b.frames, b.image, err = frames(m)
	return b, err
}

func (b cnn) width() int { return b.widths[len(b.widths)-1] }

// units returns the convolutions in order, named as in torch.nn.Sequential(Sequential(conv, norm, relu, pool), ...).
func (b cnn) units(prefix string) []unit {
	window := kernel.Square(3, 1, 1)
	if b.temporal {
		window = kernel.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 1, PadW: 2}
	}
	var all []unit
	for i, k := range b.widths {
		name := fmt.Sprintf("%s.%d", prefix, i)
		all = append(all, unit{conv: name + ".0", norm: name + ".1", k: k, window: window})
	}
	return all
}

func (b cnn) declare(l *Layout, prefix string) {
	in := b.image.C
	for _, u := range b.units(prefix) {
		u.declare(l, in)
		in = u.k
	}
}

func (b cnn) build(g *Graph, prefix string, input *gorgonia.Node) (*gorgonia.Node, error) {
	x, err := g.maps(input, b.frames, b.image)
	if err != nil {
		return nil, err
	}
	for i, u := range b.units(prefix) {
		if x, err = u.build(g, x, nil, true); err != nil {
			return nil, err
		}
		if pool := halve(x.Image); pool != (kernel.Window{}) {
			if x, err = g.maxPool(fmt.Sprintf("%s.%d.3", prefix, i), x, pool); err != nil {
				return nil, err
			}
		}
	}
	return op.AveragePool(x)
}

// halve returns the pooling that halves what is larger than 2 of an image, or no window where nothing is.
func halve(i kernel.Image) kernel.Window {
	w := kernel.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}
	if i.H > 2 {
		w.KH, w.StrideH = 2, 2
	}
	if i.W > 2 {
		w.KW, w.StrideW = 2, 2
	}
	if w.KH == 1 && w.KW == 1 {
		return kernel.Window{}
	}
	return w
}
