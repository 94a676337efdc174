package media

import (
	"fmt"
	"testing"
)

func BenchmarkSpectrogram(b *testing.B) {
	for _, c := range []struct {
		name string
		o    SpectrogramOptions
	}{
		{"logmel-1s", SpectrogramOptions{Rate: 16000, Samples: 16000, NFFT: 512, Hop: 256, Mels: 64, Area: true}},
		{"logmel-10s", SpectrogramOptions{Rate: 16000, Samples: 160000, NFFT: 512, Hop: 160, Mels: 128, Area: true}},
		{"published-3s", SpectrogramOptions{Rate: 22050, Samples: 66150, NFFT: 512, Hop: 353, Power: 1, BandsFirst: true}},
		{"fbank-10s", SpectrogramOptions{Rate: 16000, Samples: 160000, NFFT: 512, Window: 400, Hop: 160, Padding: None, Shape: SymmetricHann,
			Centre: true, Emphasis: 0.97, Mels: 128, Low: 20, Scale: Kaldi, Loudness: LogMax, Frames: 1024}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, err := NewSpectrogram(c.o)
			if err != nil {
				b.Fatal(err)
			}
			shape := s.Shape()
			wave, out := make([]float32, c.o.Samples), make([]float32, shape[0]*shape[1])
			for b.Loop() {
				if err := s.Transform(out, wave); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.frames), "ns/frame")
		})
	}
}

func BenchmarkResample(b *testing.B) {
	for _, rates := range [][2]int{{44100, 16000}, {48000, 16000}, {8000, 16000}} {
		b.Run(fmt.Sprint(rates), func(b *testing.B) {
			r, err := NewResampler(rates[0], rates[1])
			if err != nil {
				b.Fatal(err)
			}
			x, y := make([]float32, rates[0]), make([]float32, rates[1])
			b.SetBytes(int64(4 * len(x)))
			for b.Loop() {
				r.Resample(y, x)
			}
		})
	}
}
