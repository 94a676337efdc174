package op

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

func node(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// Gorgonia merges nodes whose operation hash and inputs are equal: operations that differ in any attribute must hash
// apart, above all slices whose offsets differ by a multiple of 256.
func TestAttributesAreHashed(t *testing.T) {
	ops := []Op{
		linear{n: 3, k: 5}, linear{n: 5, k: 3}, linear{n: 3, k: 5, relu: true}, linearGradInput{n: 3, k: 5}, linearGradWeight{n: 3, k: 5},
		sumRows{n: 3}, reluGrad{n: 3}, fusionOp{widths: []int{3, 5}}, fusionOp{widths: []int{35}}, fusionOp{widths: []int{3, 5}, sum: true},
		softmaxCrossEntropy{c: 3}, softmaxCrossEntropyGrad{c: 3}, standardize{n: 3, pixels: 1, frames: 1}, standardize{n: 3, pixels: 4, frames: 1}, standardize{n: 3, pixels: 1, frames: 4},
	}
	ops = append(ops,
		linear{n: 3, k: 5, tokens: 2}, linear{n: 3, k: 5, bias: true}, linearGradInput{n: 3, k: 5, tokens: 2}, linearGradWeight{n: 3, k: 5, tokens: 2},
		sumRows{n: 3, tokens: 2}, elementwise{name: "tanh", inputs: 1, n: 3}, elementwise{name: "sigmoid", inputs: 1, n: 3},
		elementwise{name: "tanh grad", inputs: 2, n: 3}, elementwise{name: "tanh", inputs: 1, n: 4}, elementwise{name: "mul", inputs: 2, n: 3},
		elementwise{name: "scale", inputs: 1, n: 3, factor: 0.5}, elementwise{name: "scale", inputs: 1, n: 3, factor: -0.5},
		modulate{n: 3}, modulate{n: 4}, modulateGrad{n: 3}, modulateGrad{n: 3, modulator: true},
		attend{shape: kernel.Attention{Tokens: 2, Heads: 1, Width: 4}}, attend{shape: kernel.Attention{Tokens: 2, Heads: 2, Width: 4}},
		attend{shape: kernel.Attention{Tokens: 1, Heads: 2, Width: 4}}, attend{shape: kernel.Attention{Tokens: 2, Heads: 2, Width: 4}, grad: true},
		maskedMean{tokens: 2, n: 3}, maskedMean{tokens: 3, n: 2}, maskedMean{tokens: 2, n: 3, grad: true})
	for from := 0; from <= 1024; from += 128 {
		for player := range 2 {
			ops = append(ops, maskedSlice{total: 2048, from: from, width: 256, player: player, players: 2})
		}
	}
	seen := map[uint32]Op{}
	for _, o := range ops {
		if other, ok := seen[o.Hashcode()]; ok {
			t.Errorf("%v and %v have the same hash", o, other)
		}
		seen[o.Hashcode()] = o
	}
}

func TestMergedNodesAreTheSame(t *testing.T) {
	g := gorgonia.NewGraph()
	dy, keep := node(g, "dy", 4, 1024), node(g, "keep", 4, 2)
	first, err := apply(maskedSlice{total: 1024, from: 0, width: 512, player: 0, players: 2}, dy, keep)
	if err != nil {
		t.Fatal(err)
	}
	second, err := apply(maskedSlice{total: 1024, from: 512, width: 512, player: 0, players: 2}, dy, keep)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("slices at 0 and 512 became one node")
	}
}

