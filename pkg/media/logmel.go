package media

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// logFloor is added before the logarithm, the constant of the published audio-visual pipelines (log(|S| + 1e-7)).
const logFloor = 1e-7

// LogMelOptions say what spectrogram a LogMel makes.
type LogMelOptions struct {
	Rate      int     // frames a second of the waveform
	Samples   int     // length of the waveform
	NFFT      int     // length of the transform
	Window    int     // length of the window, 0 for NFFT; a shorter one is centred in the transform
	Hop       int     // samples from one frame to the next
	Mels      int     // bands
	Low, High float64 // Hz, the edges of the lowest and the highest band; High 0 means Rate/2
	Centre    bool    // frame t is centred at t*Hop, the waveform's ends reflected (torch.stft's center=True); else it begins there
}

// check returns an error for options that make no spectrogram, and fills in what was left 0.
func (o *LogMelOptions) check() error {
	if o.Window == 0 {
		o.Window = o.NFFT
	}
	if o.High == 0 {
		o.High = float64(o.Rate) / 2
	}
	switch {
	case o.Rate < 1 || o.Rate > maxWAVRate:
		return fmt.Errorf("rate %d: want 1 to %d frames a second", o.Rate, maxWAVRate)
	case o.NFFT < 2 || o.NFFT > 1<<20:
		return fmt.Errorf("transform of %d samples: want 2 to %d", o.NFFT, 1<<20)
	case o.Window < 1 || o.Window > o.NFFT:
		return fmt.Errorf("window of %d samples: want 1 to the transform's %d", o.Window, o.NFFT)
	case o.Hop < 1:
		return fmt.Errorf("hop of %d samples: want 1 or more", o.Hop)
	case o.Mels < 1 || o.Mels > o.NFFT/2+1:
		return fmt.Errorf("%d mel bands: want 1 to the transform's %d bins", o.Mels, o.NFFT/2+1)
	case !(o.Low >= 0 && o.Low < o.High && o.High <= float64(o.Rate)/2):
		return fmt.Errorf("bands from %g to %g Hz: want 0 <= low < high <= %g", o.Low, o.High, float64(o.Rate)/2)
	case o.Centre && o.Samples <= o.NFFT/2:
		return fmt.Errorf("waveform of %d samples: reflecting its ends takes more than half the transform, %d", o.Samples, o.NFFT/2)
	case !o.Centre && o.Samples < o.NFFT:
		return fmt.Errorf("waveform of %d samples: shorter than the transform, %d", o.Samples, o.NFFT)
	}
	return nil
}

// LogMel is a plan that turns waveforms of one length into log-mel spectrograms of one shape:
//
//	out[t][m] = log(sum_k w_m(k) |X_t(k)|^2 + 1e-7),   X_t = DFT(hann * frame t)
//
// with the periodic Hann window of torch.hann_window and the Slaney filter bank of librosa (see melFilters); it equals
// log(librosa.feature.melspectrogram(y, n_fft, hop_length, pad_mode="reflect") + 1e-7), transposed. It holds buffers: one goroutine at a time.
type LogMel struct {
	o       LogMelOptions
	frames  int
	window  []float64 // (NFFT)
	filters []melFilter
	fft     *fourier.FFT
	padded  []float64 // the waveform with its reflected ends
	frame   []float64 // (NFFT)
	bins    []complex128
	power   []float64 // (NFFT/2+1)
}

// NewLogMel makes the plan; an error says which option cannot be.
func NewLogMel(o LogMelOptions) (*LogMel, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	filters, err := melFilters(o.Rate, o.NFFT, o.Mels, o.Low, o.High)
	if err != nil {
		return nil, err
	}
	l := &LogMel{o: o, filters: filters, fft: fourier.NewFFT(o.NFFT),
		window: make([]float64, o.NFFT), frame: make([]float64, o.NFFT),
		bins: make([]complex128, o.NFFT/2+1), power: make([]float64, o.NFFT/2+1)}
	left := (o.NFFT - o.Window) / 2
	for i := range o.Window {
		l.window[left+i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(o.Window))
	}
	length := o.Samples
	if o.Centre {
		length += o.NFFT / 2 * 2
	}
	l.padded = make([]float64, length)
	l.frames = 1 + (length-o.NFFT)/o.Hop
	return l, nil
}

// Shape returns the dimensions of a spectrogram: frames, mels.
func (l *LogMel) Shape() []int { return []int{l.frames, l.o.Mels} }

// Transform writes the spectrogram of wave, (Samples), to dst, (frames, mels).
func (l *LogMel) Transform(dst, wave []float32) {
	wave = wave[:l.o.Samples]
	l.pad(wave)
	for t := range l.frames {
		from := l.padded[t*l.o.Hop:][:l.o.NFFT]
		for i, w := range l.window {
			l.frame[i] = from[i] * w
		}
		l.fft.Coefficients(l.bins, l.frame)
		for k, x := range l.bins {
			l.power[k] = real(x)*real(x) + imag(x)*imag(x)
		}
		row := dst[t*l.o.Mels:][:l.o.Mels]
		for m := range row {
			f := &l.filters[m]
			power := l.power[f.first:][:len(f.weights)]
			var sum float64
			for k, w := range f.weights {
				sum += w * power[k]
			}
			row[m] = float32(math.Log(sum + logFloor))
		}
	}
}

// pad fills the padded waveform: in Centre, NFFT/2 samples on each side, mirrored about the end samples.
func (l *LogMel) pad(wave []float32) {
	side := 0
	if l.o.Centre {
		side = l.o.NFFT / 2
	}
	for i, v := range wave {
		l.padded[side+i] = float64(v)
	}
	for i := range side {
		l.padded[side-1-i] = float64(wave[1+i])
		l.padded[side+len(wave)+i] = float64(wave[len(wave)-2-i])
	}
}
