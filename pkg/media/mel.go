package media

import (
	"fmt"
	"math"

	"mmtools/pkg/media/dsp"
)

// MelScale names how bands are spaced, and in what their triangles are straight.
type MelScale string

// The scales.
const (
	Slaney MelScale = "slaney" // M. Slaney, Auditory Toolbox, 1998; librosa's default. Straight in Hz
	HTK    MelScale = "htk"    // 2595 log10(1 + f/700); torchaudio's default. Straight in Hz
	Kaldi  MelScale = "kaldi"  // the same curve, straight in mel; a band that holds no bin stays, as zeros
)

// MelScales are all there are.
var MelScales = []MelScale{Slaney, HTK, Kaldi}

// The Slaney scale is linear up to 1000 Hz, which is 15 mel, and logarithmic above: 27 mel for a factor of 6.4.
const (
	slaneyLinear = 200.0 / 3 // Hz a mel
	slaneyBreak  = 15.0      // mel
)

var slaneyStep = math.Log(6.4) / 27

// mel returns what hertz is on the scale.
func (s MelScale) mel(hertz float64) float64 {
	switch {
	case s != Slaney:
		return 1127 * math.Log1p(hertz/700)
	case hertz < slaneyBreak*slaneyLinear:
		return hertz / slaneyLinear
	}
	return slaneyBreak + math.Log(hertz/(slaneyBreak*slaneyLinear))/slaneyStep
}

// hertz is the inverse of mel.
func (s MelScale) hertz(mel float64) float64 {
	switch {
	case s != Slaney:
		return 700 * math.Expm1(mel/1127)
	case mel < slaneyBreak:
		return mel * slaneyLinear
	}
	return slaneyBreak * slaneyLinear * math.Exp(slaneyStep*(mel-slaneyBreak))
}

// melBands makes a filter bank: mels triangles between low and high Hz over the nFFT/2+1 bins of a spectrum at rate,
//
//	w_m(f) = max(0, min((f - f_m) / (f_{m+1} - f_m), (f_{m+2} - f) / (f_{m+2} - f_{m+1})))
//
// with f_0 .. f_{mels+1} equally spaced in mel, and f in Hz, of Kaldi in mel. Where area is set a triangle is divided by half its
// width in Hz (librosa's and torchaudio's norm="slaney"). A triangle that falls between two bins is empty, which is an error but in Kaldi.
func melBands(o *SpectrogramOptions) (*dsp.Bands, error) {
	edges := make([]float64, o.Mels+2)
	from, to := o.Scale.mel(o.Low), o.Scale.mel(o.High)
	for m := range edges {
		edges[m] = from + (to-from)*float64(m)/float64(o.Mels+1)
		if o.Scale != Kaldi {
			edges[m] = o.Scale.hertz(edges[m])
		}
	}
	b := &dsp.Bands{First: make([]int32, o.Mels), Count: make([]int32, o.Mels)}
	for m := range o.Mels {
		lower, centre, upper := edges[m], edges[m+1], edges[m+2]
		for bin := range o.NFFT/2 + 1 {
			f := float64(bin) * float64(o.Rate) / float64(o.NFFT)
			if o.Scale == Kaldi {
				f = o.Scale.mel(f)
			}
			w := min((f-lower)/(centre-lower), (upper-f)/(upper-centre))
			if w <= 0 {
				continue
			}
			if o.Area {
				w *= 2 / (upper - lower)
			}
			if b.Count[m] == 0 {
				b.First[m] = int32(bin)
			}
			b.Count[m]++
			b.Weights = append(b.Weights, w)
		}
		if b.Count[m] == 0 && o.Scale != Kaldi {
			return nil, fmt.Errorf("mel band %d of %d, %.0f to %.0f Hz, holds no bin of a transform of %d at %d Hz: fewer bands or a longer transform",
				m, o.Mels, lower, upper, o.NFFT, o.Rate)
		}
	}
	return b, nil
}

// cosines is the orthonormal DCT-II of rows numbers, the first n coefficients, as bands that hold every row.
func cosines(n, rows int) *dsp.Bands {
	b := &dsp.Bands{First: make([]int32, n), Count: make([]int32, n)}
	for c := range n {
		b.Count[c] = int32(rows)
		scale := math.Sqrt(2 / float64(rows))
		if c == 0 {
			scale = math.Sqrt(1 / float64(rows))
		}
		for m := range rows {
			b.Weights = append(b.Weights, scale*math.Cos(math.Pi/float64(rows)*(float64(m)+0.5)*float64(c)))
		}
	}
	return b
}
