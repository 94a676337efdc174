package network

import (
	"fmt"
	"strconv"
	"strings"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// maxWidth bounds a layer: wider is a typing error, and would overflow sizes.
const maxWidth = 1 << 20

// stack is a backbone of fully connected layers: none (identity), one without activation (linear:H), or several each
// followed by ReLU (mlp:H1,H2,...).
type stack struct {
	layers []int // output widths
	relu   bool
}

// parseBackbone reads a backbone's description.
func parseBackbone(s string) (stack, error) {
	kind, arg, hasArg := strings.Cut(s, ":")
	switch kind {
	case "identity":
		if hasArg {
			return stack{}, fmt.Errorf("backbone %q: identity takes no width", s)
		}
		return stack{}, nil
	case "linear", "mlp":
		var layers []int
		for _, field := range strings.Split(arg, ",") {
			h, err := strconv.Atoi(field)
			if err != nil || h < 1 || h > maxWidth {
				return stack{}, fmt.Errorf("backbone %q: width %q, want a number from 1 to %d", s, field, maxWidth)
			}
			layers = append(layers, h)
		}
		if kind == "linear" && len(layers) != 1 {
			return stack{}, fmt.Errorf("backbone %q: linear takes one width", s)
		}
		return stack{layers: layers, relu: kind == "mlp"}, nil
	default:
		return stack{}, fmt.Errorf("backbone %q: want identity, linear:H or mlp:H1,H2,...", s)
	}
}

// width returns the feature's width D for an input of size elements.
func (b stack) width(size int) int {
	if len(b.layers) == 0 {
		return size
	}
	return b.layers[len(b.layers)-1]
}

// name returns the name of a layer under prefix: torch.nn.Sequential counts the activations as layers too.
func (b stack) name(prefix string, layer int) string {
	if b.relu {
		layer *= 2
	}
	return fmt.Sprintf("%s.%d", prefix, layer)
}

// declare adds the parameters for an input of size elements.
func (b stack) declare(l *Layout, prefix string, size int) {
	for i, h := range b.layers {
		l.linear(b.name(prefix, i), h, size)
		size = h
	}
}

// build adds the layers to the graph. x (B,size); returns (B,D).
func (b stack) build(g *Graph, prefix string, x *gorgonia.Node) (*gorgonia.Node, error) {
	for i := range b.layers {
		name := b.name(prefix, i)
		y, err := op.Linear(x, g.Param(name+".weight"), g.Param(name+".bias"), b.relu)
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", name, err)
		}
		x = y
	}
	return x, nil
}
