package dnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

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

func benchmarkEngine(b *testing.B, o Options) Engine {
	b.Helper()
	e, err := Open(o)
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
	x, v := memory(n), uint32(1)
	for i := range x {
		v = v*1664525 + 1013904223
		x[i] = float32(v>>8)/(1<<24) - 0.5
	}
	return x
}

// measure runs f and reports its best time, in ms, and rate per unit: on a machine that does other things too, the best
// time is the kernel's.
func measure(b *testing.B, work float64, unit string, f func()) {
	b.Helper()
	f()
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(work/best.Seconds()/1e9, unit)
	b.ReportMetric(best.Seconds()*1e3, "best-ms")
}

// BenchmarkConv reports GFLOP/s by the definition: Winograd's algorithm can exceed what the processor does.
func BenchmarkConv(b *testing.B) {
	e := benchmarkEngine(b, Options{Threads: 2})
	for _, n := range []int{16, 48} {
		for _, l := range layers {
			for _, d := range []struct {
				name string
				run  func(x, y, w []float32)
			}{
				{"forward", func(x, y, w []float32) { e.Conv(y, x, w, n, l.c) }},
				{"input", func(x, y, w []float32) { e.ConvGradInput(x, y, w, n, l.c) }},
				{"weight", func(x, y, w []float32) { e.ConvGradWeight(w, y, x, n, l.c) }},
			} {
				if l.c.In.C < 16 && d.name == "input" {
					continue // nothing lies before a stem
				}
				b.Run(fmt.Sprintf("%d/%s/%s", n, l.name, d.name), func(b *testing.B) {
					x, y, w := noise(n*l.c.In.Size()), noise(n*l.c.Out().Size()), noise(l.c.Weights())
					measure(b, l.c.Flops(n), "GFLOP/s", func() { d.run(x, y, w) })
				})
			}
		}
	}
}

// maps of BenchmarkMemory: after the stem, and of the four stages.
var stages = []kernel.Image{{C: 64, H: 112, W: 112}, {C: 64, H: 56, W: 56}, {C: 128, H: 28, W: 28}, {C: 256, H: 14, W: 14}, {C: 512, H: 7, W: 7}}

// BenchmarkMemory is what memory bounds. GB/s counts each map that the definition reads or writes once.
func BenchmarkMemory(b *testing.B) {
	e := benchmarkEngine(b, Options{Threads: 2})
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	for _, n := range []int{16, 48} {
		for _, i := range stages {
			size := n * i.Size()
			pool := kernel.Pool{In: i, Window: kernel.Square(3, 2, 1)}
			p := newNorm(rand.New(rand.NewPCG(1, 2)), i.C).vectors()
			dgamma, dbeta, mean := memory(i.C), memory(i.C), memory(n*i.C)
			for _, k := range []struct {
				name string
				maps float64
				run  func(x, y, z, small, index []float32)
			}{
				{"norm-relu", 2, func(x, y, z, small, index []float32) { e.BatchNorm(y, x, nil, p, n, i, step, true) }},
				{"norm-relu-grad", 3, func(x, y, z, small, index []float32) {
					e.BatchNormGrad(z, nil, dgamma, dbeta, y, x, y, p, n, i, true)
				}},
				{"norm-add-relu", 3, func(x, y, z, small, index []float32) { e.BatchNorm(y, x, z, p, n, i, step, true) }},
				{"norm-add-relu-grad", 5, func(x, y, z, small, index []float32) {
					e.BatchNormGrad(y, z, dgamma, dbeta, y, x, x, p, n, i, true)
				}},
				{"max-pool", 1.25, func(x, y, z, small, index []float32) { e.MaxPool(small, index, x, n, pool) }},
				{"max-pool-grad", 1.25, func(x, y, z, small, index []float32) { e.MaxPoolGrad(x, small, index, n, pool) }},
				{"average-pool", 1, func(x, y, z, small, index []float32) { e.AveragePool(mean, x, n, 1, i) }},
				{"average-pool-grad", 1, func(x, y, z, small, index []float32) { e.AveragePoolGrad(x, mean, n, 1, i) }},
			} {
				b.Run(fmt.Sprintf("%d/%v/%s", n, i, k.name), func(b *testing.B) {
					x, y, z := noise(size), noise(size), noise(size)
					small, index := noise(n*pool.Out().Size()), memory(pool.Indices(n))
					e.BatchNorm(y, x, nil, p, n, i, step, true)
					measure(b, 4*k.maps*float64(size), "GB/s", func() { k.run(x, y, z, small, index) })
				})
			}
		}
	}
}
