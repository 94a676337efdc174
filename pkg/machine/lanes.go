package machine

import (
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// schedule is the order of a program's steps and, on a kernel.Laner, the lane of each and what it waits for there. The zero schedule
// of lanes is one step after the other.
type schedule struct {
	order []step
	runs  []laned // by step; none where there is one lane
	join  []int   // marks that lane 0 waits for at the end
}

// laned is where a step runs.
type laned struct {
	lane  int
	waits []int // marks, before it
	mark  int   // after it; -1: none
	seen  []int // by lane, how many of its steps are done before this one starts; the start of the program counts as the first of lane 0
	place int   // its number among the steps of its lane
}

// give returns the mark after a step, which it takes from the numbers that are free where it has none.
func (r *laned) give(free *int) int {
	if r.mark < 0 {
		r.mark, *free = *free, *free+1
	}
	return r.mark
}

// startMark is where lane 0 is when the program starts.
const startMark = 0

// before reports whether step i is done when step j starts.
func (s *schedule) before(i, j int) bool {
	if s.runs == nil || i < 0 || j < 0 {
		return i < j
	}
	return s.runs[j].seen[s.runs[i].lane] > s.runs[i].place
}

// What a step is taken to cost, in microseconds, and how much later another lane knows of its end: of the size that they are on cards of some
// years. A program is as right whatever they are, for only the choice of lanes follows them.
const (
	launchCost   = 2
	hopCost      = 1
	bytesPerCost = 2e6
	flopsPerCost = 3e7
)

func cost(s step, rows int) float64 {
	if s.op == nil {
		return 0
	}
	bytes := 4 * s.elements()
	for _, child := range s.in {
		bytes += 4 * max(1, child.Shape().TotalSize())
	}
	c := launchCost + float64(bytes)/bytesPerCost
	if o, ok := s.op.(op.Counter); ok {
		c += o.Flops(rows) / flopsPerCost
	}
	return c
}

// inLanes gives the steps of an order to lanes: always the one that can start first, and of those the one that most is left behind
// (list scheduling by the critical path, Graham 1969; Kwok and Ahmad 1999). The same order gives the same schedule.
func inLanes(order []step, rows, lanes int) schedule {
	if lanes < 2 {
		return schedule{order: order}
	}
	after := dependencies(order)
	l := &listing{order: order, after: after, cost: make([]float64, len(order)), behind: make([]float64, len(order)), then: make([][]int, len(order)),
		missing: make([]int, len(order)), end: make([]float64, len(order)), lane: make([]int, len(order)), free: make([]float64, lanes)}
	for i := len(order) - 1; i >= 0; i-- {
		l.cost[i] = cost(order[i], rows)
		for _, t := range l.then[i] {
			l.behind[i] = max(l.behind[i], l.behind[t])
		}
		l.behind[i] += l.cost[i]
		for _, d := range after[i] {
			l.then[d] = append(l.then[d], i)
		}
		l.missing[i] = len(after[i])
	}
	var taken []int // steps of the order, as they are to run
	for i, s := range order {
		if s.op == nil {
			taken = append(taken, i)
		} else if l.missing[i] == 0 {
			l.ready = append(l.ready, i)
		}
	}
	for len(l.ready) > 0 {
		taken = append(taken, l.take())
	}
	return l.schedule(taken)
}

// dependencies returns for every step the steps that are to be done before: those that write what it reads, and around one that writes to
// its inputs, those that read or write them too.
func dependencies(order []step) [][]int {
	after := make([][]int, len(order))
	wrote := map[*gorgonia.Node]int{}
	read := map[*gorgonia.Node][]int{} // since it was written
	for i, s := range order {
		if s.op == nil {
			continue
		}
		mutates := op.Mutates(s.op)
		for k, child := range s.in {
			if w, ok := wrote[child]; ok && !slices.Contains(after[i], w) {
				after[i] = append(after[i], w)
			}
			if !slices.Contains(mutates, k) {
				read[child] = append(read[child], i)
			}
		}
		for _, k := range mutates {
			child := s.in[k]
			for _, r := range read[child] {
				if r != i && !slices.Contains(after[i], r) {
					after[i] = append(after[i], r)
				}
			}
			wrote[child], read[child] = i, nil
		}
		wrote[s.node] = i
	}
	return after
}

// listing is a schedule in the making.
type listing struct {
	order       []step
	after, then [][]int
	cost        []float64
	behind      []float64 // of the longest way from a step's start to the end
	missing     []int     // steps that a step still waits for
	end         []float64
	lane        []int
	free        []float64 // by lane, when it is
	ready       []int
}

// start is when a step can start in a lane.
func (l *listing) start(i, lane int) float64 {
	t := l.free[lane]
	for _, d := range l.after[i] {
		known := l.end[d]
		if l.lane[d] != lane {
			known += hopCost
		}
		t = max(t, known)
	}
	return t
}

// take takes the next step.
func (l *listing) take() int {
	at, lane, first := -1, 0, 0.0
	for k, i := range l.ready {
		for candidate := range l.free {
			t := l.start(i, candidate)
			if at < 0 || t < first || t == first && l.behind[i] > l.behind[l.ready[at]] {
				at, lane, first = k, candidate, t
			}
		}
	}
	i := l.ready[at]
	l.ready = slices.Delete(l.ready, at, at+1)
	l.lane[i], l.end[i] = lane, first+l.cost[i]
	l.free[lane] = l.end[i]
	for _, t := range l.then[i] {
		if l.missing[t]--; l.missing[t] == 0 {
			l.ready = append(l.ready, t)
		}
	}
	return i
}

// schedule finds out what has to wait for what: a step knows of what its lane knew, and of what those knew that it waits for.
func (l *listing) schedule(taken []int) schedule {
	s := schedule{}
	lanes := len(l.free)
	known, count := make([][]int, lanes), make([]int, lanes)
	for i := range known {
		known[i] = make([]int, lanes)
	}
	known[0][0], count[0] = 1, 1 // the start
	last, marks := make([]int, lanes), 1
	at := make([]int, len(taken)) // where a step of the order is now
	for now, i := range taken {
		at[i] = now
		s.order = append(s.order, l.order[i])
		if l.order[i].op == nil {
			s.runs = append(s.runs, laned{mark: -1})
			continue
		}
		r := laned{lane: l.lane[i], mark: -1, place: count[l.lane[i]]}
		mine := known[r.lane]
		// The latest first: who waits for it knows of most that came before.
		before := slices.Clone(l.after[i])
		slices.SortFunc(before, func(a, b int) int { return at[b] - at[a] })
		for _, d := range before {
			on := &s.runs[at[d]]
			if mine[on.lane] > on.place {
				continue
			}
			r.waits = append(r.waits, on.give(&marks))
			for k, n := range on.seen {
				mine[k] = max(mine[k], n)
			}
			mine[on.lane] = on.place + 1
		}
		if mine[0] == 0 {
			r.waits, mine[0] = append(r.waits, startMark), 1
		}
		r.seen = slices.Clone(mine)
		count[r.lane]++
		mine[r.lane] = count[r.lane]
		last[r.lane] = now
		s.runs = append(s.runs, r)
	}
	for lane := 1; lane < lanes; lane++ {
		if known[0][lane] == count[lane] {
			continue // which may be none
		}
		s.join = append(s.join, s.runs[last[lane]].give(&marks))
	}
	return s
}

// Beside has a device do several things side by side where it has lanes: each after what it was asked for before, and before what it is asked for
// next, none after another. What is done in a lane, several things where there are more than lanes, is in order. They do not change lanes.
func Beside(d kernel.Device, all ...func()) {
	l := lanes(d)
	if l == nil || len(all) < 2 {
		for _, f := range all {
			f()
		}
		return
	}
	used := min(l.Lanes(), len(all))
	l.Mark(startMark)
	for k, f := range all {
		lane := k % used
		l.Lane(lane)
		if k > 0 && k == lane {
			l.Wait(startMark)
		}
		f()
		if lane > 0 && k+used >= len(all) {
			l.Mark(lane)
		}
	}
	l.Lane(0)
	for lane := 1; lane < used; lane++ {
		l.Wait(lane)
	}
}

// lanes returns the device as one that has several, or nil.
func lanes(d kernel.Device) kernel.Laner {
	if l, ok := d.(kernel.Laner); ok && l.Lanes() > 1 {
		return l
	}
	return nil
}
