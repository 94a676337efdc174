package pixel

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// noise is a picture of a linear congruential generator, as scripts/reference/images.py makes it.
func noise(height, width, channels int) Picture {
	p := Picture{make([]uint8, height*width*channels), height, width, channels, width * channels}
	state := uint32(1)
	for i := range p.Pix {
		state = state*1664525 + 1013904223
		p.Pix[i] = uint8(state >> 24)
	}
	return p
}

func TestResizeEqualsPIL(t *testing.T) {
	text, err := os.ReadFile("testdata/pil.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Cases []struct {
			Height, Width, Channels int
			Frame                   Frame
			CRC32                   uint32
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Cases) < 10 {
		t.Fatalf("%d cases", len(reference.Cases))
	}
	for _, c := range reference.Cases {
		r, err := NewResizer(c.Frame)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]uint8, c.Channels*c.Frame.Height*c.Frame.Width)
		for range 2 { // the second time with what the first left
			if err := r.Resize(dst, noise(c.Height, c.Width, c.Channels)); err != nil {
				t.Fatal(err)
			}
			if got := crc32.ChecksumIEEE(dst); got != c.CRC32 {
				t.Errorf("%dx%dx%d to %+v: pixels differ from PIL's", c.Height, c.Width, c.Channels, c.Frame)
			}
		}
	}
}

// The passes that are built are the plain ones to the bit, and write and read inside.
func TestPassesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side1 := rapid.IntRange(1, 70)
		h, w := side1.Draw(t, "h"), side1.Draw(t, "w")
		channels := rapid.SampledFrom([]int{1, 3}).Draw(t, "channels")
		f := Frame{Height: side1.Draw(t, "H"), Width: side1.Draw(t, "W"), Fill: 3}
		f.Fit = rapid.SampledFrom([]Fit{Stretch, Crop, Letterbox}).Draw(t, "fit")
		src := noise(h, w, channels)
		src.Stride += rapid.IntRange(0, 5).Draw(t, "gap")
		src.Pix = noise(h, src.Stride, 1).Pix[:(h-1)*src.Stride+w*channels]
		src.Pix = slices.Clip(src.Pix)
		r, err := NewResizer(f)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]uint8, channels*f.Height*f.Width)
		if err := r.Resize(got, src); err != nil {
			t.Fatal(err)
		}
		p := f.place(h, w)
		rows := r.rows.reachEnd - r.rows.reach0
		want := slices.Repeat([]uint8{f.Fill}, len(got))
		middle := make([]uint8, channels*rows*p.cut.Width)
		plainColumns(middle, src.Pix[r.rows.reach0*src.Stride:], src.Stride, channels, rows, &r.columns)
		plainRows(want[p.top*f.Width+p.left:], f.Width, f.Height*f.Width, middle, channels, p.cut.Width, rows, &r.rows)
		if !slices.Equal(got, want) {
			t.Fatal("pixels differ")
		}
	})
}

func TestResizeAllocatesNothing(t *testing.T) {
	r, err := NewResizer(Frame{Height: 20, Width: 30})
	if err != nil {
		t.Fatal(err)
	}
	src, dst := noise(50, 40, 3), make([]uint8, 3*20*30)
	if n := testing.AllocsPerRun(10, func() {
		if err := r.Resize(dst, src); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

func TestResizeRefuses(t *testing.T) {
	for _, f := range []Frame{{}, {Height: 1}, {Height: -1, Width: 4}, {Height: 1 << 16, Width: 1}, {Height: 4, Width: 4, Fit: "zoom"},
		{Height: 4, Width: 9, Fit: Crop, Short: 8}, {Height: 4, Width: 9, Fit: Crop, Short: 1 << 20}} {
		if _, err := NewResizer(f); err == nil {
			t.Errorf("%+v: want an error", f)
		}
	}
	r, err := NewResizer(Frame{Height: 2, Width: 2})
	if err != nil {
		t.Fatal(err)
	}
	pix := make([]uint8, 48)
	for _, p := range []Picture{{pix, 4, 4, 2, 12}, {pix, 4, 4, 3, 11}, {pix, 5, 4, 3, 12}, {pix, 0, 4, 3, 12}, {pix, 4, 1 << 16, 3, 12}} {
		if err := r.Resize(make([]uint8, 12), p); err == nil {
			t.Errorf("%dx%dx%d, %d: want an error", p.Height, p.Width, p.Channels, p.Stride)
		}
	}
	if err := r.Resize(make([]uint8, 11), Picture{pix, 4, 4, 3, 12}); err == nil {
		t.Error("too small a result: want an error")
	}
}

func BenchmarkResize(b *testing.B) {
	r, err := NewResizer(Frame{Height: 224, Width: 224})
	if err != nil {
		b.Fatal(err)
	}
	src, dst := noise(480, 640, 3), make([]uint8, 3*224*224)
	for b.Loop() {
		if err := r.Resize(dst, src); err != nil {
			b.Fatal(err)
		}
	}
}
