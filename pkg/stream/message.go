package stream

import (
	"encoding/binary"
	"errors"
	"io"
)

// The MessageHeader union of Message.fbs.
const (
	messageSchema      = 1
	messageDictionary  = 2
	messageRecordBatch = 3
)

// Metadata versions that are read: 4 (Arrow 0.8) and 5 (Arrow 1.0) agree on every type that is supported.
const (
	metadataV4 = 3
	metadataV5 = 4
)

const continuation = 0xFFFFFFFF

var magic = []byte("ARROW1")

var (
	errTruncated = Errorf("stream ends without its end marker: its writer failed or was cut off")
	errNoBytes   = Errorf("no bytes at all: its writer failed before the first, or the file is empty")
)

// message is the header of one message. The flatbuffer behind it is borrowed from the source.
type message struct {
	kind   int8
	header table
	body   int64 // bytes that follow
}

// prefix reads the eight bytes before a message and returns the length of its metadata, 0 for the end marker.
//
// It returns io.EOF where no byte is left: the caller knows whether that is an end or a cut.
func prefix(s source, l Limits) (int64, error) {
	b, err := s.header(8)
	switch {
	case err == io.EOF:
		return 0, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 0, errTruncated
	case err != nil:
		return 0, err
	}
	return parsePrefix(b, l)
}

func parsePrefix(b []byte, l Limits) (int64, error) {
	if got := binary.LittleEndian.Uint32(b); got != continuation {
		if string(b[:len(magic)]) == string(magic) {
			return 0, Errorf("is in the Arrow file format: a pipe takes the stream format, and files in that format cannot be joined")
		}
		return 0, Errorf("not an Arrow stream: got %#08x where a message begins, want %#08x", got, uint32(continuation))
	}
	n := int64(int32(binary.LittleEndian.Uint32(b[4:])))
	if n < 0 || n > l.Metadata {
		return 0, Errorf("a message claims %d bytes of metadata, the limit is %d", n, l.Metadata)
	}
	return n, nil
}

// parseMessage parses Message.fbs's Message.
func parseMessage(metadata []byte, l Limits) (message, error) {
	f := &flat{b: metadata, text: l.Metadata}
	t := f.root()
	version := t.int16(0, 0)
	m := message{kind: t.int8(1, 0), body: t.int64(3)}
	m.header, _ = t.table(2)
	if f.err != nil {
		return m, Errorf("message: %w", f.err)
	}
	if version != metadataV4 && version != metadataV5 {
		return m, Errorf("Arrow metadata version %d is not supported", version+1)
	}
	if m.body < 0 {
		return m, Errorf("a message claims a body of %d bytes", m.body)
	}
	return m, nil
}
