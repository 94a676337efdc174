package text

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// HashOptions say which n-grams a Hasher takes and how it writes them.
type HashOptions struct {
	Size   int    // of the vector
	Seed   uint64 // of the hash
	Words  Range  // lengths of the word n-grams
	Chars  Range  // lengths of the character n-grams
	Counts bool   // leave the signed counts as they are, not divided by the vector's length
}

// Range is the shortest and the longest n-gram, both included; the zero Range is none.
type Range struct{ Min, Max int }

// MaxHashSize and MaxNGram bound what may be asked for.
const (
	MaxHashSize = 1 << 24
	MaxNGram    = 64
)

func (r Range) check(what string) error {
	if r != (Range{}) && (r.Min < 1 || r.Max < r.Min || r.Max > MaxNGram) {
		return fmt.Errorf("%s n-grams of %d to %d: want 1 to %d, the shorter first", what, r.Min, r.Max, MaxNGram)
	}
	return nil
}

// Hasher turns texts into vectors of hashed n-grams. It belongs to one goroutine.
type Hasher struct {
	o     HashOptions
	seed  uint64 // the hash's state after the seed
	words words
	line  []byte // a word with a space on either side
}

// NewHasher makes a Hasher, or says what is wrong with the options.
func NewHasher(o HashOptions) (*Hasher, error) {
	if o.Size < 1 || o.Size > MaxHashSize {
		return nil, fmt.Errorf("vector of %d: want 1 to %d", o.Size, MaxHashSize)
	}
	if err := o.Words.check("word"); err != nil {
		return nil, err
	}
	if err := o.Chars.check("character"); err != nil {
		return nil, err
	}
	if o.Words == (Range{}) && o.Chars == (Range{}) {
		return nil, fmt.Errorf("neither word nor character n-grams: want one of them")
	}
	state := uint64(fnvOffset)
	for i := range 8 {
		state = fnv(state, byte(o.Seed>>(8*i)))
	}
	return &Hasher{o: o, seed: state}, nil
}

// Hash writes the vector of s to dst, which must have the size of the options.
func (h *Hasher) Hash(dst []float32, s string) {
	if len(dst) != h.o.Size {
		panic(fmt.Sprintf("text: Hash into %d numbers, want %d", len(dst), h.o.Size))
	}
	clear(dst)
	h.words.split(s)
	if h.o.Words.Max > 0 {
		h.wordGrams(dst)
	}
	if h.o.Chars.Max > 0 {
		for i := range h.words.ends {
			h.charGrams(dst, h.words.word(i))
		}
	}
	if !h.o.Counts {
		normalise(dst)
	}
}

// wordGrams adds the word n-grams; the hash of n words is the one of n-1 words carried on.
func (h *Hasher) wordGrams(dst []float32) {
	n := len(h.words.ends)
	for first := range n {
		state := fnv(h.seed, 'w')
		for k := 1; k <= h.o.Words.Max && first+k <= n; k++ {
			if k > 1 {
				state = fnv(state, ' ')
			}
			for _, b := range h.words.word(first + k - 1) {
				state = fnv(state, b)
			}
			if k >= h.o.Words.Min {
				add(dst, state)
			}
		}
	}
}

// charGrams adds the character n-grams of one word.
func (h *Hasher) charGrams(dst []float32, word []byte) {
	h.line = append(append(append(h.line[:0], ' '), word...), ' ')
	for start := 0; start < len(h.line); {
		state := fnv(h.seed, 'c')
		at := start
		for k := 1; k <= h.o.Chars.Max && at < len(h.line); k++ {
			_, size := utf8.DecodeRune(h.line[at:])
			for _, b := range h.line[at : at+size] {
				state = fnv(state, b)
			}
			at += size
			if k >= h.o.Chars.Min {
				add(dst, state)
			}
		}
		_, size := utf8.DecodeRune(h.line[start:])
		start += size
	}
}

const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

func fnv(state uint64, b byte) uint64 { return (state ^ uint64(b)) * fnvPrime }

// add counts the n-gram whose bytes led FNV-1a to state. FNV alone spreads its last bytes badly over the high bits.
func add(dst []float32, state uint64) {
	state = (state ^ state>>30) * 0xbf58476d1ce4e5b9
	state = (state ^ state>>27) * 0x94d049bb133111eb
	state ^= state >> 31
	sign := float32(1)
	if state>>63 == 1 {
		sign = -1
	}
	dst[state&(1<<63-1)%uint64(len(dst))] += sign
}

// normalise divides by the Euclidean length. The counts are whole numbers, so that their squares add up exactly in any order.
func normalise(dst []float32) {
	sum := 0.0
	for _, v := range dst {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return
	}
	length := math.Sqrt(sum)
	for i, v := range dst {
		dst[i] = float32(float64(v) / length)
	}
}
