package stream

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	flatbuffers "github.com/google/flatbuffers/go"
)

// schemaMessage frames a Schema table that build makes, as Message.fbs wants it.
func schemaMessage(build func(b *flatbuffers.Builder) flatbuffers.UOffsetT) []byte {
	b := flatbuffers.NewBuilder(1024)
	schema := build(b)
	b.StartObject(5)
	b.PrependInt16Slot(0, metadataV5, 0)
	b.PrependByteSlot(1, messageSchema, 0)
	b.PrependUOffsetTSlot(2, schema, 0)
	b.Finish(b.EndObject())
	out := binary.LittleEndian.AppendUint32(nil, continuation)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(b.FinishedBytes())))
	out = append(out, b.FinishedBytes()...)
	return append(out, "\xff\xff\xff\xff\x00\x00\x00\x00"...)
}

// repeated makes a vector that holds the same offset n times.
func repeated(b *flatbuffers.Builder, at flatbuffers.UOffsetT, n int) flatbuffers.UOffsetT {
	b.StartVector(4, n, 4)
	for range n {
		b.PrependUOffsetT(at)
	}
	return b.EndVector(n)
}

// fieldOf makes a Field of a type without parameters.
func fieldOf(b *flatbuffers.Builder, name flatbuffers.UOffsetT, id byte, children, metadata flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartObject(0)
	body := b.EndObject()
	b.StartObject(7)
	b.PrependUOffsetTSlot(0, name, 0)
	b.PrependByteSlot(2, id, 0)
	b.PrependUOffsetTSlot(3, body, 0)
	b.PrependUOffsetTSlot(5, children, 0)
	b.PrependUOffsetTSlot(6, metadata, 0)
	return b.EndObject()
}

func schemaOf(b *flatbuffers.Builder, fields flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartObject(4)
	b.PrependUOffsetTSlot(1, fields, 0)
	return b.EndObject()
}

// TestSchemaBombs: offsets may lead to one place from many, so a few kilobytes can describe more columns, more text and
// more metadata than any memory holds.
func TestSchemaBombs(t *testing.T) {
	for name, build := range map[string]func(b *flatbuffers.Builder) flatbuffers.UOffsetT{
		"columns of columns": func(b *flatbuffers.Builder) flatbuffers.UOffsetT { // 100^20 of them
			at := fieldOf(b, b.CreateString("x"), typeBool, 0, 0)
			for range 20 {
				at = fieldOf(b, b.CreateString("x"), typeStruct, repeated(b, at, 100), 0)
			}
			return schemaOf(b, repeated(b, at, 1))
		},
		"one long name": func(b *flatbuffers.Builder) flatbuffers.UOffsetT { // 60,000 times a megabyte
			at := fieldOf(b, b.CreateString(string(make([]byte, 1<<20))), typeBool, 0, 0)
			return schemaOf(b, repeated(b, at, 60_000))
		},
		"metadata": func(b *flatbuffers.Builder) flatbuffers.UOffsetT { // 50,000 times 50,000 empty pairs
			b.StartObject(2)
			pair := b.EndObject()
			at := fieldOf(b, b.CreateString("x"), typeBool, 0, repeated(b, pair, 50_000))
			return schemaOf(b, repeated(b, at, 50_000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := schemaMessage(build)
			from, before := time.Now(), allocated()
			if err := consume(openPiped, b); !errors.Is(err, ErrInput) {
				t.Errorf("got %v, want an input error", err)
			}
			if got := allocated() - before; got > 512<<20 || time.Since(from) > 20*time.Second {
				t.Errorf("allocated %d bytes in %v", got, time.Since(from))
			}
		})
	}
	// The message around them is good: the same with one column reads.
	good := schemaMessage(func(b *flatbuffers.Builder) flatbuffers.UOffsetT {
		return schemaOf(b, repeated(b, fieldOf(b, b.CreateString("x"), typeBool, 0, 0), 1))
	})
	if err := consume(openPiped, good); err != nil {
		t.Error(err)
	}
}
