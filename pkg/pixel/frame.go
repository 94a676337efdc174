package pixel

import (
	"fmt"
	"math"
)

// MaxSide bounds a picture's sides, before and after: those of JPEG.
const MaxSide = 1<<16 - 1

// Fit is how a picture whose sides have another ratio fills a Frame.
type Fit string

// The fits.
const (
	Stretch   Fit = "stretch"   // both sides are scaled, each by its own factor: torchvision's Resize((H, W))
	Crop      Fit = "crop"      // the shorter side is scaled to Short, and the middle cut out: Resize(Short), CenterCrop((H, W))
	Letterbox Fit = "letterbox" // scaled to lie inside, in the middle, with a border of Fill: PIL's ImageOps.pad
)

// Frame is the size that pictures are brought to.
type Frame struct {
	Height, Width int
	Fit           Fit   // "" is Stretch
	Short         int   // of Crop; 0 for the larger of Height and Width
	Fill          uint8 // of Letterbox
}

// Check returns an error for a frame that no picture could fill.
func (f Frame) Check() error {
	switch {
	case f.Height < 1 || f.Width < 1 || f.Height > MaxSide || f.Width > MaxSide:
		return fmt.Errorf("size %dx%d: want sides of 1 to %d pixels", f.Height, f.Width, MaxSide)
	case f.Fit != "" && f.Fit != Stretch && f.Fit != Crop && f.Fit != Letterbox:
		return fmt.Errorf("fit %q: want %s, %s or %s", f.Fit, Stretch, Crop, Letterbox)
	case f.Fit == Crop && f.Short != 0 && f.Short < max(f.Height, f.Width):
		return fmt.Errorf("a cut of %dx%d out of pictures whose shorter side is %d: want at most that", f.Height, f.Width, f.Short)
	case f.Short > MaxSide:
		return fmt.Errorf("resizing the shorter side to %d: want at most %d pixels", f.Short, MaxSide)
	}
	return nil
}

// placed is a picture in a frame: resized to height by width, of which the part cut lies from top, left on in the frame.
type placed struct {
	height, width int
	cut           Box
	top, left     int
}

// place fits a picture of height by width pixels into the frame.
func (f Frame) place(height, width int) placed {
	switch f.Fit {
	case Crop:
		return f.crop(height, width)
	case Letterbox:
		return f.letterbox(height, width)
	default:
		return placed{height: f.Height, width: f.Width, cut: Box{0, 0, f.Height, f.Width}}
	}
}

// crop follows torchvision 0.14: the longer side is int(short * long / shorter), the cut begins at round((side - cut) / 2), halves to even.
func (f Frame) crop(height, width int) placed {
	short := f.Short
	if short == 0 {
		short = max(f.Height, f.Width)
	}
	p := placed{height: short, width: short}
	if height < width {
		p.width = short * width / height
	} else {
		p.height = short * height / width
	}
	middle := func(side, cut int) int { return int(math.RoundToEven(float64(side-cut) / 2)) }
	p.cut = Box{middle(p.height, f.Height), middle(p.width, f.Width), f.Height, f.Width}
	return p
}

// letterbox follows PIL's ImageOps.pad and contain, with their order of divisions.
func (f Frame) letterbox(height, width int) placed {
	p := placed{height: f.Height, width: f.Width}
	switch have, want := float64(width)/float64(height), float64(f.Width)/float64(f.Height); {
	case have > want:
		p.height = max(1, int(math.RoundToEven(float64(height)/float64(width)*float64(f.Width))))
	case have < want:
		p.width = max(1, int(math.RoundToEven(float64(width)/float64(height)*float64(f.Height))))
	}
	p.cut = Box{0, 0, p.height, p.width}
	p.left = int(math.RoundToEven(float64(f.Width-p.width) * 0.5))
	if p.width == f.Width {
		p.top = int(math.RoundToEven(float64(f.Height-p.height) * 0.5))
	}
	return p
}
