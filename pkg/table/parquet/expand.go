package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"

	"mmtools/pkg/stream"
)

// Compressions.
const (
	uncompressed = 0
	snappyCodec  = 1
	gzipCodec    = 2
	lzoCodec     = 3
	brotliCodec  = 4
	lz4Hadoop    = 5
	zstdCodec    = 6
	lz4Raw       = 7
)

var errExpand = errors.New("does not expand to what it claims")

// expand returns size bytes that raw expands to, in buffer where it is not they themselves.
func (k *Chunk) expand(buffer *[]byte, raw []byte, size int64) (out []byte, err error) {
	if k.codec == uncompressed {
		if int64(len(raw)) != size {
			return nil, errExpand
		}
		return raw, nil
	}
	if size == 0 {
		return nil, nil // of what no writer makes anything certain
	}
	// The bytes are not trusted, and the decompressors are not ours.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decompressor: %v", p)
		}
	}()
	// ratio is the most that a byte can expand to, of what needs its whole space beforehand: 64 bytes of three in Snappy, a length
	// byte of 255 in LZ4.
	ratio := map[int64]int64{snappyCodec: 32, lz4Raw: 256, zstdCodec: stream.ZstdRatio}[k.codec]
	if ratio > 0 {
		if size > ratio*int64(len(raw)) {
			return nil, fmt.Errorf("claims that %d bytes expand to %d", len(raw), size)
		}
		*buffer = slices.Grow((*buffer)[:0], int(size))[:size]
	}
	switch k.codec {
	case snappyCodec:
		if n, err := snappy.DecodedLen(raw); err != nil || int64(n) != size {
			return nil, errExpand
		}
		_, err = snappy.Decode(*buffer, raw)
	case lz4Raw:
		var n int
		if n, err = lz4.UncompressBlock(raw, *buffer); err == nil && int64(n) != size {
			err = errExpand
		}
	case zstdCodec:
		err = k.file.zstd.Expand(*buffer, raw)
	case gzipCodec:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(raw)); err == nil {
			err = fill(buffer, r, size)
		}
	case brotliCodec:
		err = fill(buffer, brotli.NewReader(bytes.NewReader(raw)), size)
	case lzoCodec, lz4Hadoop:
		err = fmt.Errorf("compression %s is not supported", map[int64]string{lzoCodec: "LZO", lz4Hadoop: "LZ4 with Hadoop's frames"}[k.codec])
	default:
		err = fmt.Errorf("compression %d is not known", k.codec)
	}
	return *buffer, err
}

// fill reads size bytes, no more and no less, into a buffer that at most doubles what has come.
func fill(buffer *[]byte, r io.Reader, size int64) error {
	b := (*buffer)[:0]
	for int64(len(b)) < size {
		b = slices.Grow(b, min(int(size)-len(b), max(64<<10, len(b))))
		n, err := io.ReadFull(r, b[len(b):min(cap(b), int(size))])
		b = b[:len(b)+n]
		if err != nil {
			return err
		}
	}
	*buffer = b
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return errExpand
	}
	return nil
}
