package media

import (
	"fmt"
	"math"
)

// melFilter is one triangle of a filter bank: its weights for the bins from first on, the rest zero.
type melFilter struct {
	first   int
	weights []float64
}

// melFilters makes the Slaney mel filter bank (M. Slaney, Auditory Toolbox, 1998; librosa.filters.mel with htk=False and norm="slaney",
// its defaults): mels triangles between low and high Hz over the nFFT/2+1 bins of a spectrum at rate,
//
//	w_m(f) = max(0, min((f - f_m) / (f_{m+1} - f_m), (f_{m+2} - f) / (f_{m+2} - f_{m+1}))) * 2 / (f_{m+2} - f_m)
//
// with f_0 .. f_{mels+1} equally spaced in mel. A triangle that falls between two bins is empty, which is an error.
func melFilters(rate, nFFT, mels int, low, high float64) ([]melFilter, error) {
	edges := make([]float64, mels+2)
	from, to := slaneyMel(low), slaneyMel(high)
	for m := range edges {
		edges[m] = slaneyHertz(from + (to-from)*float64(m)/float64(mels+1))
	}
	filters := make([]melFilter, mels)
	for m := range filters {
		lower, centre, upper := edges[m], edges[m+1], edges[m+2]
		f := &filters[m]
		for bin := range nFFT/2 + 1 {
			hertz := float64(bin) * float64(rate) / float64(nFFT)
			w := min((hertz-lower)/(centre-lower), (upper-hertz)/(upper-centre))
			if w <= 0 {
				continue
			}
			if f.weights == nil {
				f.first = bin
			}
			f.weights = append(f.weights, w*2/(upper-lower))
		}
		if f.weights == nil {
			return nil, fmt.Errorf("mel band %d of %d, %.0f to %.0f Hz, holds no bin of a transform of %d at %d Hz: fewer bands or a longer transform", m, mels, lower, upper, nFFT, rate)
		}
	}
	return filters, nil
}

// The Slaney scale is linear up to 1000 Hz, which is 15 mel, and logarithmic above: 27 mel for a factor of 6.4.
const (
	slaneyLinear = 200.0 / 3 // Hz a mel
	slaneyBreak  = 15.0      // mel
)

var slaneyStep = math.Log(6.4) / 27

func slaneyMel(hertz float64) float64 {
	if hertz < slaneyBreak*slaneyLinear {
		return hertz / slaneyLinear
	}
	return slaneyBreak + math.Log(hertz/(slaneyBreak*slaneyLinear))/slaneyStep
}

func slaneyHertz(mel float64) float64 {
	if mel < slaneyBreak {
		return mel * slaneyLinear
	}
	return slaneyBreak * slaneyLinear * math.Exp(slaneyStep*(mel-slaneyBreak))
}
