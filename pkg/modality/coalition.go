package modality

import (
	"iter"
	"math/bits"
	"strings"
)

// Max is the largest number of modalities that a Coalition can hold.
const Max = 64

// Coalition is a set of modalities, bit i for modality i; the rest is masked.
type Coalition uint64

// All returns the coalition of the first n modalities, 0 <= n <= Max.
func All(n int) Coalition {
	if n < 0 || n > Max {
		panic("modality: number of modalities out of range")
	}
	if n == Max {
		return ^Coalition(0)
	}
	return Coalition(1)<<n - 1
}

// Only returns the coalition of modality i alone.
func Only(i int) Coalition { return Coalition(1) << i }

// Has reports whether modality i is present.
func (c Coalition) Has(i int) bool { return c>>i&1 == 1 }

// With returns c and modality i.
func (c Coalition) With(i int) Coalition { return c | Only(i) }

// Without returns c less modality i.
func (c Coalition) Without(i int) Coalition { return c &^ Only(i) }

// Size returns |c|, the number of modalities present.
func (c Coalition) Size() int { return bits.OnesCount64(uint64(c)) }

// Members yields the modalities present, lowest first.
func (c Coalition) Members() iter.Seq[int] {
	return func(yield func(int) bool) {
		for rest := uint64(c); rest != 0; rest &= rest - 1 {
			if !yield(bits.TrailingZeros64(rest)) {
				return
			}
		}
	}
}

// Label writes the members' names joined by "+", as in "audio+video"; the empty coalition is "none".
func (c Coalition) Label(names []string) string {
	if c == 0 {
		return "none"
	}
	var parts []string
	for i := range c.Members() {
		parts = append(parts, names[i])
	}
	return strings.Join(parts, "+")
}
