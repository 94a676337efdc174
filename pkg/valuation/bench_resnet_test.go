package valuation

import (
	"testing"

	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/network/networktest"
)

// BenchmarkAudioVisual values samples of the published network in samples a second, minibatches of 16, from a samples stream in
// memory to contributions: ResNet-18 for a spectrogram of 257x188 and for three frames of 224x224, 31 classes.
func BenchmarkAudioVisual(b *testing.B) {
	const n, rows = 32, 16
	spec := networktest.AudioVisual("resnet18", []int{257, 188}, []int{3, 3, 224, 224})
	layout, err := spec.Layout()
	if err != nil {
		b.Fatal(err)
	}
	path := noise(b, spec, n)
	for _, precision := range []kernel.Precision{kernel.Float32, kernel.BF16} {
		b.Run(string(precision)+"/evaluate", func(b *testing.B) {
			d, err := device.Open(device.Options{Name: "cpu", Threads: 2, Precision: precision})
			if err != nil {
				b.Skip(err)
			}
			defer d.Close()
			e, err := network.NewEvaluator(spec, d, rows, layout.Initialize(1), layout.InitializeBuffers())
			if err != nil {
				b.Fatal(err)
			}
			valued(b, path, e, 2, n) // plans the convolutions
			for b.Loop() {
				valued(b, path, e, 2, n)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
