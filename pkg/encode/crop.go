package encode

import (
	"fmt"
	"strconv"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/rng"
)

// Crop draws which part of a longer sound becomes the tensor, as training on VGGSound does (Peng et al. 2022, OGM-GE, VGGSoundDataset.py:
// five seconds from somewhere in the first ten). The draw depends on the seed and the sample's id alone: every modality of a sample that
// has the seed is cut at the same share of what may be left out, and threads, shards and other samples do not matter.
type Crop struct {
	Seed   uint64
	Within float64 // seconds from the beginning that the part lies in, up to which a shorter sound is repeated; 0 for the sound as it is
}

// random is what a crop that is drawn is called, before its seed.
const random = "random:"

// parseCrop reads the settings crop and within; nil for no crop.
func parseCrop(v *Values) *Crop {
	within := v.Float("within")
	if v.Text("crop") == "start" {
		if within != 0 {
			v.refuse("within", "crop="+random+"SEED beside it")
		}
		return nil
	}
	text, ok := strings.CutPrefix(v.Text("crop"), random)
	seed, err := strconv.ParseUint(text, 10, 64)
	if !ok || err != nil {
		v.refuse("crop", "start or "+random+"SEED, a whole number from 0")
	}
	return &Crop{Seed: seed, Within: within}
}

// check returns an error for a crop that does not go with the sound's other settings.
func (c *Crop) check(s Sound) error {
	switch {
	case c == nil:
		return nil
	case s.Fit == media.Centre:
		return fmt.Errorf("a crop that is drawn, and fit %s: want one of both", s.Fit)
	case c.Within != 0 && !(c.Within >= s.Seconds && c.Within*float64(s.Rate) <= maxSoundSamples):
		return fmt.Errorf("a crop within %g seconds: want %g or more, and no more than %d samples", c.Within, s.Seconds, maxSoundSamples)
	}
	return nil
}

// span is a part of a sound: count samples from first on, and where the sound ends before, its beginning again.
type span struct{ first, count int64 }

// wraps says whether the part goes on at the beginning of a sound of n samples.
func (p span) wraps(n int64) bool { return p.first+p.count > n }

// spanOf returns which part of n samples, rate a second, becomes a tensor that takes need of them.
func (s Sound) spanOf(n, need int64, rate int, id string) span {
	if s.Crop == nil {
		first := int64(0)
		if s.Fit == media.Centre {
			first = max(0, n-need) / 2
		}
		return span{first, min(n-first, need)}
	}
	within := int64(s.Crop.Within*float64(rate) + 0.5)
	within = max(within, need)
	switch {
	case n == 0 || s.Crop.Within == 0 && n <= need:
		return span{0, n}
	case s.Crop.Within == 0:
		within = n
	}
	share := rng.Stream(s.Crop.Seed, "sound", id).Float64()
	return span{int64(share*float64(within-need+1)) % n, need}
}

// longest returns how many seconds of a sound its tensor depends on; 0 for all of them, where that is known at its end only.
func (s Sound) longest() float64 {
	switch {
	case s.Crop != nil:
		return s.Crop.Within
	case s.Fit == media.Centre:
		return 0
	}
	return s.Seconds
}
