package machine

import "math/rand/v2"

// RunDrawn runs the program in some order that its lanes and waits allow: always the next instruction of a lane that has been drawn from
// those that wait for nothing.
func (m *Machine) RunDrawn(rows int, r *rand.Rand) {
	queues := make([][]*instruction, m.lanes.Lanes())
	for i := range m.program {
		in := &m.program[i]
		queues[in.lane] = append(queues[in.lane], in)
	}
	done := map[int]bool{startMark: true}
	for range m.program {
		var ready []int
		for lane, queue := range queues {
			if len(queue) > 0 && all(queue[0].waits, done) {
				ready = append(ready, lane)
			}
		}
		lane := ready[r.IntN(len(ready))]
		in := queues[lane][0]
		queues[lane] = queues[lane][1:]
		in.op.Run(m.device, rows, in.out, in.in)
		if in.mark >= 0 {
			done[in.mark] = true
		}
	}
}

func all(marks []int, done map[int]bool) bool {
	for _, mark := range marks {
		if !done[mark] {
			return false
		}
	}
	return true
}

// Longest returns the number of instructions, and of those that wait for each other, one by one, or are of one lane.
func (m *Machine) Longest() (all, longest int) {
	lanes, marks := make([]int, m.lanes.Lanes()), map[int]int{}
	for _, in := range m.program {
		length := lanes[in.lane]
		for _, mark := range in.waits {
			length = max(length, marks[mark])
		}
		length++
		if lanes[in.lane] = length; in.mark >= 0 {
			marks[in.mark] = length
		}
		longest = max(longest, length)
	}
	return len(m.program), longest
}
