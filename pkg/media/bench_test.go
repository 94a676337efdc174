package media

import "testing"

func BenchmarkLogMel(b *testing.B) {
	l, err := NewLogMel(LogMelOptions{Rate: 16000, Samples: 16000, NFFT: 512, Hop: 256, Mels: 64, Centre: true})
	if err != nil {
		b.Fatal(err)
	}
	wave, out := make([]float32, 16000), make([]float32, l.Shape()[0]*l.Shape()[1])
	b.SetBytes(4 * 16000)
	for b.Loop() {
		l.Transform(out, wave)
	}
}

func BenchmarkResample(b *testing.B) {
	r, err := NewResampler(44100, 16000)
	if err != nil {
		b.Fatal(err)
	}
	x, y := make([]float32, 44100), make([]float32, 16000)
	b.SetBytes(4 * 44100)
	for b.Loop() {
		r.Resample(y, x)
	}
}
