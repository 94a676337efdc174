package train

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/machine"
	"mmtools/pkg/op"
)

// roof is what the machine can do, as this program's own kernels reach it.
type roof struct{ flops, bytes float64 } // a second

// measureRoof takes a product of 2048x2048 matrices and a sum of two vectors of 256 MiB, the best of some rounds each.
func measureRoof(b *testing.B, d kernel.Device) roof {
	const n, words = 2048, 64 << 20
	alloc := func(n int) kernel.Buffer {
		buffer, err := d.Alloc(n)
		if err != nil {
			b.Fatal(err)
		}
		return buffer
	}
	x, w, y, u, v, sum := alloc(n*n), alloc(n*n), alloc(n*n), alloc(words), alloc(words), alloc(words)
	return roof{
		flops: 2 * n * n * n / shortest(func() { d.Linear(y, x, w, nil, n, n, n, false) }),
		bytes: 3 * 4 * words / shortest(func() { d.Add(sum, u, v, words) }),
	}
}

// shortest returns the seconds of the best of some rounds.
func shortest(f func()) float64 {
	best := math.Inf(1)
	for range 8 {
		start := time.Now()
		f()
		best = min(best, time.Since(start).Seconds())
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

// BenchmarkRoofline prints where the time of a step of the published network goes, and how near each kind of operation comes to what
// the machine can do. Winograd's convolutions do less than the definition says, and may pass the roof.
func BenchmarkRoofline(b *testing.B) {
	d, err := cpu.Open(cpu.Options{Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	spec, state := audioVisual(16)
	samples := audioVisualSamples(b, spec, 16)
	c, err := New(spec, state, samples)
	if err != nil {
		b.Fatal(err)
	}
	r, err := newRun(c, Options{Device: d, Samples: samples})
	if err != nil {
		b.Fatal(err)
	}
	r.trainer.step.Profile() // plans the convolutions
	for b.Loop() {
		printRoofline(b, measureRoof(b, d), bestOf(3, r.trainer.step), r.trainer)
	}
}

// bestOf returns the shortest time of every operation over some runs.
func bestOf(runs int, m *machine.Machine) []machine.Timing {
	best := m.Profile()
	for range runs - 1 {
		for i, t := range m.Profile() {
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
	add("Adam", shortest(func() { t.opt.step(t.device, 1, 0) }), 0, 7*size) // reads 4 values of each parameter, writes 3
	fmt.Printf("\nroof: %.0f GFLOP/s (a product of 2048x2048), %.1f GB/s (a sum of 256 MiB vectors); all operations: %.0f ms\n\n", top.flops/1e9, top.bytes/1e9, 1e3*total)
	fmt.Printf("%-38s %4s %8s %6s %9s %7s %9s\n", "operation", "n", "ms", "share", "GFLOP/s", "GB/s", "of roof")
	for _, k := range slices.SortedFunc(maps.Values(rows), func(a, b *row) int { return cmp.Compare(b.seconds, a.seconds) }) {
		flops, bytes := k.flops/k.seconds, k.bytes/k.seconds
		fmt.Printf("%-38s %4d %8.1f %5.1f%% %9.0f %7.1f %8.0f%%\n", k.name, k.n, 1e3*k.seconds, 100*k.seconds/total, flops/1e9, bytes/1e9,
			100*max(flops/top.flops, bytes/top.bytes))
	}
}
