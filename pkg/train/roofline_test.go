package train

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
	"mmtools/pkg/op"
)

// roof is what the machine can do, as its own kernels or libraries reach it.
type roof struct {
	flops, bytes float64 // a second
	of           string
}

// measureRoof takes a product of square matrices in the device's precision and a sum of two vectors, of sizes that fill the device, the
// best of some rounds each.
func measureRoof(b *testing.B, d kernel.Device) roof {
	n, words := 2048, 64<<20
	switch {
	case small:
		n, words = 64, 1<<16
	case onCard():
		n, words = 8192, 256<<20
	}
	random := rand.New(rand.NewPCG(9, 10))
	alloc := func(n int) kernel.Buffer {
		buffer, err := d.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		x := make([]float32, min(n, 1<<20)) // zeros multiply faster than numbers do
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		for from := 0; from < n; from += len(x) {
			d.Upload(buffer.Slice(from, min(n, from+len(x))), x[:min(n-from, len(x))])
		}
		return buffer
	}
	x, w, y, u, v, sum := alloc(n*n), alloc(n*n), alloc(n*n), alloc(words), alloc(words), alloc(words)
	return roof{
		flops: 2 * float64(n) * float64(n) * float64(n) / shortest(b, d, func() { d.Linear(y, x, w, nil, n, n, n, false) }),
		bytes: 3 * 4 * float64(words) / shortest(b, d, func() { d.Add(sum, u, v, words) }),
		of:    fmt.Sprintf("a product of %[1]dx%[1]d, a sum of vectors of %[2]d MiB", n, words>>18),
	}
}

// rounds is how often something is timed: once on a device that takes the best of some by itself.
func rounds(d kernel.Device, n int) int {
	if _, ok := d.(kernel.Timer); ok {
		return 1
	}
	return n
}

// shortest returns the seconds of the best of some rounds.
func shortest(b *testing.B, d kernel.Device, f func()) float64 {
	best := math.Inf(1)
	for range rounds(d, 8) {
		elapsed, err := machine.Elapsed(d, f)
		if err != nil {
			b.Fatal(err)
		}
		best = min(best, elapsed.Seconds())
	}
	return best
}

// kind names the operations that are listed together.
func kind(o op.Op) string {
	name, rest, _ := strings.Cut(o.String(), "{")
	for _, window := range []string{"KH:7", "KH:3", "KH:1"} {
		if strings.Contains(rest, window) {
			stride := ", stride 1"
			if strings.Contains(rest, "StrideH:2") {
				stride = ", stride 2"
			}
			return fmt.Sprintf("%s %[2]sx%[2]s%s", name, window[3:], stride)
		}
	}
	return name
}

// BenchmarkRoofline prints where the time of a step goes, of late fusion and of the published network, and how near each kind of
// operation comes to what the device can do. Winograd's convolutions do less than the definition says, and may pass the roof.
func BenchmarkRoofline(b *testing.B) {
	_, rows := audioVisualSize()
	for _, precision := range precisions() {
		b.Run("LateFusion/"+string(precision), func(b *testing.B) {
			spec, state := lateFusion(64)
			roofline(b, precision, spec, state, noiseOf(b, spec, 64))
		})
		b.Run("AudioVisual/"+string(precision), func(b *testing.B) {
			spec, state := audioVisual(rows)
			roofline(b, precision, spec, state, audioVisualSamples(b, spec, rows))
		})
	}
}

func roofline(b *testing.B, precision kernel.Precision, spec network.Spec, state checkpoint.State, samples *Samples) {
	d := openIn(b, precision)
	c, err := New(spec, state, samples)
	if err != nil {
		b.Fatal(err)
	}
	r, err := newRun(c, Options{Device: d, Samples: samples})
	if err != nil {
		b.Fatal(err)
	}
	bestOf(b, rounds(d, 2)-1, r.trainer.step) // plans the convolutions
	for b.Loop() {
		printRoofline(b, measureRoof(b, d), bestOf(b, rounds(d, 3), r.trainer.step), r.trainer)
	}
}

// bestOf returns the shortest time of every operation over some runs.
func bestOf(b *testing.B, runs int, m *machine.Machine) (best []machine.Timing) {
	for range runs {
		timings, err := m.Profile()
		if err != nil {
			b.Fatal(err)
		}
		if best == nil {
			best = timings
		}
		for i, t := range timings {
			best[i].Elapsed = min(best[i].Elapsed, t.Elapsed)
		}
	}
	return best
}

func printRoofline(b *testing.B, top roof, timings []machine.Timing, t *trainer) {
	type row struct {
		name         string
		n            int
		seconds      float64
		flops, bytes float64
	}
	rows, total := map[string]*row{}, 0.0
	add := func(name string, seconds, flops, bytes float64) {
		if rows[name] == nil {
			rows[name] = &row{name: name}
		}
		k := rows[name]
		k.n, k.seconds, k.flops, k.bytes = k.n+1, k.seconds+seconds, k.flops+flops, k.bytes+bytes
		total += seconds
	}
	for _, t := range timings {
		add(kind(t.Op), t.Elapsed.Seconds(), t.Flops, float64(t.Bytes))
	}
	size := float64(4 * t.graph.Layout.ParamSize)
	t.set(1, 0)
	t.stepPack.upload(0)
	add("Adam", shortest(b, t.device, func() { t.opt.step(t.device) }), 0, 7*size) // reads 4 values of each parameter, writes 3
	engine := ""
	if d, ok := t.device.(interface{ Engine() string }); ok {
		engine = "engine: " + d.Engine() + "\n"
	}
	fmt.Printf("\n%s\n%sroof: %.0f GFLOP/s, %.1f GB/s (%s); all operations: %.3f ms\n\n", b.Name(), engine, top.flops/1e9, top.bytes/1e9, top.of, 1e3*total)
	fmt.Printf("%-38s %4s %8s %6s %9s %7s %9s\n", "operation", "n", "ms", "share", "GFLOP/s", "GB/s", "of roof")
	for _, k := range slices.SortedFunc(maps.Values(rows), func(a, b *row) int { return cmp.Compare(b.seconds, a.seconds) }) {
		flops, bytes := k.flops/k.seconds, k.bytes/k.seconds
		fmt.Printf("%-38s %4d %8.3f %5.1f%% %9.0f %7.1f %8.0f%%\n", k.name, k.n, 1e3*k.seconds, 100*k.seconds/total, flops/1e9, bytes/1e9,
			100*max(flops/top.flops, bytes/top.bytes))
	}
}
