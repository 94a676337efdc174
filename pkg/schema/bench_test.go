package schema

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"mmtools/pkg/modality"
)

func BenchmarkPlanWriter(b *testing.B) {
	w, err := NewPlanWriter(io.Discard, Plan{Header: header()})
	if err != nil {
		b.Fatal(err)
	}
	ids := []string{"sample-000001", "sample-000002"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := w.Append(PlanRow{Row: int64(i), ID: ids[i&1], Keep: 3, Weight: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlanReader(b *testing.B) {
	rows := make([]PlanRow, narrowRows)
	for i := range rows {
		rows[i] = PlanRow{Row: int64(i), ID: fmt.Sprintf("sample-%06d", i), Keep: 3, Weight: 1}
	}
	benchmarkKind(b, KindPlan, writePlan(b, rows), narrowRows)
}

func BenchmarkContributionsReader(b *testing.B) {
	const n = 4096
	var out bytes.Buffer
	w, err := NewContributionsWriter(&out, Contributions{Header: header()})
	if err != nil {
		b.Fatal(err)
	}
	for k := range 16 {
		if err := w.AppendBatch(func(i int) string { return fmt.Sprintf("sample-%06d", i) }, n, int64(k*n),
			make([]int32, n), make([]int32, n), make([]float64, 3*n), nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	benchmarkKind(b, KindContributions, out.Bytes(), 16*n)
}

// benchmarkKind reports the time to read a row, all its values included.
func benchmarkKind(b *testing.B, kind Kind, stream []byte, rows int) {
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		if err := readBytes(b, stream, kind, ""); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func BenchmarkSamplesWriter(b *testing.B) {
	h := Header{Modalities: []modality.Modality{{Name: "a", Kind: modality.Embedding, Shape: []int{512}}, {Name: "v", Kind: modality.Embedding, Shape: []int{512}}}}
	w, err := NewSamplesWriter(io.Discard, Samples{Header: h, DTypes: []DType{Float32, Float32}})
	if err != nil {
		b.Fatal(err)
	}
	s := Sample{ID: "sample-000001", Tensors: []any{make([]float32, 512), make([]float32, 512)}}
	b.SetBytes(4096)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Append(s); err != nil {
			b.Fatal(err)
		}
	}
}
