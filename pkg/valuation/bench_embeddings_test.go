package valuation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// noise writes n samples of noise for a network to a file, which is mapped when it is read.
func noise(b *testing.B, spec network.Spec, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "samples.arrows")
	data, err := networktest.Noise(spec, n)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		b.Fatal(err)
	}
	return path
}

// valued values the n samples of a file, as a benchmark does.
func valued(b *testing.B, path string, e network.Evaluator, threads, n int) {
	b.Helper()
	in, err := stream.OpenFile(path)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	samples, err := schema.NewSamplesReader(in)
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	_, err = Run(context.Background(), samples, e, Options{Threads: threads}, func(_ *schema.SamplesBatch, r *Result) error {
		rows += r.Rows
		return nil
	})
	if err != nil || rows != n {
		b.Fatalf("%d samples, %v", rows, err)
	}
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

// costless is an evaluator that does nothing: what is valued are parts of zero.
type costless struct{ network.Evaluator }

func (costless) Depth() int                     { return 2 }
func (costless) Queue(*network.Minibatch) error { return nil }
func (costless) Transparent() bool              { return true }
func (costless) Parts(_, _ []float32) error     { return nil }
func (costless) Collect(_, _ []float32) error   { return nil }

// BenchmarkEmbeddings values samples of two embeddings of 512, in minibatches of 512, from a samples file to contributions, in
// samples a second. "transfer" gives the device the same numbers and does no more: on a card it is to be what limits the valuation. "host"
// values by a model that costs nothing, and gives no device anything: no valuation can be faster.
func BenchmarkEmbeddings(b *testing.B) {
	width, n, rows := 512, 16384, 512
	if os.Getenv("MM_TEST_SMALL") != "" {
		width, n, rows = 16, 64, 16
	}
	rate := func(b *testing.B) { b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s") }
	setUp := func(b *testing.B, backbone string) (e network.Evaluator, threads int, path string) {
		spec := networktest.LateFusion(backbone, width)
		layout, err := spec.Layout()
		if err != nil {
			b.Fatal(err)
		}
		d, threads := testDevice(b)
		if e, err = network.NewEvaluator(spec, d, rows, layout.Initialize(1), layout.InitializeBuffers()); err != nil {
			b.Fatal(err)
		}
		return e, threads, noise(b, spec, n)
	}
	for _, backbone := range []string{"identity", fmt.Sprintf("mlp:%d", width)} {
		b.Run("valuation/"+backbone, func(b *testing.B) {
			e, threads, path := setUp(b, backbone)
			for b.Loop() {
				valued(b, path, e, threads, n)
			}
			rate(b)
		})
	}
	b.Run("host", func(b *testing.B) {
		e, threads, path := setUp(b, "identity")
		for b.Loop() {
			valued(b, path, costless{e}, threads, n)
		}
		rate(b)
	})
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
