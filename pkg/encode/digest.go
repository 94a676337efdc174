package encode

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
)

// digest is SHA-256 over a list of parts, each preceded by its length, so that no two lists look alike.
type digest struct{ h hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) bytes(b []byte) {
	d.number(int64(len(b)))
	d.h.Write(b)
}

func (d digest) text(s string) { d.bytes([]byte(s)) }

func (d digest) number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.h.Write(b[:])
}

// options adds v, a struct of plain values, as JSON.
func (d digest) options(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for a type that JSON cannot hold
	}
	d.bytes(b)
}

func (d digest) String() string { return "sha256:" + hex.EncodeToString(d.h.Sum(nil)) }
