package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/klauspost/compress/zstd"
)

// codec decompresses one buffer.
type codec interface {
	// expand fills dst, whose length is what the buffer claims, from src; anything else that src holds is an error.
	expand(dst, src []byte) error
	// ratio is the most bytes that one byte can expand to.
	ratio() int64
}

// codecs makes a codec that needs memory once, at its first use.
type codecs struct{ zstd *zstdCodec }

// The CompressionType enum of Message.fbs.
const (
	codecLZ4  = 0
	codecZstd = 1
)

// of returns the codec of a RecordBatch's BodyCompression, nil where there is none.
func (c *codecs) of(batch table) (codec, error) {
	t, ok := batch.table(3)
	if !ok {
		return nil, nil
	}
	if method := t.int8(1, 0); method != 0 {
		return nil, fmt.Errorf("compression method %d is not known", method)
	}
	switch id := t.int8(0, codecLZ4); id {
	case codecLZ4:
		return lz4Codec{}, nil
	case codecZstd:
		return c.zstandard()
	default:
		return nil, fmt.Errorf("compression codec %d is not known", id)
	}
}

func (c *codecs) zstandard() (codec, error) {
	if c.zstd == nil {
		// 128 MiB is the largest window that zstd itself decodes unless it is told otherwise.
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		c.zstd = &zstdCodec{d: d}
	}
	return c.zstd, nil
}

func (c *codecs) close() {
	if c.zstd != nil {
		c.zstd.d.Close()
	}
	*c = codecs{}
}

var errClaim = errors.New("does not expand to what it claims")

type zstdCodec struct{ d *zstd.Decoder }

// ZstdRatio is the most bytes that one byte of zstd can expand to: a block of four bytes, a header and one byte repeated, expands to
// 128 KiB at most.
const ZstdRatio = 1 << 15

func (z *zstdCodec) ratio() int64 { return ZstdRatio }

func (z *zstdCodec) expand(dst, src []byte) error {
	out, err := z.d.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && copy(dst, out) != len(dst) { // onto itself, but for a decoder that moved it
		err = errClaim
	}
	return err
}

// decompress expands a buffer that lies at offset of the body: eight bytes of length, -1 where what follows is as it is,
// and the compressed bytes.
func (c *columns) decompress(what string, raw []byte, offset, need, align int64) (*memory.Buffer, error) {
	if len(raw) < 8 {
		return nil, fmt.Errorf("%s buffer of %d bytes has no length", what, len(raw))
	}
	claim := int64(binary.LittleEndian.Uint64(raw))
	raw = raw[8:]
	if claim == -1 {
		return c.take(what, raw, offset+8, need, align)
	}
	if need == everything {
		need = claim
	}
	switch expands := c.codec.ratio() * int64(len(raw)); {
	case claim < 0 || claim > expands || claim > math.MaxInt-64:
		return nil, fmt.Errorf("%s buffer claims that %d bytes expand to %d", what, len(raw), claim)
	case claim < need:
		return nil, fmt.Errorf("%s buffer of %d bytes, want %d", what, claim, need)
	case claim > c.budget:
		return nil, fmt.Errorf("%s buffer of %d bytes is over the batch's limit", what, claim)
	}
	c.budget -= claim
	buf := c.keep(memory.NewResizableBuffer(c.mem))
	buf.Resize(int(claim))
	if err := expand(c.codec, buf.Bytes(), raw); err != nil {
		return nil, fmt.Errorf("decompressing its %s buffer: %w", what, err)
	}
	return c.keep(memory.SliceBuffer(buf, 0, int(need))), nil
}

// expand is the boundary at which a panic of a decompressor becomes an error: the bytes are not trusted, and the
// decompressors are not ours.
func expand(c codec, dst, src []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decompressor: %v", p)
		}
	}()
	return c.expand(dst, src)
}

// Zstd expands zstd of other formats, where it is known to how many bytes. Its zero value is ready; Close frees what Expand needs.
type Zstd struct{ codecs codecs }

// Expand fills dst from src: anything else that src holds, and a panic of the decompressor, are errors.
func (z *Zstd) Expand(dst, src []byte) error {
	c, err := z.codecs.zstandard()
	if err != nil {
		return err
	}
	return expand(c, dst, src)
}

func (z *Zstd) Close() { z.codecs.close() }
