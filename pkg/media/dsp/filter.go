package dsp

import "sync"

// Filter computes the samples of a sound at another rate,
//
//	y[n] = sum over k of Taps[n From mod To][k] x[floor(n From/To) - Reach + k],   x zero outside its range
//
// Taps is (To, 2 Reach + 1). Outputs a whole number of periods of To apart share their taps, so the sound is cut into Lanes spans of
// as many periods, a span a column, and each tap times a row is Lanes outputs' work. A Filter may be shared.
type Filter struct {
	From, To, Reach int
	Taps            []float32

	scratch sync.Pool // of *filterScratch
}

type filterScratch struct {
	padded []float32 // x with zeros around it
	rows   []float64 // (window, Lanes)
	sums   []float64 // (outputs, Lanes)
	lanes  []float32 // (Lanes, outputs)
	places []int64   // (outputs, 2)
}

// tileRows is about how many rows of input a tile of outputs moves on by: with the filter's width they stay in the nearest cache.
const tileRows = 192

// Apply writes the first len(dst) samples of x at the other rate to dst.
func (f *Filter) Apply(dst, x []float32) {
	if len(dst) == 0 {
		return
	}
	width := 2*f.Reach + 1
	periods := (len(dst) + Lanes*f.To - 1) / (Lanes * f.To)
	span := periods * f.To
	used := (len(dst) + span - 1) / span
	tile := min(max(tileRows*f.To/f.From, 1), span)
	window := (tile-1)*f.From/f.To + 1 + width

	s, _ := f.scratch.Get().(*filterScratch)
	if s == nil {
		s = &filterScratch{rows: Rows(window)}
	}
	defer f.scratch.Put(s)
	s.padded = sized(s.padded, f.Reach+(used*span-1)*f.From/f.To+window)
	at := f.Reach + copy(s.padded[f.Reach:], x)
	clear(s.padded[:f.Reach])
	clear(s.padded[at:])
	s.rows, s.sums = grown(s.rows, window), grown(s.sums, tile)
	s.lanes, s.places = sized(s.lanes, used*tile), sized(s.places, 2*tile)

	var from [Lanes]int // columns that are not used repeat the first
	for lane := range used {
		from[lane] = lane * periods * f.From
	}
	for first := 0; first < span; first += tile {
		f.tile(dst, s, &from, first, min(tile, span-first), span, used)
	}
}

// tile computes the outputs first to first+count-1 of every span.
func (f *Filter) tile(dst []float32, s *filterScratch, from *[Lanes]int, first, count, span, used int) {
	width, origin, last := 2*f.Reach+1, first*f.From/f.To, 0
	for i := range count {
		n := (first + i) * f.From
		last = n/f.To - origin
		s.places[2*i], s.places[2*i+1] = int64(last), int64(n%f.To*width)
	}
	rows, sums := s.rows[:(last+width)*Lanes], s.sums[:count*Lanes]
	gather(rows, s.padded[origin:], from, nil)
	phases(sums, rows, f.Taps, s.places[:2*count], width)
	store(s.lanes[:used*count], sums, used)
	for lane := range used {
		if at := lane*span + first; at < len(dst) {
			copy(dst[at:], s.lanes[lane*count:][:count])
		}
	}
}

// sized returns memory for n elements, b's where it is enough; what is in them is open.
func sized[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

// grown is sized for rows.
func grown(b []float64, rows int) []float64 {
	if cap(b) < rows*Lanes {
		return Rows(rows)
	}
	return b[:rows*Lanes]
}
