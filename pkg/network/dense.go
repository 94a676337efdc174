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
	size   int   // of the input
	layers []int // output widths
	relu   bool
}

// parseStack reads identity, linear:H and mlp:H1,H2,...
func parseStack(s, kind, arg string, size int) (backbone, error) {
	if kind == "identity" {
		if arg != "" {
			return nil, fmt.Errorf("backbone %q: identity takes no width", s)
		}
		return stack{size: size}, nil
	}
	layers, err := parseWidths(s, arg)
	if err != nil {
		return nil, err
	}
	if kind == "linear" && len(layers) != 1 {
		return nil, fmt.Errorf("backbone %q: linear takes one width", s)
	}
	return stack{size: size, layers: layers, relu: kind == "mlp"}, nil
}

// parseWidths reads H1,H2,...
func parseWidths(s, arg string) ([]int, error) {
	var widths []int
	for _, field := range strings.Split(arg, ",") {
		h, err := strconv.Atoi(field)
		if err != nil || h < 1 || h > maxWidth {
			return nil, fmt.Errorf("backbone %q: width %q, want a number from 1 to %d", s, field, maxWidth)
		}
		widths = append(widths, h)
	}
	return widths, nil
}

func (b stack) width() int {
	if len(b.layers) == 0 {
		return b.size
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

func (b stack) declare(l *Layout, prefix string) {
	size := b.size
	for i, h := range b.layers {
		l.linear(b.name(prefix, i), h, size)
		size = h
	}
}

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
