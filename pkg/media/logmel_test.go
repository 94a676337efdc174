package media

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/rng"
)

// slowPower is |STFT|^2 by the definition of torch.stft: a direct DFT of every frame, (frames, NFFT/2+1).
func slowPower(wave []float32, o LogMelOptions) [][]float64 {
	at := func(i int) float64 { // reflection about the end samples
		if o.Centre {
			i -= o.NFFT / 2
		}
		if i < 0 {
			i = -i
		}
		if i >= len(wave) {
			i = 2*(len(wave)-1) - i
		}
		return float64(wave[i])
	}
	length := len(wave)
	if o.Centre {
		length += 2 * (o.NFFT / 2)
	}
	var power [][]float64
	for from := 0; from+o.NFFT <= length; from += o.Hop {
		row := make([]float64, o.NFFT/2+1)
		for k := range row {
			var sum complex128
			for i := range o.Window {
				n := i + (o.NFFT-o.Window)/2
				hann := math.Pow(math.Sin(math.Pi*float64(i)/float64(o.Window)), 2)
				sum += complex(at(from+n)*hann, 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(k)*float64(n)/float64(o.NFFT)))
			}
			row[k] = math.Pow(cmplx.Abs(sum), 2)
		}
		power = append(power, row)
	}
	return power
}

// chirp is 0.5 sin(0.05 n^2), 64 samples.
func chirp() []float32 {
	x := make([]float32, 64)
	for n := range x {
		x[n] = float32(0.5 * math.Sin(0.05*float64(n*n)))
	}
	return x
}

// The reference itself is held to torch 1.13: torch.stft(x, 16, hop_length=10, win_length=12,
// window=torch.hann_window(12), center=True, pad_mode="reflect", return_complex=True).abs()**2 of chirp, frames 0 and 6.
func TestSlowPowerEqualsTorch(t *testing.T) {
	got := slowPower(chirp(), LogMelOptions{NFFT: 16, Window: 12, Hop: 10, Centre: true})
	if len(got) != 7 {
		t.Fatalf("got %d frames, want 7", len(got))
	}
	for frame, want := range map[int][]float64{
		0: {0.4303686737, 0.04299063554, 0.1190940396, 0.0527677265, 0.0009203350633, 0.0003606817218, 0.0001843621523, 1.14163837e-05, 4.318308893e-07},
		6: {4.616004125, 2.635318639, 0.4726462035, 0.07556531203, 0.006381063608, 0.001111283179, 0.0001052217572, 1.194742944e-05, 3.258011482e-07},
	} {
		for k, w := range want {
			if math.Abs(got[frame][k]-w) > 1e-6*w+1e-8 {
				t.Errorf("frame %d, bin %d: got %v, want %v", frame, k, got[frame][k], w)
			}
		}
	}
}

func TestLogMelEqualsReference(t *testing.T) {
	for _, o := range []LogMelOptions{
		{Rate: 8000, Samples: 1000, NFFT: 256, Window: 256, Hop: 100, Mels: 20, High: 4000, Centre: true},
		{Rate: 16000, Samples: 1500, NFFT: 400, Window: 300, Hop: 160, Mels: 24, Low: 60, High: 7600, Centre: true},
		{Rate: 22050, Samples: 1300, NFFT: 353, Window: 353, Hop: 77, Mels: 16, High: 11025},
	} {
		t.Run(fmt.Sprint(o.NFFT, o.Centre), func(t *testing.T) {
			l, err := NewLogMel(o)
			if err != nil {
				t.Fatal(err)
			}
			random, wave := rng.Stream(1, "wave"), make([]float32, o.Samples)
			shape := l.Shape()
			got := make([]float32, shape[0]*shape[1])
			for round := range 2 { // the second shows that nothing of the first is left in the buffers
				for i := range wave {
					wave[i] = float32(random.Float64()*2-1) * float32(1-round)
				}
				l.Transform(got, wave)
				power := slowPower(wave, o)
				if shape[0] != len(power) || shape[1] != o.Mels {
					t.Fatalf("shape %v, want %d frames", shape, len(power))
				}
				for i, row := range power {
					for m := range o.Mels {
						var sum float64
						for k, p := range row {
							sum += p * slowMel(o, m, float64(k)*float64(o.Rate)/float64(o.NFFT))
						}
						if want := math.Log(sum + 1e-7); math.Abs(float64(got[i*o.Mels+m])-want) > 1e-5 {
							t.Fatalf("frame %d, band %d: got %v, want %v", i, m, got[i*o.Mels+m], want)
						}
					}
				}
			}
		})
	}
}

