package machine

import (
	"slices"
	"sort"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// place is a run of the arena, taken from the step that writes it to the last that reads it.
type place struct {
	offset, size int // elements, of whole lines
	elements     int // in use
	from         int // the step that writes it first; -1 where it is filled before the program starts
	uses         []int
	stays        bool // what is there is wanted when the program ends
}

// over reports whether what is at the place is not needed any more when step i starts.
func (pl *place) over(s *schedule, i int) bool {
	if pl.stays || i < 0 {
		return false
	}
	return !slices.ContainsFunc(pl.uses, func(u int) bool { return !s.before(u, i) })
}

type memoryPlan struct {
	places        map[*gorgonia.Node]*place
	arena, unique int
}

// align keeps every value on a cache line: 16 float32.
const align = 16

// planMemory gives every value that is not bound a place in one arena. Values live from the step that writes them to the last that reads
// them; places of values that live at the same time do not overlap. Largest first, each at the lowest offset that is free for all its life
// (Pisarchyk and Lee 2020, greedy by size). In lanes a life has no first and last step in one order: a value is over for those steps alone
// that wait for all who read it.
func planMemory(s *schedule, p Program) memoryPlan {
	plan := memoryPlan{places: map[*gorgonia.Node]*place{}}
	lives := livesOf(s.order, p)
	var all []*place
	for i, st := range s.order {
		if _, bound := p.Bound[st.node]; bound {
			continue
		}
		own := lives[st.node]
		if shared := inPlace(s, i, lives, plan.places, p.Bound); shared != nil {
			shared.uses, shared.stays = append(shared.uses, own.uses...), own.stays
			plan.places[st.node] = shared
			continue
		}
		if _, ok := constant(st.node); ok && st.op == nil {
			continue // memory of its own
		}
		own.size, own.elements = (st.elements()+align-1)/align*align, st.elements()
		plan.places[st.node] = own
		plan.unique += own.size
		all = append(all, own)
	}
	sort.SliceStable(all, func(a, b int) bool { return all[a].size > all[b].size })
	var placed []*place // by offset
	for _, pl := range all {
		offset := 0
		for _, other := range placed {
			if other.offset < offset+pl.size && offset < other.offset+other.size && !pl.over(s, other.from) && !other.over(s, pl.from) {
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

// livesOf returns the life of each value, as a place of no size.
func livesOf(order []step, p Program) map[*gorgonia.Node]*place {
	lives := map[*gorgonia.Node]*place{}
	for i, s := range order {
		if lives[s.node] = (&place{from: -1, stays: true}); s.op != nil { // filled before the program starts
			lives[s.node] = &place{from: i, uses: []int{i}}
		}
		var unread []int
		if o, ok := s.op.(op.Orderer); ok {
			unread = o.OrderOnly()
		}
		for k, child := range s.in {
			if !slices.Contains(unread, k) {
				lives[child].uses = append(lives[child].uses, i)
			}
		}
	}
	for _, n := range p.Outputs {
		lives[n].stays = true
	}
	return lives
}

// inPlace returns the place of the input that step i may overwrite, or nil: the input must be planned, of the same size, and not needed by any
// other step that is not done by then.
func inPlace(s *schedule, i int, lives map[*gorgonia.Node]*place, places map[*gorgonia.Node]*place, bound map[*gorgonia.Node]kernel.Buffer) *place {
	st := s.order[i]
	if st.op == nil || st.op.InPlace() < 0 {
		return nil
	}
	child := st.in[st.op.InPlace()]
	if _, isBound := bound[child]; isBound || lives[child].stays || places[child] == nil || places[child].elements != st.elements() {
		return nil
	}
	if slices.ContainsFunc(lives[child].uses, func(u int) bool { return u != i && !s.before(u, i) }) {
		return nil
	}
	for k, other := range st.in {
		if k != st.op.InPlace() && places[other] != nil && places[other] == places[child] {
			return nil
		}
	}
	return places[child]
}
