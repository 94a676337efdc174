package stream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// blocks reads the file format: the footer, and the blocks that it names, out of a mapping.
type blocks struct {
	data   []byte
	limits Limits
	layout *layout
	list   []block // the dictionaries, and then the record batches
	first  int     // of these, where the record batches begin
	at     int
}

// block is where a message lies; offset + metadata + body is inside the file.
type block struct{ offset, metadata, body int64 }

func (b block) end() int64 { return b.offset + b.metadata + b.body }

// isFileFormat reports whether data begins as the file format does: no stream can, its first four bytes are FF.
func isFileFormat(data []byte) bool { return bytes.HasPrefix(data, magic) }

// newBlocks reads File.fbs's Footer: magic and two bytes, messages, footer, its length in four bytes, magic.
func newBlocks(data []byte, l Limits) (*blocks, error) {
	const tail = 4 + 6
	end := int64(len(data)) - tail
	if end < 8 || !bytes.HasSuffix(data, magic) {
		return nil, Errorf("file ends without its footer: its writer failed or was cut off")
	}
	size := int64(int32(binary.LittleEndian.Uint32(data[end:])))
	if size <= 0 || size > end-8 || size > l.Metadata {
		return nil, Errorf("footer claims %d bytes", size)
	}
	start := end - size
	f := &flat{b: data[start:end], text: l.Metadata}
	footer := f.root()
	schema, ok := footer.table(1)
	if !ok || f.err != nil {
		return nil, Errorf("footer: %w", errMetadata)
	}
	b := &blocks{data: data[:start], limits: l}
	var err error
	if b.layout, err = decodeSchema(schema, l); err != nil {
		return nil, err
	}
	if err := b.readBlocks(footer.vector(2, 24)); err != nil {
		return nil, err
	}
	b.first = len(b.list)
	if err := b.readBlocks(footer.vector(3, 24)); err != nil {
		return nil, err
	}
	if err := b.checkCover(); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, Errorf("footer: %w", f.err)
	}
	return b, nil
}

// readBlocks reads the vector of File.fbs's Block: int64 offset, int32 length of the metadata with its prefix, four
// bytes of padding, int64 length of the body.
func (b *blocks) readBlocks(v vector) error {
	size := int64(len(b.data))
	for i := range v.n {
		k := block{v.int64(i, 0), int64(int32(v.int64(i, 8))), v.int64(i, 16)}
		if k.offset < 8 || k.metadata < 8 || k.body < 0 || k.metadata > b.limits.Metadata ||
			k.offset > size || k.metadata > size-k.offset || k.body > size-k.offset-k.metadata {
			return Errorf("footer: batch %d of %d + %d bytes at %d does not lie in the file", i, k.metadata, k.body, k.offset)
		}
		b.list = append(b.list, k)
	}
	return nil
}

// checkCover returns an error where messages lie in the file that no block covers, as when two files are joined: the
// last footer's offsets then lead into the first file, whose rows would be read under the wrong footer.
func (b *blocks) checkCover() error {
	sorted := slices.SortedFunc(slices.Values(b.list), func(x, y block) int { return int(x.offset - y.offset) })
	at := int64(8)
	if len(sorted) == 0 || sorted[0].offset != at { // Apache Arrow's JavaScript writes no schema but the footer's
		n, err := parsePrefix(b.data[at:min(16, len(b.data))], b.limits)
		if err != nil {
			return fmt.Errorf("schema message: %w", err)
		}
		at += 8 + n
	}
	for i, k := range sorted {
		if k.offset < at || k.offset-at > maxGap {
			return Errorf("footer: batch %d lies at %d, want %d", i, k.offset, at)
		}
		at = k.end()
	}
	if size := int64(len(b.data)); size < at || size-at > maxGap {
		return Errorf("footer: %d bytes of the file belong to no batch: files in the file format cannot be joined", size-at)
	}
	return nil
}

// maxGap is how many bytes of padding, or of an end marker, may lie between messages.
const maxGap = 64

func (b *blocks) next() (batch, error) {
	if b.at == len(b.list) {
		return batch{}, io.EOF
	}
	k, want := b.list[b.at], int8(messageRecordBatch)
	if b.at < b.first {
		want = messageDictionary
	}
	b.at++
	bodyAt := k.offset + k.metadata
	n, err := parsePrefix(b.data[k.offset:], b.limits)
	if err != nil {
		return batch{}, err
	}
	if n+8 > k.metadata {
		return batch{}, Errorf("claims %d bytes of metadata, its block has %d", n, k.metadata-8)
	}
	msg, err := parseMessage(b.data[k.offset+8:k.offset+8+n], b.limits)
	if err != nil {
		return batch{}, err
	}
	if msg.kind != want || msg.body != k.body {
		return batch{}, Errorf("got a message of kind %d with a body of %d bytes, its block says kind %d with %d", msg.kind, msg.body, want, k.body)
	}
	return batch{b.layout, msg, b.data[bodyAt:k.end():k.end()], nil}, nil
}
