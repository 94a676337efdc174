package encode

import (
	"fmt"
	"math"
	"sync"

	"mmtools/pkg/media"
)

// Sound says how wav files become log-mel spectrograms of one shape: mixed to one channel, resampled to Rate, cut after
// Seconds or filled up with silence, then transformed as media.LogMel says, frames centred.
type Sound struct {
	Rate      int     // frames a second
	Seconds   float64 // length
	NFFT      int     // samples of a transform
	Window    int     // samples of the Hann window, 0 for NFFT
	Hop       int     // samples from one frame to the next
	Mels      int     // bands
	Low, High float64 // Hz; High 0 for Rate/2
}

// maxSoundSamples bounds a waveform: 256 MiB of float32.
const maxSoundSamples = 1 << 26

func (s Sound) samples() int { return int(math.Round(float64(s.Rate) * s.Seconds)) }

// plan makes the transform.
func (s Sound) plan() (*media.LogMel, error) {
	if !(s.Seconds > 0) || float64(s.Rate)*s.Seconds > maxSoundSamples {
		return nil, fmt.Errorf("%g seconds of %d frames: want 1 to %d in all", s.Seconds, s.Rate, maxSoundSamples)
	}
	return media.NewLogMel(media.LogMelOptions{Rate: s.Rate, Samples: s.samples(), NFFT: s.NFFT, Window: s.Window,
		Hop: s.Hop, Mels: s.Mels, Low: s.Low, High: s.High, Centre: true})
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
