package schema

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPick holds that picked rows are the rows of the batch that keep takes, in order and with their positions in the stream,
// and that they stay what they are when the reader has gone on.
func TestPick(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := anySamples(rt)
		cut, mask := rapid.IntRange(0, len(rows)).Draw(rt, "rows of the first batch"), rapid.Uint32().Draw(rt, "mask")
		from, to := rapid.IntRange(0, 3).Draw(rt, "from"), rapid.IntRange(3, 40).Draw(rt, "to")
		keep := func(id string) bool {
			h := fnv.New32()
			io.WriteString(h, id)
			return mask>>(h.Sum32()%32)&1 == 1
		}
		r, err := NewSamplesReader(reopenPipe(t, slices.Concat(writeSamples(t, header(), rows[:cut]), writeSamples(t, header(), rows[cut:]))))
		if err != nil {
			rt.Fatal(err)
		}
		var picked []*SamplesBatch
		var want []int // rows of the stream
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				rt.Fatal(err)
			}
			from, to, before := min(from, b.Rows()), min(to, b.Rows()), len(want)
			for i := from; i < to; i++ {
				if keep(b.ID(i)) {
					want = append(want, int(b.Row(i)))
				}
			}
			p, err := b.Pick(from, to, keep)
			if err != nil || (p == nil) != (len(want) == before) {
				rt.Fatalf("picked %v of %d rows, %v", p, len(want)-before, err)
			}
			if p != nil {
				if p.First() != int64(want[before]) || p.Rows() != len(want)-before {
					rt.Fatalf("picked %d rows from %d, want %d from %d", p.Rows(), p.First(), len(want)-before, want[before])
				}
				picked = append(picked, p)
			}
		}
		at := 0
		for _, p := range picked {
			for i := range p.Rows() {
				if p.Row(i) != int64(want[at]) {
					rt.Fatalf("row %d of the pick is row %d of the stream, want %d", i, p.Row(i), want[at])
				}
				equalRow(rt, p, i, rows[want[at]])
				at++
			}
			p.Release()
		}
		if at != len(want) {
			rt.Fatalf("picked %d rows, want %d", at, len(want))
		}
	})
}

// equalRow holds row i of a batch to the sample that was written.
func equalRow(t *rapid.T, b *SamplesBatch, i int, s Sample) {
	if b.ID(i) != s.ID || b.Label(i) != s.Label {
		t.Fatalf("row %d: %q, label %d, want %q, %d", i, b.ID(i), b.Label(i), s.ID, s.Label)
	}
	got := make([]float32, 3)
	for p, x := range s.Tensors {
		if b.Present(p, i) != (x != nil) {
			t.Fatalf("row %d: modality %d present %t", i, p, b.Present(p, i))
		}
		b.CopyRow(p, i, got)
		switch x := x.(type) {
		case []float32:
			if !slices.Equal(got[:2], x) {
				t.Fatalf("row %d: %v, want %v", i, got[:2], x)
			}
		case []uint8:
			if fmt.Sprint(got) != fmt.Sprint(x) {
				t.Fatalf("row %d: %v, want %v", i, got, x)
			}
		}
	}
}

// TestPickNamesRows holds that what is wrong with a picked row is told by its position in the stream.
func TestPickNamesRows(t *testing.T) {
	rows := someSamples()
	zero := float32(0)
	rows[2].Tensors[0] = []float32{1, zero / zero}
	r, err := NewSamplesReader(reopenPipe(t, writeSamples(t, header(), rows)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Pick(0, 3, func(id string) bool { return id != "é1" })
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	if p.Rows() != 2 || len(p.Columns()) != 0 {
		t.Errorf("%d rows and %d columns more", p.Rows(), len(p.Columns()))
	}
	if err := p.CheckFinite(); err == nil || err.Error() != b.CheckFinite().Error() {
		t.Errorf("the pick says %v, the batch %v", err, b.CheckFinite())
	}
}
