package train

import (
	"context"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
)

// audioVisual is the published network: ResNet-18 for a spectrogram of 257x188 and for three frames of 224x224, 31 classes.
func audioVisual(rows int) (network.Spec, checkpoint.State) {
	sound, frames, backbone := []int{257, 188}, []int{3, 3, 224, 224}, "resnet18"
	if small {
		sound, frames, backbone = []int{17, 12}, []int{3, 3, 16, 16}, "cnn:4,8"
	}
	spec := networktest.AudioVisual(backbone, sound, frames)
	state := testState("adam")
	state.BatchSize, state.Optimizer.ClipNorm = rows, 0
	return spec, state
}

// audioVisualSamples returns n samples, float32 spectrograms and uint8 frames.
func audioVisualSamples(b *testing.B, spec network.Spec, n int) *Samples {
	b.Helper()
	data, err := networktest.Noise(spec, n)
	if err != nil {
		b.Fatal(err)
	}
	return mustRead(b, data)
}

// audioVisualSize is the number of samples and the size of a minibatch: 16, and on a card 64.
func audioVisualSize() (n, rows int) {
	switch {
	case small:
		return 4, 2
	case onCard():
		return 256, 64
	}
	return 32, 16
}

// precisions are those that the device computes in.
func precisions() []kernel.Precision {
	if onCard() {
		return []kernel.Precision{kernel.Float32, kernel.TF32, kernel.BF16}
	}
	return []kernel.Precision{kernel.Float32, kernel.BF16}
}

// BenchmarkAudioVisual measures whole training steps of 16 samples, on a card of 64, gathering and optimizer included, in samples a
// second.
func BenchmarkAudioVisual(b *testing.B) {
	n, rows := audioVisualSize()
	spec, state := audioVisual(rows)
	samples := audioVisualSamples(b, spec, n)
	c, err := New(spec, state, samples)
	if err != nil {
		b.Fatal(err)
	}
	plan, order := Whole(samples, 2), make([]int32, n)
	for i := range order {
		order[i] = int32(n - 1 - i)
	}
	for _, precision := range precisions() {
		b.Run(string(precision)+"/train", func(b *testing.B) {
			r, err := newRun(c, Options{Device: openIn(b, precision), Samples: samples})
			if err != nil {
				b.Fatal(err)
			}
			epoch := func() {
				if _, err := r.trainer.epoch(context.Background(), samples, plan, order, nil, &r.state.Step, 1e-4, nil); err != nil {
					b.Fatal(err)
				}
			}
			epoch() // plans the convolutions
			for b.Loop() {
				epoch()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			logEngine(b, r.trainer.device)
		})
	}
}