// slowMel is the weight of band m at a frequency, written from the definition of the filter bank.
func slowMel(o LogMelOptions, m int, hertz float64) float64 {
	edge := func(i int) float64 {
		low, high := slaneyMel(o.Low), slaneyMel(o.High)
		return slaneyHertz(low + float64(i)*(high-low)/float64(o.Mels+1))
	}
	a, b, c := edge(m), edge(m+1), edge(m+2)
	switch {
	case hertz > a && hertz <= b:
		return 2 / (c - a) * (hertz - a) / (b - a)
	case hertz > b && hertz < c:
		return 2 / (c - a) * (c - hertz) / (c - b)
	}
	return 0
}

func TestSlaneyScale(t *testing.T) {
	// librosa's documentation of mel_frequencies(n_mels=40): 0 to 11025 Hz.
	want := []float64{0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49,
		1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47, 2697.686,
		2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92, 7101.009, 7754.107,
		8467.272, 9246.028, 10096.408, 11025}
	top := slaneyMel(11025)
	for i, w := range want {
		if got := slaneyHertz(top * float64(i) / 39); math.Abs(got-w) > 6e-4 {
			t.Errorf("edge %d: got %.4f Hz, want %.3f", i, got, w)
		}
	}
	for _, hertz := range []float64{0, 60, 999.9, 1000, 1000.1, 8000} {
		if got := slaneyHertz(slaneyMel(hertz)); math.Abs(got-hertz) > 1e-9 {
			t.Errorf("%v Hz comes back as %v", hertz, got)
		}
	}
}

func TestLogMelRefuses(t *testing.T) {
	good := LogMelOptions{Rate: 8000, Samples: 4000, NFFT: 256, Hop: 128, Mels: 20, Centre: true}
	if _, err := NewLogMel(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*LogMelOptions){
		"rate 0":               func(o *LogMelOptions) { o.Rate = 0 },
		"transform of 1":       func(o *LogMelOptions) { o.NFFT = 1 },
		"window of 257":        func(o *LogMelOptions) { o.Window = 257 },
		"hop of 0":             func(o *LogMelOptions) { o.Hop = 0 },
		"0 mel bands":          func(o *LogMelOptions) { o.Mels = 0 },
		"holds no bin":         func(o *LogMelOptions) { o.Rate, o.Mels = 16000, 100 },
		"bands from 0 to 5000": func(o *LogMelOptions) { o.High = 5000 },
		"bands from NaN":       func(o *LogMelOptions) { o.Low = math.NaN() },
		"waveform of 128":      func(o *LogMelOptions) { o.Samples = 128 },
		"waveform of 255":      func(o *LogMelOptions) { o.Samples, o.Centre = 255, false },
	} {
		o := good
		change(&o)
		if _, err := NewLogMel(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestLogMelAllocatesNothing(t *testing.T) {
	l, err := NewLogMel(LogMelOptions{Rate: 8000, Samples: 4000, NFFT: 256, Hop: 128, Mels: 20, Centre: true})
	if err != nil {
		t.Fatal(err)
	}
	wave, out := make([]float32, 4000), make([]float32, l.Shape()[0]*l.Shape()[1])
	if n := testing.AllocsPerRun(5, func() { l.Transform(out, wave) }); n != 0 {
		t.Errorf("%v allocations a waveform", n)
	}
	silent := float32(math.Log(1e-7))
	if i := slices.IndexFunc(out, func(v float32) bool { return v != silent }); i >= 0 {
		t.Errorf("silence: got %v, want log(1e-7)", out[i])
	}
}
