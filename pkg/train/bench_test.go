package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
)

// small tells the benchmarks to run on next to nothing: whether they run at all is asked then, of an emulated card, say.
var small = os.Getenv("MM_TEST_SMALL") != ""

// lateFusionSize is the width of the inputs and hidden layers, and the number of samples.
func lateFusionSize() (width, n int) {
	if small {
		return 16, 64
	}
	return 512, 8192
}

// lateFusion is the model that speed is measured on: two modalities of 512, hidden 512 each, 31 classes, Adam.
func lateFusion(rows int) (network.Spec, checkpoint.State) {
	width, _ := lateFusionSize()
	spec := networktest.LateFusion(fmt.Sprintf("mlp:%d", width), width)
	state := testState("adam")
	state.BatchSize, state.Optimizer.ClipNorm = rows, 0
	return spec, state
}

func noiseOf(b *testing.B, spec network.Spec, n int) *Samples {
	b.Helper()
	data, err := networktest.Noise(spec, n)
	if err != nil {
		b.Fatal(err)
	}
	return mustRead(b, data)
}

// BenchmarkLateFusion measures whole training steps, gathering of the minibatch included, in samples a second.
func BenchmarkLateFusion(b *testing.B) {
	batches := []int{64, 1024}
	if small {
		batches = []int{16, 64}
	}
	for _, rows := range batches {
		b.Run(fmt.Sprintf("batch=%d", rows), func(b *testing.B) {
			_, n := lateFusionSize()
			spec, state := lateFusion(rows)
			samples := noiseOf(b, spec, n)
			c, err := New(spec, state, samples)
			if err != nil {
				b.Fatal(err)
			}
			r, err := newRun(c, Options{Device: open(b), Samples: samples})
			if err != nil {
				b.Fatal(err)
			}
			plan := Whole(samples, 2)
			order := make([]int32, n)
			for i, k := range rand.New(rand.NewPCG(7, 8)).Perm(n) {
				order[i] = int32(k)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := r.trainer.epoch(context.Background(), samples, plan, order, nil, &r.state.Step, 1e-3, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			logEngine(b, r.trainer.device)
		})
	}
}

// logEngine tells what computed, and on a card whether a program could not be recorded: scripts/gpu-check looks for it.
func logEngine(b *testing.B, d kernel.Device) {
	if d, ok := d.(interface{ Engine() string }); ok {
		b.Logf("engine: %s", d.Engine())
	}
}
