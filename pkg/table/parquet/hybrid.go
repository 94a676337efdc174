package parquet

import "encoding/binary"

// hybrid decodes runs of one value, and values packed into bits: levels, dictionary indices, booleans. Its values lie where they are until they are asked for.
type hybrid struct {
	b      []byte // what is left
	width  int    // bits of a value, up to 32
	value  uint32 // of a run
	run    uint64 // values that are left of it
	packed []byte
	at     uint64 // the next of the packed values,
	count  uint64 // and how many there are
}

// next returns the next value, or false where there is none.
func (h *hybrid) next() (uint32, bool) {
	if h.run > 0 { // small enough to be inlined: most levels are runs
		h.run--
		return h.value, true
	}
	return h.look()
}

func (h *hybrid) look() (uint32, bool) {
	for h.run == 0 && h.at == h.count {
		if !h.begin() {
			return 0, false
		}
	}
	if h.run > 0 {
		h.run--
		return h.value, true
	}
	h.at++
	return uint32(bitsAt(h.packed, (h.at-1)*uint64(h.width), h.width)), true
}

// begin reads the head of a run, or of groups of eight packed values.
func (h *hybrid) begin() bool {
	head, n := binary.Uvarint(h.b)
	if n <= 0 || head>>1 > 1<<31 {
		return false
	}
	h.b = h.b[n:]
	if head&1 == 0 {
		size := (h.width + 7) / 8
		if size > len(h.b) {
			return false
		}
		h.value = 0
		for i, b := range h.b[:size] {
			h.value |= uint32(b) << (8 * i)
		}
		h.b, h.run = h.b[size:], head>>1
		return true
	}
	groups := head >> 1
	h.at, h.count = 0, groups*8
	size := groups * uint64(h.width)
	if left := uint64(len(h.b)); size > left { // some writers cut the last group short
		size = left
		h.count = left * 8 / uint64(h.width)
	}
	h.packed, h.b = h.b[:size], h.b[size:]
	return true
}

// bitsAt returns width bits, at most 64, from a place of b that holds them, the lowest bit first.
func bitsAt(b []byte, at uint64, width int) uint64 {
	if width == 0 {
		return 0
	}
	from, shift := at/8, at%8
	var v uint64
	if from+8 <= uint64(len(b)) {
		v = binary.LittleEndian.Uint64(b[from:]) >> shift
	} else {
		for i, c := range b[from:] {
			v |= uint64(c) << (8 * i)
		}
		v >>= shift
	}
	if over := int(shift) + width - 64; over > 0 {
		v |= uint64(b[from+8]) << (64 - shift)
	}
	return v & (^uint64(0) >> (64 - width))
}
