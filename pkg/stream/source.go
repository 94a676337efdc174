package stream

import (
	"bufio"
	"io"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// A source yields the bytes of a stream in order.
//
// Both methods return io.EOF where no byte is left, io.ErrUnexpectedEOF where some but not n are, and any other error
// as the operating system gave it.
type source interface {
	// header returns the next n bytes, valid until the next call.
	header(n int64) ([]byte, error)
	// body returns the next n bytes and the buffer that owns them, nil where the mapping does. The caller releases it.
	body(n int64) ([]byte, *memory.Buffer, error)
}

// mapping is a source over bytes in memory; nothing is copied.
type mapping struct {
	data []byte
	at   int64
}

func (m *mapping) header(n int64) ([]byte, error) {
	rest := int64(len(m.data)) - m.at
	if n > rest {
		if rest == 0 {
			return nil, io.EOF
		}
		return nil, io.ErrUnexpectedEOF
	}
	b := m.data[m.at : m.at+n : m.at+n]
	m.at += n
	return b, nil
}

func (m *mapping) body(n int64) ([]byte, *memory.Buffer, error) {
	b, err := m.header(n)
	return b, nil, err
}

// firstChunk is how much memory a pipe's header gets on its word alone; beyond it, memory at most doubles what arrived.
const firstChunk = 1 << 20

// pipe is a source over a reader.
type pipe struct {
	r       *bufio.Reader
	mem     memory.Allocator
	buf     []byte // of header
	largest int64  // body that really came
}

func newPipe(r io.Reader, mem memory.Allocator) *pipe {
	return &pipe{r: bufio.NewReaderSize(r, 1<<16), mem: mem}
}

func (p *pipe) header(n int64) ([]byte, error) {
	for got := int64(0); ; {
		step := min(n, max(firstChunk, 2*got))
		if int64(cap(p.buf)) < step {
			p.buf = append(make([]byte, 0, step), p.buf[:got]...)
		}
		p.buf = p.buf[:max(step, got)]
		k, err := io.ReadFull(p.r, p.buf[got:step])
		if got += int64(k); err != nil {
			return nil, partial(err, got)
		}
		if got == n {
			return p.buf[:n:n], nil
		}
	}
}

func (p *pipe) body(n int64) ([]byte, *memory.Buffer, error) {
	buf := memory.NewResizableBuffer(p.mem)
	for got := int64(0); got < n; {
		step := min(n, max(firstChunk, 2*got, p.largest))
		buf.ResizeNoShrink(int(step))
		k, err := io.ReadFull(p.r, buf.Bytes()[got:step])
		if got += int64(k); err != nil {
			buf.Release()
			return nil, nil, partial(err, got)
		}
	}
	p.largest = max(p.largest, n)
	return buf.Bytes(), buf, nil
}

// partial makes of the error of a read that got n bytes in all what source promises: io.ReadFull says EOF at every chunk
// border.
func partial(err error, n int64) error {
	if err == io.EOF && n > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
