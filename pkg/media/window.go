package media

import (
	"fmt"
	"math"
)

// Window names the weights of a frame's samples.
type Window string

// The windows. Those of PyTorch and SciPy are periodic by default: n samples of one of n+1.
const (
	Hann          Window = "hann"           // torch.hann_window
	Hamming       Window = "hamming"        // torch.hamming_window
	Rectangular   Window = "rectangular"    // all ones
	Tukey         Window = "tukey"          // flat but for an eighth on each side: scipy.signal.spectrogram's default, ("tukey", 0.25)
	SymmetricHann Window = "symmetric-hann" // Kaldi's "hanning"
	Povey         Window = "povey"          // Kaldi's default: a symmetric Hann window to the power 0.85
)

// Windows are all there are.
var Windows = []Window{Hann, Hamming, Rectangular, Tukey, SymmetricHann, Povey}

// weights returns the window over n samples.
func (w Window) weights(n int) ([]float64, error) {
	period := float64(n)
	if w == SymmetricHann || w == Povey {
		period = math.Max(float64(n-1), 1)
	}
	out := make([]float64, n)
	for i := range out {
		hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/period)
		switch w {
		case Hann, SymmetricHann:
			out[i] = hann
		case Povey:
			out[i] = math.Pow(hann, 0.85)
		case Hamming:
			out[i] = 0.54 - 0.46*math.Cos(2*math.Pi*float64(i)/period)
		case Rectangular:
			out[i] = 1
		case Tukey:
			out[i] = tukey(float64(i), period, 0.25)
		default:
			return nil, fmt.Errorf("window %q: want one of %v", w, Windows)
		}
	}
	return out, nil
}

// tukey is a cosine over the share of the window, half of it on each side (F. J. Harris 1978, equation 38).
func tukey(i, period, share float64) float64 {
	edge := share * period / 2
	i = math.Min(i, period-i)
	if i >= edge {
		return 1
	}
	return 0.5 - 0.5*math.Cos(math.Pi*i/edge)
}
