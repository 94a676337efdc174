package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// header is a header of three modalities and three classes.
func header() Header {
	seed := uint64(7)
	return Header{
		Tool: "mm-test 1", Seed: &seed, Classes: []string{"a", "b<&>", "c"},
		Modalities: []modality.Modality{
			{Name: "audio", Kind: modality.Audio, Shape: []int{1, 2}},
			{Name: "image", Kind: modality.Image, Shape: []int{3}},
			{Name: "text", Kind: modality.Text, Shape: []int{2}},
		},
		Digest: Digest{Samples: "sha256:00"},
		Extra:  map[string]string{"mm.ratio": "0.2", "pandas": "{}"},
	}
}

// reopen writes a stream to a file and opens it; the pipe and the file must read alike, so tests take either.
func reopen(t testing.TB, b []byte, mapped bool) *stream.Reader {
	t.Helper()
	var r *stream.Reader
	var err error
	if mapped {
		path := filepath.Join(t.TempDir(), "in.arrows")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		r, err = stream.OpenFile(path, stream.WithName("in"))
	} else {
		r, err = stream.NewReader(bytes.NewReader(b), stream.WithName("in"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func someSamples() []Sample {
	return []Sample{
		{ID: "s0", Label: 0, Tensors: []any{[]float32{1, 2}, []uint8{0, 128, 255}, []float16.Num{float16.New(1.5), float16.New(-2)}}},
		{ID: "é1", Label: -1, Tensors: []any{nil, []uint8{7, 8, 9}, nil}},
		{ID: "s2", Label: 2, Tensors: []any{[]float32{-1, 0.5}, nil, []float16.Num{float16.New(0), float16.New(3)}}},
	}
}

func writeSamples(t testing.TB, h Header, rows []Sample, opts ...stream.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewSamplesWriter(&out, Samples{Header: h, DTypes: []DType{Float32, Uint8, Float16}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rows {
		if err := w.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wantHeader(kind Kind, withShapes bool) Header {
	h := header()
	h.Kind = kind
	if !withShapes {
		for i := range h.Modalities {
			h.Modalities[i] = modality.Modality{Name: h.Modalities[i].Name}
		}
	}
	return h
}

func TestSamplesRoundTrip(t *testing.T) {
	b := writeSamples(t, header(), someSamples())
	for _, mapped := range []bool{false, true} {
		r, err := NewSamplesReader(reopen(t, b, mapped))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := r.Header(), wantHeader(KindSamples, true); !reflect.DeepEqual(got, want) {
			t.Errorf("header: got %+v, want %+v", got, want)
		}
		batch, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if batch.Rows() != 3 || batch.First() != 0 || batch.ID(1) != "é1" || batch.Label(0) != 0 || batch.Label(1) != -1 {
			t.Errorf("rows %d from %d, id %q, labels %v", batch.Rows(), batch.First(), batch.ID(1), batch.Labels())
		}
		if batch.Coalition(0) != 7 || batch.Coalition(1) != 2 || batch.Coalition(2) != 5 {
			t.Errorf("coalitions %b %b %b, want 111 10 101", batch.Coalition(0), batch.Coalition(1), batch.Coalition(2))
		}
		if got := batch.Float32s(0); !reflect.DeepEqual(got, []float32{1, 2, 0, 0, -1, 0.5}) {
			t.Errorf("audio: %v", got)
		}
		if batch.Float32s(1) != nil {
			t.Error("image is not float32")
		}
		want := [3][3][]float32{
			{{1, 2}, {0, 0}, {-1, 0.5}},
			{{0, 128, 255}, {7, 8, 9}, {0, 0, 0}},
			{{1.5, -2}, {0, 0}, {0, 3}},
		}
		for p := range want {
			for i := range want[p] {
				dst := []float32{9, 9, 9}[:len(want[p][i])]
				if batch.CopyRow(p, i, dst); !reflect.DeepEqual(dst, want[p][i]) {
					t.Errorf("modality %d of row %d: got %v, want %v", p, i, dst, want[p][i])
				}
			}
		}
		if err := batch.CheckFinite(); err != nil {
			t.Error(err)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
	}
}

func TestModelRoundTrip(t *testing.T) {
	m := Model{Header: header(), Spec: []byte(`{"fusion": "concat"}`), State: []byte(`{"epoch":3}`), Tensors: []Tensor{
		{Name: "head.weight", Role: RoleParameter, Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, 6}},
		{Name: "step", Role: RoleOptimizer, Data: []float32{9}},
		{Name: "none", Role: RoleBuffer, Shape: []int{0, 4}, Data: []float32{}},
	}}
	var out bytes.Buffer
	if err := WriteModel(&out, m); err != nil {
		t.Fatal(err)
	}
	got, err := ReadModel(reopen(t, out.Bytes(), true))
	if err != nil {
		t.Fatal(err)
	}
	m.Header, m.Spec, m.SHA256 = wantHeader(KindModel, false), []byte(`{"fusion":"concat"}`), HashTensors(m.Tensors)
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, want %+v", got, m)
	}
}

func writePlan(t testing.TB, rows []PlanRow, opts ...stream.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewPlanWriter(&out, Plan{Header: header(), Method: "sample", Strength: 1.5, Epoch: 6, Shuffle: true}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPlanRoundTrip(t *testing.T) {
	want := []PlanRow{{Row: 3, ID: "x", Keep: 7, Weight: 1}, {Row: 0, ID: "", Keep: 2, Weight: 0.5}}
	r, err := NewPlanReader(reopen(t, writePlan(t, want), false))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Plan(), (Plan{Header: wantHeader(KindPlan, false), Method: "sample", Strength: 1.5, Epoch: 6, Shuffle: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got := b.At(i); got != want[i] {
			t.Errorf("row %d: got %+v, want %+v", i, got, want[i])
		}
	}
}

// Rows of a batch of contributions make the bytes that they make one by one, over batches of the plan's own, and a row that is not
// possible is refused.
func TestPlanAppendOf(t *testing.T) {
	r, err := NewContributionsReader(reopen(t, writeContributions(t), true))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var rows []PlanRow
	var index []int32
	var keep []modality.Coalition
	var weight []float32
	for k := range narrowRows + 1000 {
		i := k * 7 % 3 % b.Rows()
		rows = append(rows, PlanRow{Row: b.Row(i), ID: b.ID(i), Keep: modality.Coalition(k % 8), Weight: float32(k % 5)})
		index, keep, weight = append(index, int32(i)), append(keep, rows[k].Keep), append(weight, rows[k].Weight)
	}
	var out bytes.Buffer
	w, err := NewPlanWriter(&out, Plan{Header: header(), Method: "sample", Strength: 1.5, Epoch: 6, Shuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.AppendOf(b, index, keep, weight), w.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), writePlan(t, rows)) {
		t.Error("rows of a batch are not those that Append writes")
	}
	for _, bad := range []PlanRow{{Keep: 8, Weight: 1}, {Weight: float32(math.NaN())}} {
		w, err := NewPlanWriter(io.Discard, Plan{Header: header()})
		if err != nil {
			t.Fatal(err)
		}
		if w.AppendOf(b, []int32{1}, []modality.Coalition{bad.Keep}, []float32{bad.Weight}) == nil || w.Close() == nil {
			t.Errorf("plan row %+v was taken", bad)
		}
	}
}

func writeContributions(t testing.TB, opts ...stream.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewContributionsWriter(&out, Contributions{
		Header: header(), Value: "published", Estimator: "exact", Baseline: "zero", Epoch: 5, Right: true,
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	right := make([]bool, 16)
	right[0], right[7], right[9] = true, true, true
	id := func(i int) string { return fmt.Sprint("id", i) }
	if err := w.AppendBatch(id, 2, 10, []int32{1, -1}, []int32{1, 2}, []float64{1, 1.5, 0.5, nan, nan, nan}, right); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestContributionsRoundTrip(t *testing.T) {
	r, err := NewContributionsReader(reopen(t, writeContributions(t), true))
	if err != nil {
		t.Fatal(err)
	}
	want := Contributions{
		Header: wantHeader(KindContributions, false), Value: "published", Estimator: "exact", Baseline: "zero", Epoch: 5, Right: true,
	}
	if got := r.Contributions(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if b.ID(1) != "id1" || b.Row(1) != 11 || b.Label(0) != 1 || b.Label(1) != -1 || b.Prediction(1) != 2 {
		t.Errorf("row 1: id %q, row %d, label %d, prediction %d", b.ID(1), b.Row(1), b.Label(1), b.Prediction(1))
	}
	for p, want := range []float64{1, 1.5, 0.5} {
		if got := b.Phi(p); got[0] != want || !math.IsNaN(got[1]) {
			t.Errorf("phi of %d: got %v, want %v and NaN", p, got, want)
		}
	}
	if got, ok := b.Right(0); got != 1|1<<7 || !ok {
		t.Errorf("right of row 0: got %b, want 10000001", got)
	}
	if got, ok := b.Right(1); got != 1<<1 || !ok {
		t.Errorf("right of row 1: got %b, want 10", got)
	}
}

func writePredictions(t testing.TB, rows []Prediction, opts ...stream.Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewPredictionsWriter(&out, Predictions{header()}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rows {
		if err := w.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPredictionsRoundTrip(t *testing.T) {
	want := []Prediction{
		{ID: "a", Label: 1, Coalition: 7, Prediction: 2, Logits: []float32{1, 2, 3}},
		{ID: "b", Label: -1, Coalition: 0, Prediction: 0},
	}
	r, err := NewPredictionsReader(reopen(t, writePredictions(t, want), false))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got := b.At(i); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("row %d: got %+v, want %+v", i, got, want[i])
		}
	}
}

// scratch returns a path for the file format and none for a pipe.
func scratch(t testing.TB, format string) string {
	if strings.HasPrefix(format, "file") {
		return filepath.Join(t.TempDir(), "in.arrow")
	}
	return ""
}

// open reads bytes as a mapped file at path, or as a pipe where path is "".
func open(t testing.TB, b []byte, path string, opts ...stream.Option) (*stream.Reader, error) {
	opts = append(opts, stream.WithName("in"))
	if path == "" {
		return stream.NewReader(bytes.NewReader(b), opts...)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return stream.OpenFile(path, opts...)
}
