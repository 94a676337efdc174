package media

import "fmt"

// Fit names how a sound gets a length: a longer one is cut before, and Apply fills a shorter one up.
type Fit string

// The ways.
const (
	Pad    Fit = "pad"    // silence after a shorter one
	Repeat Fit = "repeat" // a shorter one again and again, from its beginning: numpy.tile(x, n)[:length]
	Centre Fit = "centre" // the middle of a longer one; silence on both sides of a shorter one
)

// Fits are all there are.
var Fits = []Fit{Pad, Repeat, Centre}

// Apply fills dst up, whose first n samples are the sound, n <= len(dst).
func (f Fit) Apply(dst []float32, n int) error {
	switch f {
	case Pad:
		clear(dst[n:])
	case Repeat:
		if n == 0 {
			clear(dst)
			return nil
		}
		for at := n; at < len(dst); at *= 2 { // each copy doubles what is there
			copy(dst[at:], dst[:at])
		}
	case Centre:
		before := (len(dst) - n) / 2
		copy(dst[before:], dst[:n])
		clear(dst[:before])
		clear(dst[before+n:])
	default:
		return fmt.Errorf("fit %q: want one of %v", f, Fits)
	}
	return nil
}
