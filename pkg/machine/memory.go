package machine

import (
	"math"
	"slices"
	"sort"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// place is a run of the arena, taken from the instruction that writes it to the last that reads it.
type place struct {
	offset, size int // elements, of whole lines
	elements     int // in use
	from, to     int // indices in the order of execution, inclusive
}

type memoryPlan struct {
	places        map[*gorgonia.Node]*place
	arena, unique int
}

// forever is the end of what must stay: inputs, outputs and constants.
const forever = math.MaxInt

// align keeps every value on a cache line: 16 float32.
const align = 16

// planMemory gives every value that is not bound a place in one arena. Values live from the instruction that writes them
// to the last that reads them; places of values that live at the same time do not overlap. Largest first, each at the
// lowest offset that is free for all its life (Pisarchyk and Lee 2020, greedy by size).
func planMemory(order []step, p Program) memoryPlan {
	plan := memoryPlan{places: map[*gorgonia.Node]*place{}}
	last := lastUses(order, p)
	var all []*place
	for i, s := range order {
		if _, bound := p.Bound[s.node]; bound {
			continue
		}
		if shared := inPlace(s, i, last, plan.places, p.Bound); shared != nil {
			shared.to = last[s.node]
			plan.places[s.node] = shared
			continue
		}
		from := i
		if s.op == nil {
			from = -1 // filled before the program starts
		}
		if _, ok := constant(s.node); ok && s.op == nil {
			continue // memory of its own
		}
		pl := &place{size: (s.elements() + align - 1) / align * align, elements: s.elements(), from: from, to: last[s.node]}
		plan.places[s.node] = pl
		plan.unique += pl.size
		all = append(all, pl)
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a].size > all[b].size })
	var placed []*place // by offset
	for _, pl := range all {
		offset := 0
		for _, other := range placed {
			if pl.from <= other.to && other.from <= pl.to && other.offset < offset+pl.size && offset < other.offset+other.size {
				offset = other.offset + other.size
			}
		}
		pl.offset = offset
		at, _ := slices.BinarySearchFunc(placed, pl, func(a, b *place) int { return a.offset - b.offset })
		placed = slices.Insert(placed, at, pl)
		plan.arena = max(plan.arena, offset+pl.size)
	}
	return plan
}

// lastUses returns the index of the last step that reads each node.
func lastUses(order []step, p Program) map[*gorgonia.Node]int {
	last := map[*gorgonia.Node]int{}
	for i, s := range order {
		last[s.node] = i
		var unread []int
		if o, ok := s.op.(op.Orderer); ok {
			unread = o.OrderOnly()
		}
		for k, child := range s.in {
			if !slices.Contains(unread, k) {
				last[child] = i
			}
		}
	}
	for _, s := range order {
		if s.op == nil {
			last[s.node] = forever
		}
	}
	for _, n := range p.Outputs {
		last[n] = forever
	}
	return last
}

// inPlace returns the place of the input that step s, the i-th, may overwrite, or nil: the input must be planned, of the
// same size, and read by nothing later.
func inPlace(s step, i int, last map[*gorgonia.Node]int, places map[*gorgonia.Node]*place, bound map[*gorgonia.Node]kernel.Buffer) *place {
	if s.op == nil || s.op.InPlace() < 0 {
		return nil
	}
	child := s.in[s.op.InPlace()]
	if _, isBound := bound[child]; isBound || last[child] != i || places[child] == nil || places[child].elements != s.elements() {
		return nil
	}
	for k, other := range s.in {
		if k != s.op.InPlace() && places[other] != nil && places[other] == places[child] {
			return nil
		}
	}
	return places[child]
}
