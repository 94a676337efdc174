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
	return concat(backbone, modality.Modality{Name: "audio", Kind: modality.Audio, Shape: sound},
		modality.Modality{Name: "visual", Kind: modality.Video, Shape: frames})
}

// LateFusion is a network of two embeddings of width numbers, with a backbone each, 31 classes.
func LateFusion(backbone string, width int) network.Spec {
	return concat(backbone, modality.Modality{Name: "audio", Kind: modality.Embedding, Shape: []int{width}},
		modality.Modality{Name: "visual", Kind: modality.Embedding, Shape: []int{width}})
}

func concat(backbone string, modalities ...modality.Modality) network.Spec {
	spec := network.Spec{Fusion: "concat"}
	for _, m := range modalities {
		spec.Modalities = append(spec.Modalities, network.Channel{Modality: m, Backbone: backbone})
	}
	for c := range 31 {
		spec.Classes = append(spec.Classes, fmt.Sprint(c))
	}
	return spec
}

// Noise returns a stream of n samples of a network, all of them noise: uint8 where a modality is video, float32 elsewhere.
func Noise(spec network.Spec, n int) ([]byte, error) {
	about := schema.Samples{Header: schema.Header{Kind: schema.KindSamples, Tool: "bench", Modalities: spec.Channels(), Classes: spec.Classes}}
	for _, c := range spec.Modalities {
		dtype := schema.Float32
		if c.Kind == modality.Video {
			dtype = schema.Uint8
		}
		about.DTypes = append(about.DTypes, dtype)
	}
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, about)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		s := schema.Sample{ID: fmt.Sprint(i)}
		for _, c := range spec.Modalities {
			s.Tensors = append(s.Tensors, noise(r, c))
		}
		s.Label = int32(r.IntN(len(spec.Classes)))
		if err := w.Append(s); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func noise(r *rand.Rand, c network.Channel) any {
	if c.Kind == modality.Video {
		x := make([]uint8, c.Size())
		for k := range x {
			x[k] = uint8(r.UintN(256))
		}
		return x
	}
	x := make([]float32, c.Size())
	for k := range x {
		x[k] = float32(r.NormFloat64())
	}
	return x
}
