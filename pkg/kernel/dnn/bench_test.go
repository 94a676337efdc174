package dnn

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"mmtools/pkg/kernel"
)

// layers are ResNet-18's convolutions on 224x224 pixels, and the stem for one channel on a spectrogram of 257x188.
var layers = []struct {
	name string
	c    kernel.Conv
}{
	{"audio-stem", kernel.Conv{In: kernel.Image{C: 1, H: 257, W: 188}, K: 64, Window: kernel.Square(7, 2, 3)}},
	{"stem", kernel.Conv{In: kernel.Image{C: 3, H: 224, W: 224}, K: 64, Window: kernel.Square(7, 2, 3)}},
	{"layer1", kernel.Conv{In: kernel.Image{C: 64, H: 56, W: 56}, K: 64, Window: kernel.Square(3, 1, 1)}},
	{"layer2-down", kernel.Conv{In: kernel.Image{C: 64, H: 56, W: 56}, K: 128, Window: kernel.Square(3, 2, 1)}},
	{"layer2-skip", kernel.Conv{In: kernel.Image{C: 64, H: 56, W: 56}, K: 128, Window: kernel.Square(1, 2, 0)}},
	{"layer2", kernel.Conv{In: kernel.Image{C: 128, H: 28, W: 28}, K: 128, Window: kernel.Square(3, 1, 1)}},
	{"layer3-down", kernel.Conv{In: kernel.Image{C: 128, H: 28, W: 28}, K: 256, Window: kernel.Square(3, 2, 1)}},
	{"layer3-skip", kernel.Conv{In: kernel.Image{C: 128, H: 28, W: 28}, K: 256, Window: kernel.Square(1, 2, 0)}},
	{"layer3", kernel.Conv{In: kernel.Image{C: 256, H: 14, W: 14}, K: 256, Window: kernel.Square(3, 1, 1)}},
	{"layer4-down", kernel.Conv{In: kernel.Image{C: 256, H: 14, W: 14}, K: 512, Window: kernel.Square(3, 2, 1)}},
	{"layer4-skip", kernel.Conv{In: kernel.Image{C: 256, H: 14, W: 14}, K: 512, Window: kernel.Square(1, 2, 0)}},
	{"layer4", kernel.Conv{In: kernel.Image{C: 512, H: 7, W: 7}, K: 512, Window: kernel.Square(3, 1, 1)}},
}

func benchmarkEngine(b *testing.B) Engine {
	b.Helper()
	e, err := Open(Options{Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	runtime.LockOSThread()
	b.Cleanup(func() {
		runtime.UnlockOSThread()
		e.Close()
	})
	return e
}

func noise(n int) []float32 {
	r, x := rand.New(rand.NewPCG(1, 1)), memory(n)
	for i := range x {
		x[i] = r.Float32() - 0.5
	}
	return x
}

// BenchmarkConv reports GFLOP/s by the definition: Winograd's algorithm can exceed what the processor does.
func BenchmarkConv(b *testing.B) {
	e := benchmarkEngine(b)
	for _, n := range []int{16, 48} {
		for _, l := range layers {
			x, y, w := noise(n*l.c.In.Size()), noise(n*l.c.Out().Size()), noise(l.c.Weights())
			for _, d := range []struct {
				name string
				run  func()
			}{
				{"forward", func() { e.Conv(y, x, w, n, l.c) }},
				{"input", func() { e.ConvGradInput(x, y, w, n, l.c) }},
				{"weight", func() { e.ConvGradWeight(w, y, x, n, l.c) }},
			} {
				if l.c.In.C < 16 && d.name == "input" {
					continue // nothing lies before a stem
				}
				b.Run(fmt.Sprintf("%d/%s/%s", n, l.name, d.name), func(b *testing.B) {
					d.run()
					for b.Loop() {
						d.run()
					}
					b.ReportMetric(l.c.Flops(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

// BenchmarkMemory is what memory bounds, on the maps after the stem and of the four stages. GB/s counts each map that the
// definition reads or writes once.
func BenchmarkMemory(b *testing.B) {
	e := benchmarkEngine(b)
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	for _, n := range []int{16, 48} {
		for _, i := range []kernel.Image{{C: 64, H: 112, W: 112}, {C: 64, H: 56, W: 56}, {C: 128, H: 28, W: 28}, {C: 256, H: 14, W: 14}, {C: 512, H: 7, W: 7}} {
			size := n * i.Size()
			pool := kernel.Pool{In: i, Window: kernel.Square(3, 2, 1)}
			x, y, dy, r := noise(size), noise(size), noise(size), noise(size)
			small, index := noise(n*pool.Out().Size()), memory(pool.Indices(n))
			p := newNorm(rand.New(rand.NewPCG(1, 2)), i.C).vectors()
			dgamma, dbeta := memory(i.C), memory(i.C)
			e.BatchNorm(y, x, nil, p, n, i, step, true)
			e.MaxPool(small, index, x, n, pool)
			for _, k := range []struct {
				name string
				maps float64
				run  func()
			}{
				{"norm-relu", 2, func() { e.BatchNorm(y, x, nil, p, n, i, step, true) }},
				{"norm-relu-grad", 3, func() { e.BatchNormGrad(r, nil, dgamma, dbeta, dy, x, y, p, n, i, true) }},
				{"norm-add-relu", 3, func() { e.BatchNorm(y, x, r, p, n, i, step, true) }},
				{"norm-add-relu-grad", 5, func() { e.BatchNormGrad(dy, r, dgamma, dbeta, dy, x, y, p, n, i, true) }},
				{"add-relu", 3, func() { e.AddReLU(y, x, dy, size) }},
				{"max-pool", 1.25, func() { e.MaxPool(small, index, x, n, pool) }},
				{"max-pool-grad", 1.25, func() { e.MaxPoolGrad(r, small, index, n, pool) }},
				{"average-pool", 1, func() { e.AveragePool(small, x, n, 1, i) }},
				{"average-pool-grad", 1, func() { e.AveragePoolGrad(r, small, n, 1, i) }},
			} {
				b.Run(fmt.Sprintf("%d/%v/%s", n, i, k.name), func(b *testing.B) {
					k.run()
					for b.Loop() {
						k.run()
					}
					b.ReportMetric(4*k.maps*float64(size)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
				})
			}
		}
	}
}
