// Command streams writes large streams for scripts/bench/valuation: samples of two embeddings of 512 numbers, or contributions as
// they are of two modalities.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
)

const (
	classes = 31
	width   = 512
	batch   = 8192
)

func main() {
	kind := flag.String("kind", "samples", "write samples or contributions")
	rows := flag.Int("rows", 10000, "of this many rows")
	flag.Parse()
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	write := map[string]func(io.Writer, int) error{"samples": samples, "contributions": contributions}[*kind]
	if write == nil || *rows < 0 {
		fmt.Fprintf(os.Stderr, "streams: %d rows of %q: want samples or contributions\n", *rows, *kind)
		os.Exit(2)
	}
	if err := errors.Join(write(w, *rows), w.Flush()); err != nil {
		fmt.Fprintf(os.Stderr, "streams: %v\n", err)
		os.Exit(1)
	}
}

func header() schema.Header {
	h := schema.Header{Tool: "bench"}
	for _, name := range []string{"audio", "image"} {
		h.Modalities = append(h.Modalities, modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{width}})
	}
	for c := range classes {
		h.Classes = append(h.Classes, strconv.Itoa(c))
	}
	return h
}

func samples(out io.Writer, rows int) error {
	w, err := schema.NewSamplesWriter(out, schema.Samples{Header: header(), DTypes: []schema.DType{schema.Float32, schema.Float32}})
	if err != nil {
		return err
	}
	r := rng.Stream(1, "bench")
	noise := make([]float32, 1<<16)
	for i := range noise {
		noise[i] = float32(r.NormFloat64())
	}
	for row := range rows {
		label := row % classes
		if err := w.Append(schema.Sample{ID: strconv.Itoa(row), Label: int32(label), Tensors: []any{features(r, noise, label), features(r, noise, label)}}); err != nil {
			return err
		}
	}
	return w.Close()
}

// features are noise, drawn by place from a stock of it, and the class.
func features(r *rand.Rand, noise []float32, label int) []float32 {
	at := r.IntN(len(noise) - width)
	x := append([]float32(nil), noise[at:at+width]...)
	x[label] += 2
	return x
}

func contributions(out io.Writer, rows int) error {
	w, err := schema.NewContributionsWriter(out, schema.Contributions{Header: header(), Value: "published", Estimator: "exact", Baseline: "zero-feature", Epoch: 5})
	if err != nil {
		return err
	}
	r := rng.Stream(1, "bench")
	table := [][2]float64{{1, 1}, {1.5, 0.5}, {1, 1}, {0, 0}, {0.5, -0.5}, {1, 1}, {1, 1}, {1, 1}} // half of the samples lack nothing
	label, phi := make([]int32, batch), make([]float64, 0, 2*batch)
	for from := 0; from < rows; from += batch {
		n := min(batch, rows-from)
		phi = phi[:0]
		for i := range n {
			label[i] = int32((from + i) % classes)
			phi = append(phi, table[r.IntN(len(table))][:]...)
		}
		id := func(i int) string { return strconv.Itoa(from + i) }
		if err := w.AppendBatch(id, n, int64(from), label[:n], label[:n], phi, nil); err != nil {
			return err
		}
	}
	return w.Close()
}
