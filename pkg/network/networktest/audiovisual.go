package networktest

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// AudioVisual is the published network, of a backbone for a spectrogram and one for frames, 31 classes.
func AudioVisual(backbone string, sound, frames []int) network.Spec {
	spec := network.Spec{Fusion: "concat", Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: sound}, Backbone: backbone},
		{Modality: modality.Modality{Name: "visual", Kind: modality.Video, Shape: frames}, Backbone: backbone},
	}}
	for c := range 31 {
		spec.Classes = append(spec.Classes, fmt.Sprint(c))
	}
	return spec
}

// AudioVisualSamples returns a stream of n samples of such a network: float32 spectrograms and uint8 frames, all of them noise.
func AudioVisualSamples(spec network.Spec, n int) ([]byte, error) {
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "bench", Modalities: spec.Channels(), Classes: spec.Classes},
		DTypes: []schema.DType{schema.Float32, schema.Uint8}})
	if err != nil {
		return nil, err
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
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
