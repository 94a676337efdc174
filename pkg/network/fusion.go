package network

import (
	"fmt"
	"strconv"
	"strings"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// fusion joins the features of the modalities that a row has.
type fusion interface {
	// width returns the fused feature's width D.
	width() int
	// declare adds the parameters, their names under "fusion".
	declare(l *Layout)
	// build adds the fusion of g.Features, (B,D_p) each, under g.Keep to the graph: (B,D).
	build(g *Graph) (*gorgonia.Node, error)
}

// Fusions describes the fusions that a Spec can name.
const Fusions = "concat, sum, film[:NAME], gated[:WIDTH] or attention[:HEADS:WIDTH]"

// inputs are what a fusion joins: the modalities' names and the widths of their features, in bit order.
type inputs struct {
	names    []string
	features []int
}

// total returns the width of all features side by side.
func (in inputs) total() int {
	total := 0
	for _, d := range in.features {
		total += d
	}
	return total
}

// parseFusion reads a fusion's description, for the features that it joins.
func parseFusion(s string, in inputs) (fusion, error) {
	kind, arg, given := strings.Cut(s, ":")
	switch kind {
	case "concat", "sum":
		if given {
			return nil, fmt.Errorf("fusion %q: %s takes nothing after it", s, kind)
		}
		return parseAdditive(kind, in)
	case "film":
		return parseFilm(s, arg, given, in)
	case "gated":
		return parseGated(s, arg, given, in)
	case "attention":
		return parseAttention(s, arg, given, in)
	default:
		return nil, fmt.Errorf("fusion %q: want %s", s, Fusions)
	}
}

// parseFusionNumber reads a number of a fusion's description.
func parseFusionNumber(s, what, field string) (int, error) {
	n, err := strconv.Atoi(field)
	if err != nil || n < 1 || n > maxWidth {
		return 0, fmt.Errorf("fusion %q: %s %q, want a number from 1 to %d", s, what, field, maxWidth)
	}
	return n, nil
}

// additive is a fusion without parameters under which a linear head's logits are a sum of one part a modality:
//
//	concat   z = [keep_1 z_1, keep_2 z_2, ...]
//	sum      z = keep_1 z_1 + keep_2 z_2 + ...
type additive struct {
	inputs
	sum bool
}

func parseAdditive(kind string, in inputs) (fusion, error) {
	for p, d := range in.features {
		if kind == "sum" && d != in.features[0] {
			return nil, fmt.Errorf("fusion sum: features of %q have width %d, of %q %d; give the backbones equal widths",
				in.names[0], in.features[0], in.names[p], d)
		}
	}
	return additive{in, kind == "sum"}, nil
}

func (f additive) width() int {
	if f.sum {
		return f.features[0]
	}
	return f.total()
}

func (f additive) declare(*Layout) {}

func (f additive) build(g *Graph) (*gorgonia.Node, error) {
	if f.sum {
		return op.MaskedSum(g.Keep, g.Features...)
	}
	return op.MaskedConcat(g.Keep, g.Features...)
}
