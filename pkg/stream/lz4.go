package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/pierrec/lz4/v4"
)

// lz4Codec reads one LZ4 frame (github.com/lz4/lz4, lz4_Frame_format.md, version 1.6). The blocks are expanded by the lz4 package;
// the frame around them is read here, because that package takes a block's checksum over the expanded bytes, where the format has
// it over the compressed ones, and refuses what Polars writes.
type lz4Codec struct{}

// ratio: a length byte of 255 adds as many bytes.
func (lz4Codec) ratio() int64 { return 256 }

const (
	lz4Magic  = 0x184D2204
	lz4Window = 64 << 10 // how far back a block refers to the blocks before it
)

var (
	errFrame    = errors.New("lz4: not a frame, or cut off")
	errChecksum = errors.New("lz4: wrong checksum")
)

// lz4Frame is what is left of a frame.
type lz4Frame []byte

func (f *lz4Frame) bytes(n int) ([]byte, error) {
	if n > len(*f) {
		return nil, errFrame
	}
	b := (*f)[:n]
	*f = (*f)[n:]
	return b, nil
}

func (f *lz4Frame) uint32() (uint32, error) {
	b, err := f.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

// check reads a checksum and holds data against it, where the frame has one.
func (f *lz4Frame) check(there bool, data []byte) error {
	if !there {
		return nil
	}
	sum, err := f.uint32()
	if err == nil && sum != xxh32(data) {
		err = errChecksum
	}
	return err
}

// header reads what a frame begins with, and returns its flags.
func (f *lz4Frame) header(size int) (flags byte, block int, err error) {
	if magic, err := f.uint32(); err != nil || magic != lz4Magic {
		return 0, 0, errFrame
	}
	whole := *f
	descriptor, err := f.bytes(2)
	if err != nil {
		return 0, 0, err
	}
	flags = descriptor[0]
	switch most := descriptor[1] >> 4 & 7; {
	case flags>>6 != 1 || flags&1 != 0: // of a version that is not known, or with a dictionary
		return 0, 0, fmt.Errorf("lz4: flags %#02x are not supported", flags)
	case most < 4:
		return 0, 0, fmt.Errorf("lz4: blocks of kind %d are not known", most)
	default:
		block = 1 << (8 + 2*most)
	}
	if flags&lz4Size != 0 {
		b, err := f.bytes(8)
		if err != nil {
			return 0, 0, err
		}
		if binary.LittleEndian.Uint64(b) != uint64(size) {
			return 0, 0, errClaim
		}
	}
	described := len(whole) - len(*f)
	sum, err := f.bytes(1)
	if err == nil && sum[0] != byte(xxh32(whole[:described])>>8) {
		err = errChecksum
	}
	return flags, block, err
}

// Flags of a frame.
const (
	lz4Sum      = 1 << 2 // of the content
	lz4Size     = 1 << 3
	lz4BlockSum = 1 << 4
	lz4Apart    = 1 << 5 // blocks do not refer to each other
)

func (lz4Codec) expand(dst, src []byte) error {
	f := lz4Frame(src)
	flags, most, err := f.header(len(dst))
	if err != nil {
		return err
	}
	at := 0
	for {
		size, err := f.uint32()
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		const asIs = 1 << 31
		raw, err := f.bytes(int(size &^ asIs))
		if err != nil {
			return err
		}
		if err := f.check(flags&lz4BlockSum != 0, raw); err != nil {
			return err
		}
		to := dst[at:min(len(dst), at+most)]
		n := 0
		switch {
		case size&asIs != 0:
			if n = copy(to, raw); n < len(raw) {
				return errClaim
			}
		case flags&lz4Apart != 0:
			n, err = lz4.UncompressBlock(raw, to)
		default:
			n, err = lz4.UncompressBlockWithDict(raw, to, dst[max(0, at-lz4Window):at])
		}
		if err != nil {
			return err
		}
		at += n
	}
	if at != len(dst) {
		return errClaim
	}
	if err := f.check(flags&lz4Sum != 0, dst); err != nil {
		return err
	}
	if len(f) > 0 {
		return errClaim
	}
	return nil
}

// xxh32 is XXH32 with seed 0 (Collet, 2012; github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	h, length := uint32(p5), uint32(len(b))
	if len(b) >= 16 {
		first := uint32(p1)
		lanes := [4]uint32{first + p2, p2, 0, -first}
		for ; len(b) >= 16; b = b[16:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft32(lanes[i]+binary.LittleEndian.Uint32(b[4*i:])*p2, 13) * p1
			}
		}
		h = bits.RotateLeft32(lanes[0], 1) + bits.RotateLeft32(lanes[1], 7) + bits.RotateLeft32(lanes[2], 12) + bits.RotateLeft32(lanes[3], 18)
	}
	h += length
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*p3, 17) * p4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*p5, 11) * p1
	}
	h ^= h >> 15
	h *= p2
	h ^= h >> 13
	h *= p3
	return h ^ h>>16
}
