package pixel

import "fmt"

// Picture is pixels of 8 bits, a row after the other, the channels of a pixel side by side.
type Picture struct {
	Pix           []uint8
	Height, Width int
	Channels      int // 1 or 3
	Stride        int // bytes from a row to the next
}

func (p Picture) check() error {
	if p.Height < 1 || p.Width < 1 || p.Height > MaxSide || p.Width > MaxSide {
		return fmt.Errorf("a picture of %dx%d: want sides of 1 to %d pixels", p.Height, p.Width, MaxSide)
	}
	if p.Channels != 1 && p.Channels != 3 {
		return fmt.Errorf("%d channels: want 1 or 3", p.Channels)
	}
	row := p.Width * p.Channels
	if p.Stride < row || len(p.Pix) < (p.Height-1)*p.Stride+row {
		return fmt.Errorf("%d bytes, rows of %d: want %dx%d pixels of %d channels", len(p.Pix), p.Stride, p.Height, p.Width, p.Channels)
	}
	return nil
}

// Resizer brings pictures to the size of a frame.
type Resizer struct {
	frame         Frame
	rows, columns side
	middle        []uint8 // (C,h,W'): columns resized, of the rows needed
}

// NewResizer returns a Resizer for the frame.
func NewResizer(f Frame) (*Resizer, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	return &Resizer{frame: f}, nil
}

// Resize writes src to dst, (C,H,W), H by W being the frame's. It allocates nothing where sizes recur.
func (r *Resizer) Resize(dst []uint8, src Picture) error {
	if err := src.check(); err != nil {
		return err
	}
	f := r.frame
	if want := src.Channels * f.Height * f.Width; len(dst) != want {
		return fmt.Errorf("resizing to %d values: want %d", len(dst), want)
	}
	p := f.place(src.Height, src.Width)
	if p.cut.Height != f.Height || p.cut.Width != f.Width {
		for i := range dst {
			dst[i] = f.Fill
		}
	}
	r.rows.plan(src.Height, p.height, p.cut.Top, p.cut.Height)
	r.columns.plan(src.Width, p.width, p.cut.Left, p.cut.Width)
	needed := r.rows.reachEnd - r.rows.reach0
	if need := src.Channels * needed * p.cut.Width; cap(r.middle) < need {
		r.middle = make([]uint8, need)
	}
	r.middle = r.middle[:src.Channels*needed*p.cut.Width]
	passColumns(r.middle, src.Pix[r.rows.reach0*src.Stride:], src.Stride, src.Channels, needed, &r.columns)
	passRows(dst[p.top*f.Width+p.left:], f.Width, f.Height*f.Width, r.middle, src.Channels, p.cut.Width, needed, &r.rows)
	return nil
}
