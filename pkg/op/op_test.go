package op

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
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
	cases := map[string]func() (*gorgonia.Node, error){
		"linear: weight of another width":  func() (*gorgonia.Node, error) { return Linear(x, node(g, "w2", 3, 6), b, false) },
		"linear: bias of another width":    func() (*gorgonia.Node, error) { return Linear(x, w, node(g, "b2", 4), true) },
		"linear: weight is a vector":       func() (*gorgonia.Node, error) { return Linear(x, b, b, false) },
		"concat: mask for three":           func() (*gorgonia.Node, error) { return MaskedConcat(node(g, "keep3", 4, 3), x, x) },
		"concat: feature of other rows":    func() (*gorgonia.Node, error) { return MaskedConcat(keep, x, node(g, "x5", 5, 5)) },
		"sum: features of other widths":    func() (*gorgonia.Node, error) { return MaskedSum(keep, x, node(g, "x6", 4, 6)) },
		"loss: label of other rows":        func() (*gorgonia.Node, error) { return SoftmaxCrossEntropy(x, node(g, "label5", 5), label) },
		"loss: logits are a vector":        func() (*gorgonia.Node, error) { return SoftmaxCrossEntropy(label, label, label) },
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
