package pixel

// precision is the number of bits of the weights: PIL's, 32 less 8 of a pixel less 2. Their lower halves have lowBits.
const (
	precision = 22
	lowBits   = 11
)

// maxSplit is how many taps of 8 bits times lowBits an int32 can sum.
const maxSplit = 1 << 12

// side is one pass of a Resizer: taps with whole numbers for weights.
type side struct {
	taps
	fixed            []int32
	split            []int16 // fixed, as pass.h has it; nil for more than maxSplit taps
	length, out      int     // of the taps at hand
	cut, n           int
	reach0, reachEnd int // the inputs that the outputs depend on
}

// plan prepares the side; pictures of one size, as the frames of a video are, find it ready.
func (s *side) plan(length, out, cut, n int) {
	if s.length == length && s.out == out && s.cut == cut && s.n == n {
		return
	}
	s.length, s.out, s.cut, s.n = length, out, cut, n
	s.taps.plan(length, out, cut, n)
	s.fixed = s.fixed[:0]
	for _, w := range s.weight {
		s.fixed = append(s.fixed, int32(0.5+w*(1<<precision)))
	}
	s.reach0 = int(s.first[0])
	s.reachEnd = int(s.first[n-1]) + s.width
	s.halve()
}

func (s *side) halve() {
	s.split = s.split[:0]
	if s.width > maxSplit {
		s.split = nil
		return
	}
	for i := range s.n {
		weights := s.fixed[i*s.width:][:s.width]
		for g := 0; g < s.width; g += 4 {
			var group [8]int16
			for k, w := range weights[g:min(g+4, s.width)] {
				group[k], group[4+k] = int16(w>>lowBits), int16(w&(1<<lowBits-1))
			}
			s.split = append(s.split, group[:]...)
		}
	}
}
