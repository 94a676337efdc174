package network

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// film is feature-wise linear modulation (Perez, Strub, de Vries, Dumoulin and Courville, AAAI 2018, equations 1 and 2) as
// late fusion (Peng, Wei, Deng, Wang and Hu, CVPR 2022): one modality t is modulated, element by element, by a linear
// function of the others. For n modalities, and z_p the zero vector where p is absent,
//
//	[gamma, beta] = W [z_p, p other than t] + b         (B,2D_t)
//	z             = gamma * z_t + beta                  (B,D_t)
//
// which for two is the published form. t is the last modality unless the description names another.
type film struct {
	inputs
	target int
}

func parseFilm(s, name string, given bool, in inputs) (fusion, error) {
	if len(in.names) < 2 {
		return nil, fmt.Errorf("fusion %q: one modality modulates another, and there is only %q", s, in.names[0])
	}
	f := film{in, len(in.names) - 1}
	if given {
		if f.target = slices.Index(in.names, name); f.target < 0 {
			return nil, fmt.Errorf("fusion %q: no modality %q; there are %v", s, name, in.names)
		}
	}
	return f, nil
}

func (f film) width() int { return f.features[f.target] }

func (f film) declare(l *Layout) {
	l.linear("fusion.fc", 2*f.width(), f.total()-f.width())
}

func (f film) build(g *Graph) (*gorgonia.Node, error) {
	var others []int
	for p := range f.names {
		if p != f.target {
			others = append(others, p)
		}
	}
	z, err := op.MaskedConcatOf(others, g.Keep, g.Features...)
	if err != nil {
		return nil, err
	}
	modulator, err := op.Linear(z, g.Param("fusion.fc.weight"), g.Param("fusion.fc.bias"), false)
	if err != nil {
		return nil, err
	}
	target, err := op.MaskedConcatOf([]int{f.target}, g.Keep, g.Features...)
	if err != nil {
		return nil, err
	}
	return op.Modulate(modulator, target)
}
