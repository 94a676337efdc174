package encode

import (
	"errors"
	"fmt"
)

// Choice says which of the frames that there are become those of a tensor.
type Choice struct {
	Count int
	Every int   `json:",omitempty"` // take every so many, from the first on; 0 for the middles of Count equal parts
	Short Short `json:",omitempty"`
}

// Short is what becomes of a sample that has fewer frames than its tensor.
type Short string

// The ways of filling up.
const (
	Repeat Short = ""       // frames come more than once: of equal parts each alike, else the last
	Black  Short = "black"  // all that there are, then zeros
	Refuse Short = "refuse" // it is an error
)

// maxFrames bounds the frames of a sample.
const maxFrames = 1 << 16

// noFrame stands for a frame of zeros among those picked.
const noFrame = -1

// pick returns which of n frames are taken, by their place.
func (c Choice) pick(n int) ([]int, error) {
	picked := make([]int, c.Count)
	step := max(c.Every, 1)
	there := (n + step - 1) / step
	if there < c.Count && c.Short == Refuse {
		return nil, c.tooFew(there)
	}
	for i := range picked {
		switch {
		case c.Every == 0 && (there >= c.Count || c.Short == Repeat):
			picked[i] = (2*i + 1) * n / (2 * c.Count)
		case i < there:
			picked[i] = i * step
		case c.Short == Black:
			picked[i] = noFrame
		default:
			picked[i] = (there - 1) * step
		}
	}
	return picked, nil
}

func (c Choice) tooFew(there int) error {
	return fmt.Errorf("%d frames where %d are asked for", there, c.Count)
}

// fill makes the tensor's frames that are not there of the first n, of size numbers each.
func (c Choice) fill(tensor []uint8, n, size int) error {
	switch {
	case n == 0:
		return errors.New("no frame: the video, or the part of it, is empty")
	case n < c.Count && c.Short == Refuse:
		return c.tooFew(n)
	case c.Short == Black:
		clear(tensor[n*size:])
	default:
		for ; n < c.Count; n++ {
			copy(tensor[n*size:][:size], tensor[(n-1)*size:])
		}
	}
	return nil
}

// choiceKeys are the settings of every kind that is made of frames, of which it takes as many without a setting.
func choiceKeys(count string) []Key {
	return []Key{
		{"frames", "N", count, "Take N frames: the middle ones of N equal parts, or as the settings below say."},
		{"every", "K", "0", "Take every K-th, from the first on, until there are N; 1 takes all up to N."},
		{"short", "HOW", "repeat", "Where there are fewer than N, take some more than once (repeat), add black ones (black), or see an error, which --on-error can make a null (refuse)."},
	}
}

// choiceOf reads the settings of choiceKeys.
func choiceOf(v *Values) Choice {
	c := Choice{Count: v.Int("frames"), Every: v.Int("every"), Short: Short(v.OneOf("short", "repeat", string(Black), string(Refuse)))}
	if c.Count < 1 || c.Count > maxFrames {
		v.refuse("frames", fmt.Sprintf("1 to %d", maxFrames))
	}
	if c.Every < 0 {
		v.refuse("every", "a number from 1")
	}
	if c.Short == "repeat" {
		c.Short = Repeat
	}
	return c
}
