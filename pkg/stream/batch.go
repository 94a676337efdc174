package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// decoder turns record batch messages into records.
type decoder struct {
	schema *arrow.Schema
	mem    memory.Allocator
	limits Limits
	codecs codecs
}

// record decodes a RecordBatch table and its body, which owner owns. The caller releases the record.
func (d *decoder) record(batch table, body []byte, owner *memory.Buffer) (arrow.Record, error) {
	codec, err := d.codecs.of(batch)
	if err != nil {
		return nil, err
	}
	c := &columns{
		body: body, owner: owner, mem: d.mem, codec: codec, budget: d.limits.Batch,
		nodes: batch.vector(1, 16), buffers: batch.vector(2, 16),
	}
	defer c.release()
	rows := batch.int64(0)
	if batch.f.err != nil {
		return nil, batch.f.err
	}
	if rows < 0 || rows > maxRows {
		return nil, fmt.Errorf("claims %d rows", rows)
	}
	arrays := make([]arrow.Array, 0, d.schema.NumFields())
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for _, field := range d.schema.Fields() {
		data, err := c.data(field.Type)
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
	if c.node != c.nodes.n || c.buffer != c.buffers.n {
		return nil, fmt.Errorf("%d field nodes and %d buffers, want %d and %d", c.nodes.n, c.buffers.n, c.node, c.buffer)
	}
	if batch.f.err != nil {
		return nil, batch.f.err
	}
	return array.NewRecord(d.schema, arrays, rows), nil
}
