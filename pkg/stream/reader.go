package stream

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Reader reads one logical stream: a pipe, or a mapped file in either format, concatenated streams joined.
//
// A Reader is used by one goroutine at a time. Its records may be retained, and released from any goroutine; those of a
// mapped file are valid until Close, whatever their reference count.
type Reader struct {
	config
	schema  *arrow.Schema
	decoder decoder
	batches batches
	mapped  []byte   // the mapping to give back
	passed  int      // bytes of it behind the last batches, whose pages are given back
	data    []byte   // the part of it that is the stream
	file    *os.File // to close
	pipe    bool
	memory  *recycler
	batch   int64 // of the next one, counted over concatenated streams
	record  arrow.Record
	err     error // of the last Next; sticky
}

// batches yields the batches of a stream in order: of the stream format (members) or the file format (blocks).
type batches interface {
	// next returns io.EOF only where the stream ends as it should.
	next() (batch, error)
}

// batch is the message of a dictionary or of rows, and its body.
type batch struct {
	layout *layout // of the stream that it belongs to
	message
	bytes []byte
	owner *memory.Buffer // of the body, nil where the mapping owns it; who gets it releases it
}

// NewReader returns a reader of the stream format from r, from which it reads no more than it needs and a buffer. It
// does not close r.
//
// The error is ErrInput where the schema is bad, and that of r where it cannot be read.
func NewReader(r io.Reader, opts ...Option) (*Reader, error) {
	c := newConfig(opts)
	reader := &Reader{config: c, pipe: true, memory: newRecycler(c.mem)}
	if err := reader.start(newPipe(r, reader.memory)); err != nil {
		return nil, err
	}
	return reader, nil
}

// OpenFile maps a file, in either format, and returns a reader of it. What is not a regular file, such as a named pipe,
// is read as NewReader does.
func OpenFile(path string, opts ...Option) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := FromFile(f, append([]Option{WithName(path)}, opts...)...)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.file = f
	return r, nil
}

// FromFile returns a reader of an open file from its current position: mapped where it is a regular file, as standard
// input is after `<`, and otherwise as NewReader does. It does not close f, which must stay open while the reader is used.
func FromFile(f *os.File, opts ...Option) (*Reader, error) {
	mapped, data, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	if mapped == nil && data == nil {
		widen(f)
		return NewReader(f, opts...)
	}
	r, err := newMapped(data, opts)
	if err != nil {
		unmap(mapped)
		return nil, err
	}
	r.mapped = mapped
	return r, nil
}

func newMapped(data []byte, opts []Option) (*Reader, error) {
	c := newConfig(opts)
	r := &Reader{config: c, data: data, memory: newRecycler(c.mem)}
	return r, r.startMapped()
}

func (r *Reader) startMapped() error {
	if isFileFormat(r.data) {
		blocks, err := newBlocks(r.data, r.limits)
		if err != nil {
			return r.errorf(err)
		}
		r.use(blocks.layout, blocks)
		return nil
	}
	return r.start(&mapping{data: r.data})
}

func (r *Reader) start(s source) error {
	members, err := newMembers(s, r.limits)
	if err != nil {
		return r.errorf(err)
	}
	r.use(members.first, members)
	return nil
}

func (r *Reader) use(l *layout, b batches) {
	if r.schema == nil {
		r.schema = l.schema
		r.decoder = decoder{schema: l.schema, mem: r.memory, limits: r.limits}
	}
	r.batches = b
}

// Schema returns the schema, with the metadata of the first of concatenated streams.
func (r *Reader) Schema() *arrow.Schema { return r.schema }

// Name returns the name that errors begin with.
func (r *Reader) Name() string { return r.name }

// Mapped reports whether the stream is a mapped file, so that it can be read again and its records are cheap to retain.
func (r *Reader) Mapped() bool { return !r.pipe }

// Batch returns how many batches Next has returned since the beginning or Rewind.
func (r *Reader) Batch() int64 { return r.batch }

// Next returns the next record, borrowed until the next call of Next, Rewind or Close; Retain it to keep it.
//
// It returns io.EOF only after an end marker or footer, and an error that is ErrInput, with the name and the number of
// the batch counted from 0, for what breaks the rules.
func (r *Reader) Next() (arrow.Record, error) {
	r.drop()
	if r.err != nil {
		return nil, r.err
	}
	record, err := r.next()
	switch {
	case err == io.EOF:
		r.err = err
		return nil, err
	case err != nil:
		r.err = r.errorf(fmt.Errorf("batch %d: %w", r.batch, err))
		return nil, r.err
	}
	r.record = record
	r.batch++
	return record, nil
}

func (r *Reader) next() (arrow.Record, error) {
	for {
		b, err := r.batches.next()
		if err != nil {
			return nil, err
		}
		record, err := r.decode(b)
		if err != nil {
			return nil, Errorf("%w", err)
		}
		if record != nil {
			return record, nil
		}
	}
}

// decode returns the record of a batch of rows, or nil of a dictionary, which it keeps.
func (r *Reader) decode(b batch) (arrow.Record, error) {
	if b.owner != nil {
		defer b.owner.Release()
	}
	r.pass(b.bytes)
	r.decoder.use(b.layout)
	if b.kind == messageDictionary {
		return nil, r.decoder.dictionary(b.header, b.bytes, b.owner)
	}
	return r.decoder.record(b.header, b.bytes, b.owner)
}

// window is how much of a mapping stays in memory behind the batch being read.
const window = 16 << 20

// pass gives the pages of the mapping well behind a batch's body back, so that a file read once takes no more memory than a
// pipe. Records that were retained stay valid: their pages are read again when they are used.
func (r *Reader) pass(body []byte) {
	if len(r.mapped) < 2*window || len(body) == 0 {
		return
	}
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(body))) - uintptr(unsafe.Pointer(unsafe.SliceData(r.mapped))))
	if at < 0 || at >= len(r.mapped) || at-r.passed < 2*window {
		return // a copy of a body that was not aligned, or not far enough
	}
	end := (at - window) &^ (os.Getpagesize() - 1)
	forget(r.mapped[r.passed:end])
	r.passed = end
}

// Rewind goes back to the first batch; ErrNotSeekable for a pipe.
func (r *Reader) Rewind() error {
	if r.pipe {
		return fmt.Errorf("%s: %w", r.name, ErrNotSeekable)
	}
	r.drop()
	r.decoder.forget()
	r.batch, r.err, r.passed = 0, nil, 0
	return r.startMapped()
}

// Close releases the last record and the mapping. The records retained from a mapped file end with it; those of a pipe
// stay.
func (r *Reader) Close() error {
	r.drop()
	r.err = errors.New("stream is closed")
	r.decoder.close()
	r.memory.close()
	err := unmap(r.mapped)
	r.mapped, r.data = nil, nil
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
		r.file = nil
	}
	return err
}

func (r *Reader) drop() {
	if r.record != nil {
		r.record.Release()
		r.record = nil
	}
}

// errorf puts the stream's name before err.
func (r *Reader) errorf(err error) error { return fmt.Errorf("%s: %w", r.name, err) }
