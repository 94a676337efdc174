package media

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"mmtools/internal/fixture"
)

// sounds is what scripts/reference/sound.py made.
type sounds struct {
	Wave  fixture.Tensor
	Cases []struct {
		Name    string
		Options SpectrogramOptions
		Want    fixture.Tensor // (frames, bands)
	}
}

func loadSounds(t *testing.T) (s sounds) {
	t.Helper()
	f, err := os.Open("testdata/sound.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Every transform equals torch.stft, scipy.signal and the formulas of librosa, torchaudio and Kaldi, computed in float64; the
// tolerance is little more than float32's rounding of what is stored.
func TestSpectrogramEqualsReference(t *testing.T) {
	s := loadSounds(t)
	if len(s.Cases) < 15 {
		t.Fatalf("%d cases", len(s.Cases))
	}
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) {
			p, err := NewSpectrogram(c.Options)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Shape(), c.Want.Shape) {
				t.Fatalf("shape %v, want %v", p.Shape(), c.Want.Shape)
			}
			got := make([]float32, len(c.Want.Float32))
			silence := make([]float32, len(s.Wave.Float32))
			for range 2 { // the second time shows that nothing of another waveform is left
				if err := p.Transform(got, silence); err != nil {
					t.Fatal(err)
				}
				if err := p.Transform(got, s.Wave.Float32); err != nil {
					t.Fatal(err)
				}
				for i, w := range c.Want.Float32 {
					if d := math.Abs(float64(got[i] - w)); d > 5e-7*(1+math.Abs(float64(w))) {
						t.Fatalf("frame %d, band %d: got %v, want %v", i/c.Want.Shape[1], i%c.Want.Shape[1], got[i], w)
					}
				}
			}
			o := c.Options
			o.BandsFirst = true
			if p, err = NewSpectrogram(o); err != nil {
				t.Fatal(err)
			}
			turned := make([]float32, len(got))
			if err := p.Transform(turned, s.Wave.Float32); err != nil {
				t.Fatal(err)
			}
			frames, bands := c.Want.Shape[0], c.Want.Shape[1]
			if !slices.Equal(p.Shape(), []int{bands, frames}) {
				t.Fatalf("bands first: shape %v", p.Shape())
			}
			for i, v := range turned {
				want := got[i%frames*bands+i/frames]
				if v != want && !(o.Whiten && math.Abs(float64(v-want)) < 1e-6) { // whose sums run in another order
					t.Fatalf("bands first: element %d: got %v, want %v", i, v, want)
				}
			}
		})
	}
}

// A shorter sound gives its own frames, and 0 after them.
func TestSpectrogramOfShorterSound(t *testing.T) {
	wave := loadSounds(t).Wave.Float32
	for _, o := range []SpectrogramOptions{
		{NFFT: 256, Hop: 100, Mels: 20, Area: true},
		{NFFT: 256, Hop: 100, Mels: 20, Area: true, Loudness: Decibel, Coefficients: 12, Padding: Zero},
		{NFFT: 256, Window: 200, Hop: 80, Mels: 20, Scale: Kaldi, Padding: None, Loudness: LogMax},
	} {
		o.Rate, o.Samples = 8000, 1500
		long, err := NewSpectrogram(o)
		if err != nil {
			t.Fatal(err)
		}
		o.Samples = 700
		short, err := NewSpectrogram(o)
		if err != nil {
			t.Fatal(err)
		}
		got, want := make([]float32, long.total*long.width), make([]float32, short.total*short.width)
		if err := long.Transform(got, wave); err != nil {
			t.Fatal(err)
		}
		if err := long.Transform(got, wave[:700]); err != nil {
			t.Fatal(err)
		}
		if err := short.Transform(want, wave[:700]); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got[:len(want)], want) {
			t.Errorf("%+v: the first %d frames differ", o, short.total)
		}
		if i := slices.IndexFunc(got[len(want):], func(v float32) bool { return v != 0 }); i >= 0 || len(got) <= len(want) {
			t.Errorf("%+v: frames after the sound are not 0", o)
		}
		if err := long.Transform(got, wave[:100]); (err == nil) != (o.Padding == Zero) {
			t.Errorf("%+v: 100 samples: %v", o, err)
		}
	}
}

func TestSlaneyScale(t *testing.T) {
	// librosa's documentation of mel_frequencies(n_mels=40): 0 to 11025 Hz.
	want := []float64{0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855, 853.173, 938.49,
		1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47, 2697.686,
		2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205, 6502.92, 7101.009, 7754.107,
		8467.272, 9246.028, 10096.408, 11025}
	top := Slaney.mel(11025)
	for i, w := range want {
		if got := Slaney.hertz(top * float64(i) / 39); math.Abs(got-w) > 6e-4 {
			t.Errorf("edge %d: got %.4f Hz, want %.3f", i, got, w)
		}
	}
	for _, scale := range MelScales {
		for _, hertz := range []float64{0, 60, 999.9, 1000, 1000.1, 8000} {
			if got := scale.hertz(scale.mel(hertz)); math.Abs(got-hertz) > 1e-9 {
				t.Errorf("%s: %v Hz comes back as %v", scale, hertz, got)
			}
		}
	}
	if got := HTK.mel(1000); math.Abs(got-2595*math.Log10(1+1000./700)) > 0.02 { // 1127 is 2595/ln 10 rounded
		t.Errorf("1000 Hz: %v", got)
	}
}

