package network

import (
	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// gated is the gated multimodal unit (Arevalo, Solorio, Montes-y-Gómez and González, ICLR workshop 2017, equations 1 to 5).
// With z_p the zero vector where p is absent, and no biases, as published,
//
//	h_p = tanh(W_p z_p)                                            (B,H)
//	g_p = sigmoid(V_p [z_1, z_2, ...])                             (B,H)
//	z   = sum over p of g_p * h_p                                  (B,H)
//
// and for two modalities, as published, one gate for both: g_1 = g, g_2 = 1 - g. An absent modality's h_p is zero.
type gated struct {
	inputs
	hidden int
}

// defaultWidth is of a fusion whose description gives none; it is the published units' width.
const defaultWidth = 512

func parseGated(s, arg string, given bool, in inputs) (fusion, error) {
	f := gated{in, defaultWidth}
	if given {
		var err error
		if f.hidden, err = parseFusionNumber(s, "width", arg); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f gated) width() int { return f.hidden }

// tied reports whether one gate is for both modalities.
func (f gated) tied() bool { return len(f.names) == 2 }

// gate returns the name of modality p's gate.
func (f gated) gate(p int) string {
	if f.tied() {
		return "fusion.gate"
	}
	return "fusion.gates." + f.names[p]
}

func (f gated) declare(l *Layout) {
	for p, name := range f.names {
		l.linearWeight("fusion.hidden."+name, f.hidden, f.features[p])
	}
	for p := range f.names {
		if p == 0 || !f.tied() {
			l.linearWeight(f.gate(p), f.hidden, f.total())
		}
	}
}

// build masks the features for the gates, and the products g_p * h_p: h_p of an absent modality is zero in either way, and
// does not depend on the mask where a modality is there.
func (f gated) build(g *Graph) (*gorgonia.Node, error) {
	all, err := op.MaskedConcat(g.Keep, g.Features...)
	if err != nil {
		return nil, err
	}
	var products []*gorgonia.Node
	for p, name := range f.names {
		h, err := op.Linear(g.Features[p], g.Param("fusion.hidden."+name+".weight"), nil, false)
		if err != nil {
			return nil, err
		}
		if h, err = op.Tanh(h); err != nil {
			return nil, err
		}
		v, err := op.Linear(all, g.Param(f.gate(p)+".weight"), nil, false)
		if err != nil {
			return nil, err
		}
		if f.tied() && p == 1 { // 1 - sigmoid(v) = sigmoid(-v)
			if v, err = op.Scale(v, -1); err != nil {
				return nil, err
			}
		}
		if v, err = op.Sigmoid(v); err != nil {
			return nil, err
		}
		if v, err = op.Mul(v, h); err != nil {
			return nil, err
		}
		products = append(products, v)
	}
	return op.MaskedSum(g.Keep, products...)
}
