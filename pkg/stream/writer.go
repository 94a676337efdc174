package stream

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// Writer writes one stream. Its bytes depend on the schema, the records and the options alone.
type Writer struct {
	buf     *bufio.Writer
	w       recordWriter
	batches int64
	err     error // the first; sticky
	closed  bool
}

// recordWriter is what Arrow's two writers have in common.
type recordWriter interface {
	Write(arrow.Record) error
	Close() error
}

// NewWriter returns a writer of records of the given schema to w. Nothing is written before the first Write or Close.
func NewWriter(w io.Writer, schema *arrow.Schema, opts ...Option) (*Writer, error) {
	c := newConfig(opts)
	options := []ipc.Option{ipc.WithSchema(schema), ipc.WithAllocator(c.mem)}
	switch c.compression {
	case "", "none":
	case "zstd":
		options = append(options, ipc.WithZstd())
	case "lz4":
		options = append(options, ipc.WithLZ4())
	default:
		return nil, fmt.Errorf("compression %q is not known: want none, zstd or lz4", c.compression)
	}
	buf := bufio.NewWriterSize(w, 1<<16)
	if !c.fileFormat {
		return &Writer{buf: buf, w: ipc.NewWriter(buf, options...)}, nil
	}
	file, err := ipc.NewFileWriter(&counter{w: buf}, options...)
	if err != nil {
		return nil, fmt.Errorf("writing the file format: %w", err)
	}
	return &Writer{buf: buf, w: file}, nil
}

// Write writes a record, of the writer's schema, and passes it on to the underlying writer whole.
func (w *Writer) Write(rec arrow.Record) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return w.Fail(errors.New("writing a batch after the end marker"))
	}
	err := w.encode(rec)
	if err == nil {
		err = w.buf.Flush()
	}
	if err != nil {
		return w.Fail(fmt.Errorf("writing batch %d: %w", w.batches, err))
	}
	w.batches++
	return nil
}

// encode is the boundary at which a panic of Arrow's writers becomes an error: they do on some empty slices.
func (w *Writer) encode(rec arrow.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encoding: %v", p)
		}
	}()
	return w.w.Write(rec)
}

// Fail returns err and makes every later call return it: a stream that lacks what the writer could not take must not end
// with the marker of success.
func (w *Writer) Fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// Close writes the end marker or the footer, which tells readers that the writer succeeded: call it on the success path
// only. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil || w.closed {
		return w.err
	}
	w.closed = true
	err := w.w.Close()
	if err == nil {
		err = w.buf.Flush()
	}
	if err != nil {
		return w.Fail(fmt.Errorf("writing the end marker: %w", err))
	}
	return nil
}

// counter is the io.WriteSeeker that Arrow's file writer wants, over a plain writer: it only ever asks where it is.
type counter struct {
	w  io.Writer
	at int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.at += int64(n)
	return n, err
}

func (c *counter) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("seeking in a stream")
	}
	return c.at, nil
}
