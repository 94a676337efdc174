package schema

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Pick returns a batch of its own of the rows of b, from (inclusive) to to (exclusive), whose ids keep takes, copied: the caller
// releases it. Its rows know their positions; First is that of the first. nil where there are none.
func (b *SamplesBatch) Pick(from, to int, keep func(id string) bool) (*SamplesBatch, error) {
	var runs [][2]int // of consecutive rows
	var at []int64
	for i := from; i < to; i++ {
		if !keep(b.ID(i)) {
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last][1] == i {
			runs[last][1]++
		} else {
			runs = append(runs, [2]int{i, i + 1})
		}
		at = append(at, b.Row(i))
	}
	if len(at) == 0 {
		return nil, nil
	}
	columns := make([]arrow.Array, b.record.NumCols())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for k := range columns {
		var err error
		if columns[k], err = pick(b.record.Column(k), runs); err != nil {
			return nil, fmt.Errorf("picking rows of column %q: %w", b.record.ColumnName(k), err)
		}
	}
	record := array.NewRecord(b.record.Schema(), columns, int64(len(at)))
	picked, err := b.reader.batch(record, at[0])
	if err != nil {
		record.Release()
		return nil, err
	}
	picked.check.at = at
	return picked, nil
}

// pick returns runs of a column, joined.
func pick(column arrow.Array, runs [][2]int) (arrow.Array, error) {
	parts := make([]arrow.Array, len(runs))
	for k, r := range runs {
		parts[k] = array.NewSlice(column, int64(r[0]), int64(r[1]))
	}
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	return array.Concatenate(parts, memory.DefaultAllocator)
}
