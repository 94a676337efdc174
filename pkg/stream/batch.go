package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// decoder turns record batch messages into records.
type decoder struct {
	schema       *arrow.Schema // of the records: the first stream's, also of those joined on
	layout       *layout       // of the stream being read
	mem          memory.Allocator
	limits       Limits
	codecs       codecs
	dictionaries map[int64]*dictionary
	held         int64 // bytes of all dictionaries
}

// columns begins a RecordBatch table and its body, which owner owns, and returns its number of rows.
func (d *decoder) columns(batch table, body []byte, owner *memory.Buffer) (*columns, int64, error) {
	codec, err := d.codecs.of(batch)
	if err != nil {
		return nil, 0, err
	}
	c := &columns{
		body: body, owner: owner, mem: d.mem, codec: codec, budget: d.limits.Batch,
		nodes: batch.vector(1, 16), buffers: batch.vector(2, 16), counts: batch.vector(4, 8),
		ids: d.layout.ids, dictionaries: d.dictionaries,
	}
	rows := batch.int64(0)
	if batch.f.err != nil {
		return nil, 0, batch.f.err
	}
	if rows < 0 || rows > maxRows {
		return nil, 0, fmt.Errorf("claims %d rows", rows)
	}
	return c, rows, nil
}

// used holds what was read against what the batch has: no node, no buffer is left.
func (c *columns) used(rows int64, read int) error {
	switch {
	case int64(read) != rows:
		return fmt.Errorf("%d values in a batch of %d rows", read, rows)
	case c.node != c.nodes.n || c.buffer != c.buffers.n:
		return fmt.Errorf("%d field nodes and %d buffers, want %d and %d", c.nodes.n, c.buffers.n, c.node, c.buffer)
	}
	return c.nodes.f.err
}

// record decodes a RecordBatch table and its body, which owner owns. The caller releases the record.
func (d *decoder) record(batch table, body []byte, owner *memory.Buffer) (arrow.Record, error) {
	c, rows, err := d.columns(batch, body, owner)
	if err != nil {
		return nil, err
	}
	defer c.release()
	arrays := make([]arrow.Array, 0, d.schema.NumFields())
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for i, field := range d.schema.Fields() {
		data, err := c.data(d.layout.stored[i])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", field.Name, err)
		}
		if int64(data.Len()) != rows {
			err = fmt.Errorf("column %q: %d values in a batch of %d rows", field.Name, data.Len(), rows)
			data.Release()
			return nil, err
		}
		arrays = append(arrays, array.MakeFromData(data))
		data.Release()
	}
	if err := c.used(rows, int(rows)); err != nil {
		return nil, err
	}
	return array.NewRecord(d.schema, arrays, rows), nil
}
