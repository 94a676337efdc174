package encode

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"mmtools/pkg/media"
)

// Transform names what a sound becomes.
type Transform string

// The transforms, each with defaults of its own: see soundKind.
const (
	LogMel      Transform = "logmel"
	Spectrogram Transform = "spectrogram"
	MFCC        Transform = "mfcc"
	Fbank       Transform = "fbank" // Kaldi's filter bank
	Wave        Transform = "wave"  // the samples themselves
)

// LateFit keeps a shorter sound's own length, and fills its spectrogram up with frames of 0.
const LateFit media.Fit = "late"

// Sound says how sounds become tensors of one shape: mixed to one channel, resampled to Rate, given a length, and transformed.
type Sound struct {
	Transform   Transform // "" is LogMel
	Rate        int       // samples a second
	Seconds     float64   // length
	Fit         media.Fit // "" is media.Pad
	Crop        *Crop     `json:",omitempty"` // nil for the beginning of a longer sound, or with media.Centre its middle
	Clip        bool      // samples beyond -1 and 1, which resampling can make, become these
	Spectrogram media.SpectrogramOptions
}

// maxSoundSamples bounds a waveform: 256 MiB of float32.
const maxSoundSamples = 1 << 26

func (s Sound) samples() int { return int(math.Round(float64(s.Rate) * s.Seconds)) }

// plan makes the transform; nil for the wave itself. Its memory is bounded by the tensor's.
func (s Sound) plan() (*media.Spectrogram, error) {
	if !(s.Seconds > 0) || s.Rate < 1 || float64(s.Rate)*s.Seconds > maxSoundSamples || s.samples() < 1 {
		return nil, fmt.Errorf("%g seconds of %d samples: want 1 to %d in all", s.Seconds, s.Rate, maxSoundSamples)
	}
	if s.Fit != "" && s.Fit != LateFit && !slices.Contains(media.Fits, s.Fit) {
		return nil, fmt.Errorf("fit %q: want %s or one of %v", s.Fit, LateFit, media.Fits)
	}
	if err := s.Crop.check(s); err != nil {
		return nil, err
	}
	if s.Transform == Wave {
		if s.Fit == LateFit {
			return nil, fmt.Errorf("fit %s: the transform %s has no frames", LateFit, Wave)
		}
		return nil, nil
	}
	o := s.Spectrogram
	o.Rate, o.Samples = s.Rate, s.samples()
	return media.NewSpectrogram(o)
}

// resamplers makes each filter once for all goroutines.
type resamplers struct {
	mu   sync.Mutex
	made map[[2]int]*media.Resampler
}

// maxResamplers bounds the filters kept: a list of sounds of a thousand odd rates must not keep a thousand tables.
const maxResamplers = 8

func newResamplers() *resamplers { return &resamplers{made: map[[2]int]*media.Resampler{}} }

func (r *resamplers) get(from, to int) (*media.Resampler, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.made[[2]int{from, to}]; ok {
		return f, nil
	}
	f, err := media.NewResampler(from, to)
	if err != nil {
		return nil, err
	}
	if len(r.made) == maxResamplers {
		clear(r.made)
	}
	r.made[[2]int{from, to}] = f
	return f, nil
}
