package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"pgregory.net/rapid"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// TestTensorExtension: other readers must find the canonical extension type as its specification writes it
// (https://arrow.apache.org/docs/format/CanonicalExtensions.html, "Fixed shape tensor").
func TestTensorExtension(t *testing.T) {
	r, err := ipc.NewReader(bytes.NewReader(writeSamples(t, header(), someSamples())))
	if err != nil {
		t.Fatal(err)
	}
	f := r.Schema().Field(2)
	want := map[string]string{"ARROW:extension:name": "arrow.fixed_shape_tensor", "ARROW:extension:metadata": `{"shape":[1,2]}`, "mm.modality": "audio"}
	if got := f.Metadata.ToMap(); !reflect.DeepEqual(got, want) {
		t.Errorf("metadata %v, want %v", got, want)
	}
	if !arrow.TypeEqual(f.Type, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float32)) || f.Name != "audio" {
		t.Errorf("column %v", f)
	}
	if got, _ := r.Schema().Metadata().GetValue("mm.classes"); got != `["a","b<&>","c"]` {
		t.Errorf("mm.classes is %s", got)
	}
	if got, _ := r.Schema().Metadata().GetValue("mm.digest"); got != `{"samples":"sha256:00"}` {
		t.Errorf("mm.digest is %s", got)
	}
}

// TestPlainLists: written as lists, tensors have no extension type, and are read with the same shape and kind.
func TestPlainLists(t *testing.T) {
	var out bytes.Buffer
	w, err := NewSamplesWriter(&out, Samples{Header: header(), DTypes: []DType{Float32, Uint8, Float16}, Lists: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := stream.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if samples, err := NewSamplesReader(in); err != nil || !reflect.DeepEqual(samples.Header().Modalities, header().Modalities) {
		t.Errorf("got %v, %v", samples, err)
	}
	r, err := ipc.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Schema().Field(2).Metadata.ToMap(), map[string]string{"mm.shape": "[1,2]", "mm.modality": "audio"}; !reflect.DeepEqual(got, want) {
		t.Errorf("metadata %v, want %v", got, want)
	}
}

// anySamples draws samples of three modalities.
func anySamples(t *rapid.T) []Sample {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Sample {
		s := Sample{ID: rapid.String().Draw(t, "id"), Label: rapid.Int32Range(-1, 2).Draw(t, "label"), Tensors: make([]any, 3)}
		if rapid.Bool().Draw(t, "audio") {
			s.Tensors[0] = rapid.SliceOfN(rapid.Float32(), 2, 2).Draw(t, "audio")
		}
		if rapid.Bool().Draw(t, "image") {
			s.Tensors[1] = rapid.SliceOfN(rapid.Uint8(), 3, 3).Draw(t, "image")
		}
		if rapid.Bool().Draw(t, "text") {
			s.Tensors[2] = []float16.Num{float16.New(rapid.Float32Range(-9, 9).Draw(t, "x")), float16.New(1)}
		}
		return s
	}), 0, 30).Draw(t, "samples")
}

func TestAnySamplesRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := anySamples(rt)
		r, err := NewSamplesReader(reopenPipe(t, writeSamples(t, header(), rows)))
		if err != nil {
			rt.Fatal(err)
		}
		at := 0
		err = each(r.Next, func(b *SamplesBatch) error {
			for i := range b.Rows() {
				if at != int(b.First())+i {
					rt.Fatalf("row %d of the batch from %d, want %d", i, b.First(), at)
				}
				equalRow(rt, b, i, rows[at])
				at++
			}
			return nil
		})
		if err != nil || at != len(rows) {
			rt.Fatalf("%d rows of %d, %v", at, len(rows), err)
		}
	})
}

