package stream

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func (c *columns) structure(dt *arrow.StructType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	var children []arrow.ArrayData
	defer func() { releaseAll(children) }()
	for _, field := range dt.Fields() {
		child, err := c.data(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field.Name, err)
		}
		children = append(children, child)
		if child.Len() != rows {
			return nil, fmt.Errorf("%s: %d values in %d structs", field.Name, child.Len(), rows)
		}
	}
	return array.NewData(plain(dt), rows, []*memory.Buffer{valid}, append([]arrow.ArrayData(nil), children...), nulls, 0), nil
}

func (c *columns) fixedSizeList(dt *arrow.FixedSizeListType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	child, err := c.data(dt.Elem())
	if err != nil {
		return nil, err
	}
	defer child.Release()
	if need, ok := product(int64(rows), int64(dt.Len())); !ok || int64(child.Len()) < need {
		return nil, fmt.Errorf("%d values in %d lists of %d", child.Len(), rows, dt.Len())
	}
	return array.NewData(plain(dt), rows, []*memory.Buffer{valid}, []arrow.ArrayData{child}, nulls, 0), nil
}

func (c *columns) list(dt, elem arrow.DataType, width int64, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	offsets, end, err := c.offsets(width, rows)
	if err != nil {
		return nil, err
	}
	child, err := c.data(elem)
	if err != nil {
		return nil, err
	}
	defer child.Release()
	if end > int64(child.Len()) {
		return nil, fmt.Errorf("offsets lead to value %d of %d", end, child.Len())
	}
	return array.NewData(plain(dt), rows, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{child}, nulls, 0), nil
}

// product multiplies two numbers from 0; ok is false where the result is no int64.
func product(a, b int64) (n int64, ok bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	return int64(low), high == 0 && low <= math.MaxInt64
}

func releaseAll(children []arrow.ArrayData) {
	for _, child := range children {
		child.Release()
	}
}
