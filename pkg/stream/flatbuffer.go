package stream

import (
	"encoding/binary"
	"errors"
)

// errMetadata is the sticky error of a flat: some offset or length leads out of the metadata.
var errMetadata = errors.New("corrupt metadata")

// flat reads a flatbuffer that is not trusted. Every access is held against the bytes; the first that leads outside
// sets err, and everything read from then on is zero, so callers check err once per loop turn and at the end.
type flat struct {
	b   []byte
	err error
	// text is how many bytes of strings may still be read: offsets may alias, so that a small buffer could name one
	// long string a million times.
	text int64
}

func (f *flat) bytes(at, n int64) []byte {
	if f.err != nil || at < 0 || n < 0 || at > int64(len(f.b)) || n > int64(len(f.b))-at {
		f.err = errMetadata
		return nil
	}
	return f.b[at : at+n]
}

func (f *flat) uint16(at int64) int64 {
	if b := f.bytes(at, 2); b != nil {
		return int64(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (f *flat) uint32(at int64) int64 {
	if b := f.bytes(at, 4); b != nil {
		return int64(binary.LittleEndian.Uint32(b))
	}
	return 0
}

func (f *flat) int64(at int64) int64 {
	if b := f.bytes(at, 8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// table is a flatbuffer table; the zero table is absent and all its slots hold their defaults.
type table struct {
	f      *flat
	at     int64 // of the table
	vtable int64 // of its vtable
	size   int64 // of the vtable in bytes
}

// root returns the table that the buffer begins with.
func (f *flat) root() table { return f.table(f.uint32(0)) }

func (f *flat) table(at int64) table {
	t := table{f: f, at: at, vtable: at - int64(int32(f.uint32(at)))}
	t.size = f.uint16(t.vtable)
	if f.err != nil {
		return table{f: f}
	}
	return t
}

// slot returns the position of field i, or 0 where it is absent. (No field lies at 0: the root's offset does.)
func (t table) slot(i int) int64 {
	at := int64(4 + 2*i)
	if t.at == 0 || t.f.err != nil || at+2 > t.size {
		return 0
	}
	if o := t.f.uint16(t.vtable + at); o != 0 {
		return t.at + o
	}
	return 0
}

func (t table) int8(i int, otherwise int8) int8 {
	if at := t.slot(i); at != 0 {
		if b := t.f.bytes(at, 1); b != nil {
			return int8(b[0])
		}
	}
	return otherwise
}

func (t table) int16(i int, otherwise int16) int16 {
	if at := t.slot(i); at != 0 {
		return int16(t.f.uint16(at))
	}
	return otherwise
}

func (t table) int32(i int, otherwise int32) int32 {
	if at := t.slot(i); at != 0 {
		return int32(t.f.uint32(at))
	}
	return otherwise
}

func (t table) int64(i int) int64 {
	if at := t.slot(i); at != 0 {
		return t.f.int64(at)
	}
	return 0
}

// table returns the table in field i; ok is false where there is none.
func (t table) table(i int) (sub table, ok bool) {
	at := t.slot(i)
	if at == 0 {
		return table{f: t.f}, false
	}
	sub = t.f.table(at + t.f.uint32(at))
	return sub, t.f.err == nil
}

// text returns the string in field i, "" where there is none.
func (t table) text(i int) string {
	at := t.slot(i)
	if at == 0 {
		return ""
	}
	at += t.f.uint32(at)
	n := t.f.uint32(at)
	if t.f.text -= n; t.f.text < 0 {
		t.f.err = errMetadata
	}
	return string(t.f.bytes(at+4, n))
}

// vector is a run of n elements, all inside the buffer.
type vector struct {
	f    *flat
	at   int64
	n    int
	size int64
}

// vector returns the vector of elements of size bytes in field i; empty where there is none.
func (t table) vector(i int, size int64) vector {
	at := t.slot(i)
	if at == 0 {
		return vector{f: t.f}
	}
	at += t.f.uint32(at)
	n := t.f.uint32(at)
	if t.f.bytes(at+4, n*size) == nil {
		return vector{f: t.f}
	}
	return vector{f: t.f, at: at + 4, n: int(n), size: size}
}

// table returns the table that element i of a vector of offsets leads to.
func (v vector) table(i int) table {
	at := v.at + int64(i)*v.size
	return v.f.table(at + v.f.uint32(at))
}

// int64 returns the number at offset bytes into element i of a vector of structs.
func (v vector) int64(i int, offset int64) int64 { return v.f.int64(v.at + int64(i)*v.size + offset) }