func reopenPipe(t testing.TB, b []byte) *stream.Reader {
	t.Helper()
	r, err := open(t, b, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestBatches: rows cross the borders of batches in order, batches hold what they should, and joined streams count on.
func TestBatches(t *testing.T) {
	var rows []PlanRow
	for i := range 2*narrowRows + 5 {
		rows = append(rows, PlanRow{Row: int64(i) * 3, ID: fmt.Sprint(i), Keep: modality.Coalition(i % 8), Weight: float32(i)})
	}
	b := writePlan(t, rows)
	r, err := NewPlanReader(reopenPipe(t, slices.Concat(b, b)))
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	var sizes []int
	err = each(r.Next, func(b *PlanBatch) error {
		sizes = append(sizes, b.Rows())
		for i := range b.Rows() {
			if got, want := b.At(i), rows[at%len(rows)]; got != want || b.First()+int64(i) != int64(at) {
				return fmt.Errorf("row %d: got %+v, want %+v", at, got, want)
			}
			at++
		}
		return nil
	})
	if want := []int{narrowRows, narrowRows, 5, narrowRows, narrowRows, 5}; err != nil || !slices.Equal(sizes, want) {
		t.Errorf("batches of %v, want %v; %v", sizes, want, err)
	}
}

// TestMissingIsZero: what an earlier batch left in the writer's memory must not show under a missing tensor.
func TestMissingIsZero(t *testing.T) {
	var out bytes.Buffer
	h := Header{Modalities: []modality.Modality{{Name: "x", Kind: modality.Embedding, Shape: []int{3 << 20}}}} // a row a batch
	w, err := NewSamplesWriter(&out, Samples{Header: h, DTypes: []DType{Float32}})
	if err != nil {
		t.Fatal(err)
	}
	full := make([]float32, 3<<20)
	for i := range full {
		full[i] = 7
	}
	for _, x := range []any{full, nil, []float32(nil)} {
		if err := w.Append(Sample{ID: "a", Tensors: []any{x}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewSamplesReader(reopenPipe(t, out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b.Rows() != 1 || b.First() != int64(i) || b.Present(0, 0) != (i == 0) {
			t.Errorf("batch %d: %d rows from %d", i, b.Rows(), b.First())
		}
		if i > 0 && slices.ContainsFunc(b.Float32s(0), func(v float32) bool { return v != 0 }) {
			t.Errorf("batch %d: the memory of a missing tensor is not zero", i)
		}
	}
}

func TestCheckFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, test := range []struct {
		name    string
		tensors []any
		want    string
	}{
		{"largest", []any{[]float32{math.MaxFloat32, -math.MaxFloat32}, nil, []float16.Num{float16.MaxNum, float16.MinNum}}, ""},
		{"smallest", []any{[]float32{math.SmallestNonzeroFloat32, 0}, nil, nil}, ""},
		{"nan", []any{[]float32{1, nan}, nil, nil}, `in: row 1 (id "bad"): modality "audio" is not finite`},
		{"infinity", []any{[]float32{inf, 1}, nil, nil}, `in: row 1 (id "bad"): modality "audio" is not finite`},
		{"nan of 16 bits", []any{nil, nil, []float16.Num{float16.New(1), float16.FromBits(0x7e00)}}, `modality "text" is not finite`},
		{"infinity of 16 bits", []any{nil, nil, []float16.Num{float16.New(1), float16.Inf()}}, `modality "text" is not finite`},
	} {
		t.Run(test.name, func(t *testing.T) {
			good := Sample{ID: "good", Tensors: []any{[]float32{1, 2}, []uint8{1, 255, 0}, nil}}
			r, err := NewSamplesReader(reopenPipe(t, writeSamples(t, header(), []Sample{good, {ID: "bad", Tensors: test.tensors}})))
			if err != nil {
				t.Fatal(err)
			}
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			err = b.CheckFinite()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, stream.ErrInput)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestWriterRefuses: a row that cannot be written is an error, and so is the end marker after it.
func TestWriterRefuses(t *testing.T) {
	good := []any{[]float32{1, 2}, nil, nil}
	for _, s := range []Sample{
		{ID: "too few", Tensors: good[:2]}, {ID: "label", Label: 3, Tensors: good}, {ID: "label", Label: -2, Tensors: good},
		{ID: "size", Tensors: []any{[]float32{1}, nil, nil}}, {ID: "empty", Tensors: []any{[]float32{}, nil, nil}},
		{ID: "type", Tensors: []any{[]uint8{1, 2}, nil, nil}}, {ID: "other", Tensors: []any{"x", nil, nil}}, {ID: "\xff", Tensors: good},
	} {
		var out bytes.Buffer
		w, err := NewSamplesWriter(&out, Samples{Header: header(), DTypes: []DType{Float32, Uint8, Float16}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(s); err == nil {
			t.Errorf("sample %q was taken", s.ID)
		}
		if err := w.Close(); err == nil {
			t.Errorf("sample %q: the end marker was written after it", s.ID)
		}
	}
	for _, row := range []PlanRow{{Row: -1}, {Keep: 8}, {Weight: -1}, {Weight: float32(math.NaN())}, {Weight: float32(math.Inf(1))}, {ID: "\xff"}} {
		w, err := NewPlanWriter(io.Discard, Plan{Header: header()})
		if err != nil {
			t.Fatal(err)
		}
		if w.Append(row) == nil || w.Close() == nil {
			t.Errorf("plan row %+v was taken", row)
		}
	}
	for _, p := range []Prediction{{Label: 3}, {Prediction: 3}, {Prediction: -1}, {Coalition: 8}, {Logits: []float32{1}}, {Logits: []float32{1, 2, float32(math.NaN())}}, {ID: "\xff"}} {
		w, err := NewPredictionsWriter(io.Discard, Predictions{header()})
		if err != nil {
			t.Fatal(err)
		}
		if w.Append(p) == nil || w.Close() == nil {
			t.Errorf("prediction %+v was taken", p)
		}
	}
	for _, s := range []Samples{
		{Header: header(), DTypes: []DType{Float32}},
		{Header: Header{}, DTypes: nil},
		{Header: Header{Modalities: []modality.Modality{{Name: "id", Kind: modality.Audio, Shape: []int{1}}}}, DTypes: []DType{Float32}},
		{Header: Header{Modalities: []modality.Modality{{Name: "x", Kind: "smell", Shape: []int{1}}}}, DTypes: []DType{Float32}},
		{Header: Header{Modalities: []modality.Modality{{Name: "x", Kind: modality.Audio, Shape: []int{0}}}}, DTypes: []DType{Float32}},
		{Header: Header{Modalities: []modality.Modality{{Name: "x", Kind: modality.Audio, Shape: []int{1}}}}, DTypes: []DType{9}},
	} {
		if _, err := NewSamplesWriter(io.Discard, s); err == nil {
			t.Errorf("samples %+v were taken", s)
		}
	}
	if err := WriteModel(io.Discard, Model{Header: header(), Tensors: []Tensor{{Name: "x", Role: RoleBest, Shape: []int{2}, Data: []float32{1}}}}); err == nil {
		t.Error("a tensor of another shape was taken")
	}
	if err := WriteModel(io.Discard, Model{Header: header(), Spec: []byte("{")}); err == nil {
		t.Error("a specification that is not JSON was taken")
	}
}

// TestRowsAllocateNothing: reading rows of a batch costs no memory.
func TestRowsAllocateNothing(t *testing.T) {
	s, err := NewSamplesReader(reopenPipe(t, writeSamples(t, header(), someSamples())))
	if err != nil {
		t.Fatal(err)
	}
	samples, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlanReader(reopenPipe(t, writePlan(t, []PlanRow{{ID: "x", Weight: 1}})))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Next()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewContributionsReader(reopenPipe(t, writeContributions(t)))
	if err != nil {
		t.Fatal(err)
	}
	contributions, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	dst, n := make([]float32, 3), 0
	if got := testing.AllocsPerRun(100, func() {
		n += len(samples.ID(1)) + int(samples.Label(1)) + samples.Coalition(1).Size() + len(samples.Float32s(0))
		samples.CopyRow(2, 0, dst)
		n += len(plan.At(0).ID) + len(contributions.ID(1)) + len(contributions.Phi(0))
		right, _ := contributions.Right(0)
		n += int(right)
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// TestSameBytes: the same rows give the same bytes, and reading and writing them again does.
func TestSameBytes(t *testing.T) {
	for name, opts := range formats {
		again := every(t, opts...)
		for kind, b := range every(t, opts...) {
			if !bytes.Equal(b, again[kind]) {
				t.Errorf("%s %s: two runs give different bytes", name, kind)
			}
		}
	}
}

func TestIDSet(t *testing.T) {
	var s IDSet
	buf := []byte("id-000000")
	for i := range 100_000 {
		id := fmt.Appendf(buf[:3], "%06d", i)
		if !s.Add(string(id)) {
			t.Fatalf("%s is there already", id)
		}
	}
	long := strings.Repeat("x", 1<<17)
	if s.Add("id-000000") || s.Add("id-099999") || !s.Add("") || s.Add("") || !s.Add(long) || s.Add(long) || s.Len() != 100_002 {
		t.Errorf("%d ids, want 100002", s.Len())
	}
}

func ExampleSamplesWriter() {
	var pipe bytes.Buffer
	w, err := NewSamplesWriter(&pipe, Samples{
		Header: Header{Tool: "example", Classes: []string{"cat", "dog"}, Modalities: []modality.Modality{
			{Name: "audio", Kind: modality.Audio, Shape: []int{2}}}},
		DTypes: []DType{Float32},
	})
	if err == nil {
		err = w.Append(Sample{ID: "tom", Label: 0, Tensors: []any{[]float32{0.5, 1}}})
	}
	if err == nil {
		err = w.Append(Sample{ID: "rex", Label: 1, Tensors: []any{nil}}) // rex has no audio
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	r, _ := stream.NewReader(&pipe, stream.WithName("stdin"))
	samples, _ := NewSamplesReader(r)
	batch, _ := samples.Next()
	for i := range batch.Rows() {
		fmt.Println(batch.ID(i), samples.Header().Classes[batch.Label(i)], batch.Present(0, i))
	}
	// Output:
	// tom cat true
	// rex dog false
}
