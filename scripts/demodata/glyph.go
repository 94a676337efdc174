package main

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
)

// side is the height and width of an image, in pixels.
const side = 28

// glyphs are the shapes of the classes, as signed distances: negative inside, in units of half the shape's size, which spans
// -1 to 1 in both directions.
var glyphs = []struct {
	name     string
	distance func(x, y float64) float64
}{
	{"disc", func(x, y float64) float64 { return math.Hypot(x, y) - 0.9 }},
	{"ring", func(x, y float64) float64 { return math.Abs(math.Hypot(x, y)-0.75) - 0.18 }},
	{"square", func(x, y float64) float64 { return box(x, y, 0.8, 0.8) }},
	{"frame", func(x, y float64) float64 { return math.Abs(box(x, y, 0.7, 0.7)) - 0.16 }},
	{"triangle", func(x, y float64) float64 { return max(0.894*math.Abs(x)+0.447*y-0.42, -y-0.75) }},
	{"plus", func(x, y float64) float64 { return min(box(x, y, 0.95, 0.2), box(x, y, 0.2, 0.95)) }},
	{"cross", func(x, y float64) float64 {
		u, v := (x+y)*math.Sqrt2/2, (x-y)*math.Sqrt2/2
		return min(box(u, v, 1.05, 0.2), box(u, v, 0.2, 1.05))
	}},
	{"bars", func(x, y float64) float64 { return min(box(x-0.55, y, 0.22, 0.9), box(x+0.55, y, 0.22, 0.9)) }},
	{"moon", func(x, y float64) float64 { return max(math.Hypot(x, y)-0.9, 0.75-math.Hypot(x-0.45, y)) }},
	{"tee", func(x, y float64) float64 { return min(box(x, y+0.7, 0.9, 0.2), box(x, y, 0.2, 0.9)) }},
}

// box is the distance to a rectangle of half width w and half height h about the origin.
func box(x, y, w, h float64) float64 { return max(math.Abs(x)-w, math.Abs(y)-h) }

// glyph draws the shape of a class: shifted, scaled, turned, brighter or darker, over faint noise. A noisy one is strong noise
// in which the share signal of the shape's brightness is left.
func glyph(r *rand.Rand, class int, noisy bool, signal float64) *image.Gray {
	cx, cy := side/2+(r.Float64()*2-1)*3, side/2+(r.Float64()*2-1)*3
	half, angle := 6.5+3*r.Float64(), (r.Float64()*2-1)*0.25
	ink, paper, grain := 0.55+0.45*r.Float64(), 0.12*r.Float64(), 0.06
	if noisy {
		ink, paper, grain = ink*signal, 0.3, 0.25
	}
	sin, cos := math.Sincos(angle)
	m := image.NewGray(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		x, y := (float64(i%side)+0.5-cx)/half, (float64(i/side)+0.5-cy)/half
		distance := glyphs[class].distance(cos*x+sin*y, cos*y-sin*x) * half // pixels
		cover := min(max(0.5-distance, 0), 1)                               // an edge is one pixel wide
		m.Pix[i] = uint8(255*min(max(paper+ink*cover+grain*r.NormFloat64(), 0), 1) + 0.5)
	}
	return m
}

func encodePNG(m image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}
