package schema

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Fold is one of Of parts of samples, Part from 1. Which part a sample is in is told by its id alone: wherever it stands in a
// stream, and whatever other samples there are, it is in the same one. Parts are about as large as each other.
type Fold struct{ Part, Of int }

// maxFolds bounds Of: far more than are of use.
const maxFolds = 1 << 16

// ParseFold reads a fold as "2/5", the second of five.
func ParseFold(text string) (Fold, error) {
	part, of, _ := strings.Cut(text, "/")
	i, badPart := strconv.Atoi(part)
	n, badOf := strconv.Atoi(of)
	if badPart != nil || badOf != nil || n < 2 || n > maxFolds || i < 1 || i > n {
		return Fold{}, fmt.Errorf("got %q, want I/N with I from 1 to N and N from 2 to %d, such as 2/5", text, maxFolds)
	}
	return Fold{i, n}, nil
}

// String returns the fold as ParseFold reads it.
func (f Fold) String() string { return strconv.Itoa(f.Part) + "/" + strconv.Itoa(f.Of) }

// Has reports whether a sample is in the fold: FNV-1a of its id, 64 bits (Fowler, Noll and Vo, RFC 9923), mixed by the finalizer
// of splitmix64 (Steele, Lea and Flood 2014), because the low bits of FNV-1a see the last letter almost alone.
func (f Fold) Has(id string) bool {
	h := fnv.New64a()
	h.Write([]byte(id)) // never fails
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return x%uint64(f.Of) == uint64(f.Part-1)
}
