package valuation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// embedded is a model of two embeddings, 31 classes, and a samples stream for it, all of it noise.
func embedded(b *testing.B, backbone string, width, n int) (network.Spec, []byte) {
	b.Helper()
	spec := network.Spec{Fusion: "concat"}
	for c := range 31 {
		spec.Classes = append(spec.Classes, strconv.Itoa(c))
	}
	for _, name := range []string{"audio", "visual"} {
		spec.Modalities = append(spec.Modalities,
			network.Channel{Modality: modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{width}}, Backbone: backbone})
	}
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "bench", Modalities: spec.Channels(), Classes: spec.Classes},
		DTypes: []schema.DType{schema.Float32, schema.Float32}})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		s := schema.Sample{ID: strconv.Itoa(i), Label: int32(r.IntN(len(spec.Classes)))}
		for range spec.Modalities {
			x := make([]float32, width)
			for k := range x {
				x[k] = float32(r.NormFloat64())
			}
			s.Tensors = append(s.Tensors, x)
		}
		if err := w.Append(s); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return spec, out.Bytes()
}

// testDevice opens what MM_TEST_DEVICE names, the CPU otherwise, with MM_TEST_THREADS threads.
func testDevice(b *testing.B) (d kernel.Device, threads int) {
	b.Helper()
	name := os.Getenv("MM_TEST_DEVICE")
	if name == "" {
		name = "cpu"
	}
	threads, err := strconv.Atoi(os.Getenv("MM_TEST_THREADS"))
	if err != nil {
		threads = 2
	}
	d, err = device.Open(device.Options{Name: name, Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d, threads
}

// BenchmarkEmbeddings values samples of two embeddings of 512, in minibatches of 512, from a samples stream in memory to contributions, in
// samples a second. "transfer" gives the device the same numbers and does no more: on a card it is to be what limits the valuation.
func BenchmarkEmbeddings(b *testing.B) {
	width, n, rows := 512, 16384, 512
	if os.Getenv("MM_TEST_SMALL") != "" {
		width, n, rows = 16, 64, 16
	}
	rate := func(b *testing.B) { b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s") }
	for _, backbone := range []string{"identity", fmt.Sprintf("mlp:%d", width)} {
		b.Run("valuation/"+backbone, func(b *testing.B) {
			spec, data := embedded(b, backbone, width, n)
			layout, err := spec.Layout()
			if err != nil {
				b.Fatal(err)
			}
			d, threads := testDevice(b)
			e, err := network.NewEvaluator(spec, d, rows, layout.Initialize(1), layout.InitializeBuffers())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				in, err := stream.NewReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				samples, err := schema.NewSamplesReader(in)
				if err != nil {
					b.Fatal(err)
				}
				summary, err := Run(context.Background(), samples, e, Options{Threads: threads}, func(*schema.SamplesBatch, *Result) error { return nil })
				if err != nil || summary.Samples != int64(n) {
					b.Fatalf("%d samples, %v", summary.Samples, err)
				}
			}
			rate(b)
		})
	}
	b.Run("transfer", func(b *testing.B) {
		d, _ := testDevice(b)
		var x [2]kernel.Buffer
		from := make([]float32, n*width)
		for k := range x {
			var err error
			if x[k], err = d.Alloc(rows * width); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(2 * 4 * len(from)))
		last := make([]float32, 1)
		for b.Loop() {
			for at := 0; at < len(from); at += rows * width {
				for _, to := range x {
					d.Upload(to, from[at:at+rows*width])
				}
			}
			d.Download(last, x[1])
			if err := d.Err(); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
}
