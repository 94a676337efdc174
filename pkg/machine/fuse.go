package machine

import (
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// fuse makes one step of two where an operation does both and nothing but the second reads what the first gives.
func fuse(order []step, p Program) []step {
	at, readers := map[*gorgonia.Node]int{}, map[*gorgonia.Node]int{}
	for i, s := range order {
		at[s.node] = i
		for _, child := range s.in {
			readers[child]++
		}
	}
	gone := map[int]bool{}
	for i := range order {
		outer := &order[i]
		if outer.op == nil || len(outer.in) == 0 {
			continue
		}
		first := outer.in[0]
		inner := order[at[first]]
		if _, bound := p.Bound[first]; bound || inner.op == nil || readers[first] != 1 || slices.Contains(p.Outputs, first) {
			continue
		}
		if both, ok := op.Fuse(inner.op, outer.op); ok {
			outer.op, outer.in = both, slices.Concat(inner.in, outer.in[1:])
			gone[at[first]] = true
		}
	}
	var left []step
	for i, s := range order {
		if !gone[i] {
			left = append(left, s)
		}
	}
	return left
}
