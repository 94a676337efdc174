package valuation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// BenchmarkAudioVisual values samples of the published network in samples a second, minibatches of 16, from a samples stream in
// memory to contributions: ResNet-18 for a spectrogram of 257x188 and for three frames of 224x224, 31 classes.
func BenchmarkAudioVisual(b *testing.B) {
	const n, rows = 32, 16
	spec := network.Spec{Fusion: "concat", Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: []int{257, 188}}, Backbone: "resnet18"},
		{Modality: modality.Modality{Name: "visual", Kind: modality.Video, Shape: []int{3, 3, 224, 224}}, Backbone: "resnet18"},
	}}
	for c := range 31 {
		spec.Classes = append(spec.Classes, fmt.Sprint(c))
	}
	layout, err := spec.Layout()
	if err != nil {
		b.Fatal(err)
	}
	data := audioVisual(b, spec, n)
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
			pass := func() {
				r, err := stream.NewReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				samples, err := schema.NewSamplesReader(r)
				if err != nil {
					b.Fatal(err)
				}
				valued := 0
				_, err = Run(context.Background(), samples, e, Options{Threads: 2}, func(_ *schema.SamplesBatch, r *Result) error {
					valued += r.Rows
					return nil
				})
				if err != nil || valued != n {
					b.Fatalf("%d samples, %v", valued, err)
				}
			}
			pass() // plans the convolutions
			for b.Loop() {
				pass()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

// audioVisual returns a stream of n samples, float32 spectrograms and uint8 frames.
func audioVisual(b *testing.B, spec network.Spec, n int) []byte {
	b.Helper()
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "bench", Modalities: spec.Channels(), Classes: spec.Classes},
		DTypes: []schema.DType{schema.Float32, schema.Uint8}})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		sound, frames := make([]float32, spec.Modalities[0].Size()), make([]uint8, spec.Modalities[1].Size())
		for k := range sound {
			sound[k] = float32(r.NormFloat64())
		}
		for k := range frames {
			frames[k] = uint8(r.UintN(256))
		}
		if err := w.Append(schema.Sample{ID: fmt.Sprint(i), Label: int32(r.IntN(len(spec.Classes))), Tensors: []any{sound, frames}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}
