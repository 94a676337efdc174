// Package rng derives named, independent random streams from one seed.
//
// Every random choice of the tools draws from Stream(seed, purpose...), with a purpose such as
// "shuffle", 7 for the shuffle of epoch 7. A stream depends on nothing but its arguments, so a run of ten
// epochs and ten runs of one epoch draw the same numbers. The generator is PCG-DXSM (O'Neill 2014;
// math/rand/v2), its 128-bit state the first half of SHA-256 over the arguments.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Stream returns the generator that seed and purpose name. Purposes are strings, integers or booleans; each is
// hashed with its type, so that ("a", 1) and ("a1") differ.
func Stream(seed uint64, purpose ...any) *rand.Rand {
	h := sha256.New()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	for _, p := range purpose {
		switch p.(type) {
		case string, bool, int, int64, uint64, uint32, int32:
			s := fmt.Sprintf("%T:%v", p, p)
			binary.LittleEndian.PutUint64(b[:], uint64(len(s)))
			h.Write(b[:])
			h.Write([]byte(s))
		default:
			panic(fmt.Sprintf("rng: purpose of type %T", p))
		}
	}
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}
