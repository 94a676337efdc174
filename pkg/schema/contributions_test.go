package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mmtools/pkg/modality"
)

// TestPassThrough: columns of the samples that nobody knows reach the contributions, those whose names are taken do not.
func TestPassThrough(t *testing.T) {
	strs := array.NewStringBuilder(memory.DefaultAllocator)
	strs.AppendValues([]string{"a", "b"}, nil)
	ints := array.NewInt32Builder(memory.DefaultAllocator)
	ints.AppendValues([]int32{5, 6}, []bool{true, false})
	columns := []arrow.Array{strs.NewArray(), ints.NewArray()}
	c := Contributions{Header: header(), StdErr: true, Permutations: 9, Columns: []arrow.Field{
		{Name: "phi_audio", Type: arrow.BinaryTypes.String}, {Name: "fold", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}}
	var out bytes.Buffer
	w, err := NewContributionsWriter(&out, c)
	if err != nil {
		t.Fatal(err)
	}
	rows := ContributionRows{
		Rows: 2, ID: func(i int) string { return fmt.Sprint(i) }, Label: []int32{0, 1}, Prediction: []int32{0, 1},
		Phi: []float64{1, 2, 3, 4, 5, 6}, StdErr: []float64{.1, .2, .3, .4, .5, math.NaN()}, Columns: columns,
	}
	if err := errors.Join(w.Append(rows), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := NewContributionsReader(reopenPipe(t, out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Contributions(); len(got.Columns) != 1 || got.Columns[0].Name != "fold" || !got.StdErr || got.Permutations != 9 || got.Right {
		t.Errorf("got %+v", got)
	}
	if got := b.Columns(); len(got) != 1 || !array.Equal(got[0], columns[1]) {
		t.Errorf("columns %v, want %v", got, columns[1])
	}
	if !slices.Equal(b.Phi(1), []float64{2, 5}) || b.StdErr(0)[1] != .4 || !math.IsNaN(b.StdErr(2)[1]) {
		t.Errorf("phi %v, standard errors %v", b.phi, b.stderr)
	}
	if _, ok := b.Right(0); ok {
		t.Error("right is known")
	}
	for _, bad := range []func(*ContributionRows){
		func(b *ContributionRows) { b.Label = b.Label[:1] }, func(b *ContributionRows) { b.Phi = b.Phi[:5] },
		func(b *ContributionRows) { b.StdErr = nil }, func(b *ContributionRows) { b.Columns = nil },
		func(b *ContributionRows) { b.Prediction = []int32{0, 3} }, func(b *ContributionRows) { b.Right = make([]bool, 16) },
		func(b *ContributionRows) { b.Phi = []float64{1, 2, 3, 4, 5, math.Inf(1)} },
		func(b *ContributionRows) { b.ID = func(int) string { return "\xff" } },
		func(b *ContributionRows) { b.Columns = []arrow.Array{columns[0], array.NewSlice(columns[1], 0, 1)} },
	} {
		w, err := NewContributionsWriter(io.Discard, c)
		if err != nil {
			t.Fatal(err)
		}
		changed := rows
		if bad(&changed); w.Append(changed) == nil || w.Close() == nil {
			t.Errorf("rows %+v were taken", changed)
		}
	}
	seven := header()
	for i := range 4 {
		seven.Modalities = append(seven.Modalities, modality.Modality{Name: fmt.Sprint("m", i)})
	}
	if _, err := NewContributionsWriter(io.Discard, Contributions{Header: seven, Right: true}); err == nil {
		t.Error("the answers of 2^7 coalitions were taken")
	}
}

// TestForeignNulls: what another writer left under a null phi does not show.
func TestForeignNulls(t *testing.T) {
	h := header()
	h.Modalities = h.Modalities[:1]
	fields := []arrow.Field{field("id", arrow.BinaryTypes.String), field("row", arrow.PrimitiveTypes.Int64), field("label", arrow.PrimitiveTypes.Int32),
		field("prediction", arrow.PrimitiveTypes.Int32), field("phi_audio", arrow.PrimitiveTypes.Float64)}
	r, err := NewContributionsReader(odd(t, h, KindContributions, nil, fields,
		`[{"id":"a","row":0,"label":0,"prediction":1,"phi_audio":null},{"id":"b","row":1,"label":0,"prediction":1,"phi_audio":0.5}]`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Phi(0); !math.IsNaN(got[0]) || got[1] != 0.5 {
		t.Errorf("phi %v, want NaN and 0.5", got)
	}
}
