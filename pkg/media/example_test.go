package media_test

import (
	"fmt"
	"math"

	"mmtools/pkg/media"
)

// The loudest band of a tone of 1000 Hz, in the middle of a second of it.
func ExampleSpectrogram() {
	l, err := media.NewSpectrogram(media.SpectrogramOptions{Rate: 16000, Samples: 16000, NFFT: 512, Hop: 256, Mels: 64, Area: true})
	if err != nil {
		panic(err)
	}
	wave := make([]float32, 16000)
	for i := range wave {
		wave[i] = float32(math.Sin(2 * math.Pi * 1000 * float64(i) / 16000))
	}
	shape := l.Shape()
	out := make([]float32, shape[0]*shape[1])
	if err := l.Transform(out, wave); err != nil {
		panic(err)
	}
	row, loudest := out[31*shape[1]:32*shape[1]], 0
	for m, v := range row {
		if v > row[loudest] {
			loudest = m
		}
	}
	fmt.Println(shape, loudest)
	// Output: [63 64] 21
}
