package media

import (
	"fmt"
	"slices"
)

// Padding names what a frame near the waveform's ends sees beyond them.
type Padding string

// The paddings. With the first two frame t is centred at t*Hop.
const (
	Reflect Padding = "reflect" // the waveform mirrored about its end samples: torch.stft's default, and librosa's before 0.10
	Zero    Padding = "zero"    // silence: librosa's default since 0.10
	None    Padding = "none"    // nothing: frame t begins at t*Hop, and there are only whole frames
)

// Paddings are all there are.
var Paddings = []Padding{Reflect, Zero, None}

// Loudness names the curve from a power or magnitude to an element.
type Loudness string

// The curves.
const (
	LogAdd  Loudness = "log"     // log(x + 1e-7), the published audio-visual pipelines'
	LogMax  Loudness = "log-max" // log(max(x, 1.1920929e-07)), Kaldi's
	Decibel Loudness = "db"      // 10 log10(max(x, 1e-10)) of a power, no more than 80 below the spectrogram's highest: librosa's and torchaudio's
	Linear  Loudness = "linear"  // x
)

// Loudnesses are all there are.
var Loudnesses = []Loudness{LogAdd, LogMax, Decibel, Linear}

const (
	logAdd   = 1e-7
	logMax   = 1.1920928955078125e-07 // float32's epsilon
	powerMin = 1e-10
	topDB    = 80
)

// SpectrogramOptions say what a Spectrogram makes of a waveform.
type SpectrogramOptions struct {
	Rate    int // samples a second of the waveform
	Samples int // its length

	NFFT     int     // length of the transform
	Window   int     // samples of the window, 0 for NFFT. A shorter one is centred in the transform; without Padding it is the frame, zeros after it
	Shape    Window  // "" is Hann
	Hop      int     // samples from one frame to the next
	Padding  Padding // "" is Reflect
	Centre   bool    // the mean of each frame is taken off (Kaldi's remove_dc_offset, SciPy's detrend)
	Emphasis float64 // then this times the sample before, within the frame (Kaldi's preemphasis_coefficient)
	Power    int     // 2 for |X|^2, which 0 stands for; 1 for |X|
	Density  bool    // powers are divided by the rate and the window's energy, and doubled but for those of 0 and Rate/2 Hz (SciPy's spectrogram)

	Mels      int      // bands; 0 leaves the NFFT/2+1 bins
	Low, High float64  // Hz, the edges of the lowest and the highest band; High 0 means Rate/2
	Scale     MelScale // "" is Slaney
	Area      bool     // a band is divided by half its width, so that wide ones are no louder

	Loudness     Loudness // "" is LogAdd
	Coefficients int      // of the cosine transform of a frame, from the lowest (MFCC); 0 leaves the bands

	Frames     int     // cut after so many frames, or fill up with frames of 0; 0 takes those there are
	Whiten     bool    // the spectrogram's mean is taken off, and it is divided by its standard deviation + 1e-9
	Mean, Std  float64 // the first is taken off, and the rest divided by the second, 0 for 1
	BandsFirst bool    // (bands, frames), and not (frames, bands)
}

// check returns an error for options that make no spectrogram, and fills in what was left 0.
func (o *SpectrogramOptions) check() error {
	o.fill()
	switch {
	case o.Rate < 1 || o.Rate > maxWAVRate:
		return fmt.Errorf("rate %d: want 1 to %d samples a second", o.Rate, maxWAVRate)
	case o.NFFT < 2 || o.NFFT > 1<<20:
		return fmt.Errorf("transform of %d samples: want 2 to %d", o.NFFT, 1<<20)
	case o.Window < 1 || o.Window > o.NFFT:
		return fmt.Errorf("window of %d samples: want 1 to the transform's %d", o.Window, o.NFFT)
	case o.Hop < 1 || o.Hop > 1<<30:
		return fmt.Errorf("hop of %d samples: want 1 to %d", o.Hop, 1<<30)
	case !slices.Contains(Paddings, o.Padding):
		return fmt.Errorf("padding %q: want one of %v", o.Padding, Paddings)
	case o.Power != 1 && o.Power != 2:
		return fmt.Errorf("power %d: want 1 or 2", o.Power)
	case o.Density && o.Power != 2:
		return fmt.Errorf("a density of magnitudes: want power 2")
	case !(o.Emphasis >= 0 && o.Emphasis < 1e3):
		return fmt.Errorf("emphasis %g: want 0 or more", o.Emphasis)
	case o.Frames < 0 || o.Frames > 1<<24:
		return fmt.Errorf("%d frames: want 0 to %d", o.Frames, 1<<24)
	case !(o.Std > 0) || o.Mean-o.Mean != 0 || o.Std-o.Std != 0:
		return fmt.Errorf("mean %g, deviation %g: want numbers, the second above 0", o.Mean, o.Std)
	}
	return o.checkBands()
}

func (o *SpectrogramOptions) checkBands() error {
	bins := o.NFFT/2 + 1
	switch {
	case o.Mels < 0 || o.Mels > bins:
		return fmt.Errorf("%d mel bands: want 1 to the transform's %d bins", o.Mels, bins)
	case !slices.Contains(MelScales, o.Scale):
		return fmt.Errorf("scale %q: want one of %v", o.Scale, MelScales)
	case o.Area && o.Scale == Kaldi:
		return fmt.Errorf("bands of equal area: not in the scale %q", o.Scale)
	case !(o.Low >= 0 && o.Low < o.High && o.High <= float64(o.Rate)/2):
		return fmt.Errorf("bands from %g to %g Hz: want 0 <= low < high <= %g", o.Low, o.High, float64(o.Rate)/2)
	case !slices.Contains(Loudnesses, o.Loudness):
		return fmt.Errorf("loudness %q: want one of %v", o.Loudness, Loudnesses)
	case o.Coefficients < 0 || o.Coefficients > o.bands():
		return fmt.Errorf("%d coefficients: want 1 to the %d bands", o.Coefficients, o.bands())
	case o.Padding == Reflect && o.Samples <= o.NFFT/2:
		return fmt.Errorf("waveform of %d samples: reflecting its ends takes more than half the transform, %d", o.Samples, o.NFFT/2)
	case o.Samples < 1:
		return fmt.Errorf("waveform of %d samples: want 1 or more", o.Samples)
	case o.Padding == None && o.Samples < o.frame():
		return fmt.Errorf("waveform of %d samples: shorter than a frame, %d", o.Samples, o.frame())
	}
	return nil
}

func (o *SpectrogramOptions) fill() {
	if o.Window == 0 {
		o.Window = o.NFFT
	}
	if o.Shape == "" {
		o.Shape = Hann
	}
	if o.Padding == "" {
		o.Padding = Reflect
	}
	if o.Power == 0 {
		o.Power = 2
	}
	if o.High == 0 {
		o.High = float64(o.Rate) / 2
	}
	if o.Scale == "" {
		o.Scale = Slaney
	}
	if o.Loudness == "" {
		o.Loudness = LogAdd
	}
	if o.Std == 0 {
		o.Std = 1
	}
}

// frame is how many samples a frame takes: with padding those of the transform, as torch.stft does.
func (o *SpectrogramOptions) frame() int {
	if o.Padding == None {
		return o.Window
	}
	return o.NFFT
}

// bands is how many numbers a frame has before the cosine transform.
func (o *SpectrogramOptions) bands() int {
	if o.Mels > 0 {
		return o.Mels
	}
	return o.NFFT/2 + 1
}
