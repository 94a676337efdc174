package stream

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// members reads the stream format: one stream, or several with equal schemas, each with its end marker.
type members struct {
	source source
	limits Limits
	schema *arrow.Schema
}

// newMembers reads the first schema.
func newMembers(s source, l Limits) (*members, error) {
	m := &members{source: s, limits: l}
	n, err := prefix(s, l)
	if err == io.EOF {
		return nil, errNoBytes
	}
	if err != nil {
		return nil, err
	}
	m.schema, err = m.readSchema(n)
	return m, err
}

// readSchema reads a schema message whose metadata has n bytes.
func (m *members) readSchema(n int64) (*arrow.Schema, error) {
	if n == 0 {
		return nil, Errorf("not an Arrow stream: an end marker in place of a schema")
	}
	msg, err := m.readMessage(n)
	if err != nil {
		return nil, err
	}
	if msg.kind != messageSchema || msg.body != 0 {
		return nil, Errorf("got a message of kind %d with a body of %d bytes where the schema should be", msg.kind, msg.body)
	}
	return decodeSchema(msg.header, m.limits)
}

func (m *members) readMessage(n int64) (message, error) {
	metadata, err := m.source.header(n)
	if err != nil {
		return message{}, cut(err)
	}
	return parseMessage(metadata, m.limits)
}

// next reads on to the next record batch, across the borders of members.
func (m *members) next() (batch table, body []byte, owner *memory.Buffer, err error) {
	n, err := prefix(m.source, m.limits)
	for ; err == nil && n == 0; n, err = prefix(m.source, m.limits) {
		if err := m.nextMember(); err != nil {
			return table{}, nil, nil, err
		}
	}
	if err != nil {
		return table{}, nil, nil, cut(err)
	}
	msg, err := m.readMessage(n)
	if err != nil {
		return table{}, nil, nil, err
	}
	if msg.kind != messageRecordBatch {
		return table{}, nil, nil, Errorf("got a message of kind %d where a record batch or the end marker should be", msg.kind)
	}
	if _, piped := m.source.(*pipe); piped && msg.body > m.limits.Batch {
		return table{}, nil, nil, Errorf("claims a body of %d bytes, the limit is %d", msg.body, m.limits.Batch)
	}
	body, owner, err = m.source.body(msg.body)
	if err != nil {
		return table{}, nil, nil, cut(err)
	}
	return msg.header, body, owner, nil
}

// nextMember reads, after an end marker, the next stream's schema, which must equal the first; io.EOF where there is no
// next stream.
func (m *members) nextMember() error {
	n, err := prefix(m.source, m.limits)
	switch {
	case err == io.EOF:
		return err
	case err != nil && errors.Is(err, ErrInput):
		return Errorf("bytes after the end marker: %w", err)
	case err != nil:
		return err
	}
	schema, err := m.readSchema(n)
	if err != nil {
		return Errorf("after the end marker: %w", err)
	}
	if err := sameSchema(m.schema, schema); err != nil {
		return Errorf("the stream joined on differs from the first: %w", err)
	}
	return nil
}

// cut makes of an end of the bytes inside a stream the error that says so.
func cut(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	return err
}
