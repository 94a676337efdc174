package encode

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
)

// Digest is SHA-256 over a list of parts, each preceded by its length, so that no two lists look alike.
type Digest struct{ h hash.Hash }

func newDigest() *Digest { return &Digest{sha256.New()} }

// Bytes adds b.
func (d *Digest) Bytes(b []byte) {
	d.Number(int64(len(b)))
	d.h.Write(b)
}

// Text adds s.
func (d *Digest) Text(s string) { d.Bytes([]byte(s)) }

// Number adds n, without a length: a number's place says what it is.
func (d *Digest) Number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.h.Write(b[:])
}

// options adds v, a struct of plain values, as JSON.
func (d *Digest) options(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for a type that JSON cannot hold
	}
	d.Bytes(b)
}

func (d *Digest) String() string { return "sha256:" + hex.EncodeToString(d.h.Sum(nil)) }