func TestSpectrogramRefuses(t *testing.T) {
	good := SpectrogramOptions{Rate: 8000, Samples: 4000, NFFT: 256, Hop: 128, Mels: 20}
	if _, err := NewSpectrogram(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*SpectrogramOptions){
		"rate 0":               func(o *SpectrogramOptions) { o.Rate = 0 },
		"transform of 1":       func(o *SpectrogramOptions) { o.NFFT = 1 },
		"window of 257":        func(o *SpectrogramOptions) { o.Window = 257 },
		`window "bell"`:        func(o *SpectrogramOptions) { o.Shape = "bell" },
		"hop of 0":             func(o *SpectrogramOptions) { o.Hop = 0 },
		`padding "edge"`:       func(o *SpectrogramOptions) { o.Padding = "edge" },
		"power 3":              func(o *SpectrogramOptions) { o.Power = 3 },
		"density":              func(o *SpectrogramOptions) { o.Power, o.Density = 1, true },
		"emphasis":             func(o *SpectrogramOptions) { o.Emphasis = math.NaN() },
		"-1 mel bands":         func(o *SpectrogramOptions) { o.Mels = -1 },
		"holds no bin":         func(o *SpectrogramOptions) { o.Rate, o.Mels = 16000, 100 },
		`scale "bark"`:         func(o *SpectrogramOptions) { o.Scale = "bark" },
		"equal area":           func(o *SpectrogramOptions) { o.Scale, o.Area = Kaldi, true },
		"bands from 0 to 5000": func(o *SpectrogramOptions) { o.High = 5000 },
		"bands from NaN":       func(o *SpectrogramOptions) { o.Low = math.NaN() },
		`loudness "phon"`:      func(o *SpectrogramOptions) { o.Loudness = "phon" },
		"21 coefficients":      func(o *SpectrogramOptions) { o.Coefficients = 21 },
		"-1 frames":            func(o *SpectrogramOptions) { o.Frames = -1 },
		"deviation -1":         func(o *SpectrogramOptions) { o.Std = -1 },
		"waveform of 128":      func(o *SpectrogramOptions) { o.Samples = 128 },
		"waveform of 0":        func(o *SpectrogramOptions) { o.Samples, o.Padding = 0, Zero },
		"waveform of 255":      func(o *SpectrogramOptions) { o.Samples, o.Padding = 255, None },
	} {
		o := good
		change(&o)
		if _, err := NewSpectrogram(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestSpectrogramAllocatesNothing(t *testing.T) {
	s, err := NewSpectrogram(SpectrogramOptions{Rate: 8000, Samples: 4000, NFFT: 256, Hop: 128, Mels: 20})
	if err != nil {
		t.Fatal(err)
	}
	wave, out := make([]float32, 4000), make([]float32, s.Shape()[0]*s.Shape()[1])
	n := testing.AllocsPerRun(5, func() {
		if err := s.Transform(out, wave); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a waveform", n)
	}
	silent := float32(math.Log(1e-7))
	if i := slices.IndexFunc(out, func(v float32) bool { return v != silent }); i >= 0 {
		t.Errorf("silence: got %v, want log(1e-7)", out[i])
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		fit    Fit
		n      int
		length int
		want   []float32
	}{
		{Pad, 3, 5, []float32{1, 2, 3, 0, 0}},
		{Repeat, 3, 8, []float32{1, 2, 3, 1, 2, 3, 1, 2}}, // numpy.tile([1, 2, 3], 3)[:8]
		{Repeat, 1, 4, []float32{1, 1, 1, 1}},
		{Centre, 3, 6, []float32{0, 1, 2, 3, 0, 0}},
		{Centre, 0, 2, []float32{0, 0}},
		{Repeat, 0, 2, []float32{0, 0}},
	} {
		sound := []float32{1, 2, 3, 4, 5, 6}[:c.n]
		got := []float32{9, 9, 9, 9, 9, 9, 9, 9}[:c.length]
		copy(got, sound)
		if err := c.fit.Apply(got, c.n); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %d to %d: got %v, %v, want %v", c.fit, c.n, c.length, got, err, c.want)
		}
	}
	if err := Fit("stretch").Apply(nil, 0); err == nil {
		t.Error("stretch: want an error")
	}
}