func TestShapesAreChecked(t *testing.T) {
	g := gorgonia.NewGraph()
	x, w, b := node(g, "x", 4, 5), node(g, "w", 3, 5), node(g, "b", 3)
	keep, label := node(g, "keep", 4, 2), node(g, "label", 4)
	two := kernel.Attention{Tokens: 2, Heads: 2, Width: 4}
	cases := map[string]func() (*gorgonia.Node, error){
		"linear: weight of another width": func() (*gorgonia.Node, error) { return Linear(x, node(g, "w2", 3, 6), b, false) },
		"linear: bias of another width":   func() (*gorgonia.Node, error) { return Linear(x, w, node(g, "b2", 4), true) },
		"linear: weight is a vector":      func() (*gorgonia.Node, error) { return Linear(x, b, b, false) },
		"concat: mask for three":          func() (*gorgonia.Node, error) { return MaskedConcat(node(g, "keep3", 4, 3), x, x) },
		"concat: feature of other rows":   func() (*gorgonia.Node, error) { return MaskedConcat(keep, x, node(g, "x5", 5, 5)) },
		"sum: features of other widths":   func() (*gorgonia.Node, error) { return MaskedSum(keep, x, node(g, "x6", 4, 6)) },
		"loss: label of other rows":       func() (*gorgonia.Node, error) { return SoftmaxCrossEntropy(x, node(g, "label5", 5), label) },
		"loss: logits are a vector":       func() (*gorgonia.Node, error) { return SoftmaxCrossEntropy(label, label, label) },
		"tokens: columns of no token":     func() (*gorgonia.Node, error) { return LinearTokens(x, w, b, 2) },
		"mul: other shapes":               func() (*gorgonia.Node, error) { return Mul(x, keep) },
		"tanh of a vector":                func() (*gorgonia.Node, error) { return Tanh(b) },
		"plus: other shapes":              func() (*gorgonia.Node, error) { return Plus(x, keep) },
		"modulate: half a modulator":      func() (*gorgonia.Node, error) { return Modulate(x, x) },
		"modulate: other rows":            func() (*gorgonia.Node, error) { return Modulate(node(g, "m5", 5, 10), x) },
		"attend: mask for three":          func() (*gorgonia.Node, error) { return Attend(node(g, "qkv", 4, 24), node(g, "k3", 4, 3), two) },
		"attend: other rows":              func() (*gorgonia.Node, error) { return Attend(node(g, "qkv", 4, 24), node(g, "k5", 5, 2), two) },
		"attend: query, key, no value":    func() (*gorgonia.Node, error) { return Attend(node(g, "qk", 4, 16), keep, two) },
		"attend: heads of no width": func() (*gorgonia.Node, error) {
			return Attend(node(g, "qkv", 4, 24), keep, kernel.Attention{Tokens: 2, Heads: 3, Width: 4})
		},
		"masked mean: columns of no token": func() (*gorgonia.Node, error) { return MaskedMean(x, keep, 2) },
		"masked mean: mask for three":      func() (*gorgonia.Node, error) { return MaskedMean(node(g, "x6", 4, 6), node(g, "k3", 4, 3), 2) },
		"standardize: mean of other width": func() (*gorgonia.Node, error) { return Standardize(x, b, node(g, "scale", 5), 1) },
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			if n, err := build(); err == nil {
				t.Errorf("built %v of shape %v", n, n.Shape())
			}
		})
	}
	for name, build := range map[string]func() (*gorgonia.Node, error){
		"[4 3]": func() (*gorgonia.Node, error) { return Linear(x, w, b, true) },
		"[4 9]": func() (*gorgonia.Node, error) { return MaskedConcat(keep, x, node(g, "x4", 4, 4)) },
		"[4 5]": func() (*gorgonia.Node, error) { return MaskedSum(keep, x, node(g, "y", 4, 5)) },
		"[4 6]": func() (*gorgonia.Node, error) { return LinearTokens(node(g, "x10", 4, 10), w, b, 2) },
		"[4 8]": func() (*gorgonia.Node, error) { return Attend(node(g, "qkv", 4, 24), keep, two) },
		"[4 4]": func() (*gorgonia.Node, error) { return MaskedMean(node(g, "x8", 4, 8), keep, 2) },
	} {
		n, err := build()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint([]int(n.Shape())); got != name {
			t.Errorf("shape %s, want %s", got, name)
		}
	}
}
