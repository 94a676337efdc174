package network

import (
	"fmt"
	"math"
	"strings"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// attention is one layer of multi-head self-attention (Vaswani et al. 2017, section 3.2.2) among the modalities' tokens,
// with a residual, and their mean. S is the set of modalities that a row has:
//
//	t_p = W_p z_p + b_p                                            (B,W), p's token
//	u_p = t_p + attention(t_q, q in S)_p                           torch.nn.MultiheadAttention
//	z   = mean over p in S of u_p                                  (B,W), zero where S is empty
//
// An absent modality is left out: it has no token, so that no other attends to it and the mean is over the others. W_p and
// b_p being a modality's own, they tell its token from the others' as a learned embedding would.
type attention struct {
	inputs
	shape kernel.Attention
}

// defaultHeads is of an attention whose description gives none, torch.nn.Transformer's.
const defaultHeads = 8

func parseAttention(s, arg string, given bool, in inputs) (fusion, error) {
	f := attention{in, kernel.Attention{Tokens: len(in.names), Heads: defaultHeads, Width: defaultWidth}}
	if given {
		heads, width, both := strings.Cut(arg, ":")
		if !both {
			return nil, fmt.Errorf("fusion %q: want attention:HEADS:WIDTH", s)
		}
		var err error
		if f.shape.Heads, err = parseFusionNumber(s, "heads", heads); err != nil {
			return nil, err
		}
		if f.shape.Width, err = parseFusionNumber(s, "width", width); err != nil {
			return nil, err
		}
	}
	if f.shape.Width%f.shape.Heads != 0 {
		return nil, fmt.Errorf("fusion %q: the width %d is no multiple of the heads, %d", s, f.shape.Width, f.shape.Heads)
	}
	return f, nil
}

func (f attention) width() int { return f.shape.Width }

// declare draws the tokens' layers as torch.nn.Linear, the attention as torch.nn.MultiheadAttention draws it by default:
// Glorot's uniform distribution for query, key and value, taken as one matrix, and biases of zero.
func (f attention) declare(l *Layout) {
	w := f.shape.Width
	for p, name := range f.names {
		l.linear("fusion.tokens."+name, w, f.features[p])
	}
	for _, s := range []Slot{
		{Name: "fusion.attention.in_proj_weight", Shape: []int{3 * w, w}, init: initial{uniform: math.Sqrt(6 / float64(4*w))}},
		{Name: "fusion.attention.in_proj_bias", Shape: []int{3 * w}},
		{Name: "fusion.attention.out_proj.weight", Shape: []int{w, w}, init: initial{uniform: 1 / math.Sqrt(float64(w))}},
		{Name: "fusion.attention.out_proj.bias", Shape: []int{w}},
	} {
		place(&l.Params, &l.ParamSize, s)
	}
}

func (f attention) build(g *Graph) (*gorgonia.Node, error) {
	var tokens []*gorgonia.Node
	for p, name := range f.names {
		t, err := op.Linear(g.Features[p], g.Param("fusion.tokens."+name+".weight"), g.Param("fusion.tokens."+name+".bias"), false)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	t, err := op.MaskedConcat(g.Keep, tokens...)
	if err != nil {
		return nil, err
	}
	qkv, err := op.LinearTokens(t, g.Param("fusion.attention.in_proj_weight"), g.Param("fusion.attention.in_proj_bias"), f.shape.Tokens)
	if err != nil {
		return nil, err
	}
	u, err := op.Attend(qkv, g.Keep, f.shape)
	if err != nil {
		return nil, err
	}
	u, err = op.LinearTokens(u, g.Param("fusion.attention.out_proj.weight"), g.Param("fusion.attention.out_proj.bias"), f.shape.Tokens)
	if err != nil {
		return nil, err
	}
	if u, err = op.Plus(t, u); err != nil {
		return nil, err
	}
	return op.MaskedMean(u, g.Keep, f.shape.Tokens)
}
