package augment

import (
	"fmt"
	"strconv"
	"strings"
)

// Transform says how frames are prepared. The zero value leaves a sample as it is.
type Transform struct {
	Frames     int // to choose, one a segment; 0 keeps all
	Height     int // 0 keeps the frames' own size
	Width      int
	Crop, Flip bool // in training: cut out a part at random; mirror half of the samples
}

// maxSide bounds a frame's side: larger is a typing error.
const maxSide = 1 << 14

// Parse reads a list of frames:N, size:S or size:HxW, crop and flip, in any order; "" is the zero Transform.
func Parse(s string) (Transform, error) {
	var t Transform
	if s == "" {
		return t, nil
	}
	for _, part := range strings.Split(s, ",") {
		key, value, _ := strings.Cut(part, ":")
		var err error
		switch key {
		case "frames":
			t.Frames, err = number(value)
		case "size":
			h, w, two := strings.Cut(value, "x")
			if t.Height, err = number(h); err == nil {
				if t.Width = t.Height; two {
					t.Width, err = number(w)
				}
			}
		case "crop", "flip":
			if value != "" {
				err = fmt.Errorf("takes no value")
			}
			t.Crop, t.Flip = t.Crop || key == "crop", t.Flip || key == "flip"
		default:
			err = fmt.Errorf("want frames:N, size:HxW, crop or flip")
		}
		if err != nil {
			return Transform{}, fmt.Errorf("input %q: %q: %w", s, part, err)
		}
	}
	return t, nil
}

func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxSide {
		return 0, fmt.Errorf("got %q, want a number from 1 to %d", s, maxSide)
	}
	return n, nil
}

// String writes t as Parse reads it.
func (t Transform) String() string {
	var parts []string
	if t.Frames > 0 {
		parts = append(parts, fmt.Sprintf("frames:%d", t.Frames))
	}
	if t.Height > 0 {
		parts = append(parts, fmt.Sprintf("size:%dx%d", t.Height, t.Width))
	}
	if t.Crop {
		parts = append(parts, "crop")
	}
	if t.Flip {
		parts = append(parts, "flip")
	}
	return strings.Join(parts, ",")
}

// frames is the shape of a sample: T frames of C channels, H by W.
type frames struct{ t, c, h, w int }

// Shape returns the shape of what t makes of a sample of the given shape: (C,H,W) or (T,C,H,W).
func (t Transform) Shape(in []int) ([]int, error) {
	if t == (Transform{}) {
		return in, nil
	}
	f, err := framesOf(in)
	if err != nil {
		return nil, err
	}
	out := t.out(f)
	if len(in) == 3 && out.t == 1 {
		return []int{out.c, out.h, out.w}, nil
	}
	return []int{out.t, out.c, out.h, out.w}, nil
}

func framesOf(in []int) (frames, error) {
	switch len(in) {
	case 3:
		return frames{1, in[0], in[1], in[2]}, nil
	case 4:
		return frames{in[0], in[1], in[2], in[3]}, nil
	default:
		return frames{}, fmt.Errorf("preparing frames: shape %v, want (C,H,W) or (T,C,H,W)", in)
	}
}

func (t Transform) out(in frames) frames {
	out := in
	if t.Frames > 0 {
		out.t = t.Frames
	}
	if t.Height > 0 {
		out.h, out.w = t.Height, t.Width
	}
	return out
}
