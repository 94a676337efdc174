package stream

import (
	"errors"
	"io"
)

// members reads the stream format: one stream, or several with equal schemas, each with its end marker.
type members struct {
	source source
	limits Limits
	first  *layout
	layout *layout // of the stream being read
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
	m.first, err = m.readSchema(n)
	m.layout = m.first
	return m, err
}

// readSchema reads a schema message whose metadata has n bytes.
func (m *members) readSchema(n int64) (*layout, error) {
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

// next reads on to the next batch, across the borders of members.
func (m *members) next() (batch, error) {
	n, err := prefix(m.source, m.limits)
	for ; err == nil && n == 0; n, err = prefix(m.source, m.limits) {
		if err := m.nextMember(); err != nil {
			return batch{}, err
		}
	}
	if err != nil {
		return batch{}, cut(err)
	}
	msg, err := m.readMessage(n)
	if err != nil {
		return batch{}, err
	}
	if msg.kind != messageRecordBatch && msg.kind != messageDictionary {
		return batch{}, Errorf("got a message of kind %d where a record batch or the end marker should be", msg.kind)
	}
	if _, piped := m.source.(*pipe); piped && msg.body > m.limits.Batch {
		return batch{}, Errorf("claims a body of %d bytes, the limit is %d", msg.body, m.limits.Batch)
	}
	body, owner, err := m.source.body(msg.body)
	if err != nil {
		return batch{}, cut(err)
	}
	return batch{m.layout, msg, body, owner}, nil
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
	m.layout, err = m.readSchema(n)
	if err != nil {
		return Errorf("after the end marker: %w", err)
	}
	if err := sameSchema(m.first.schema, m.layout.schema); err != nil {
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
