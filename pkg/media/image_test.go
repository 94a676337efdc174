package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/pixel"
)

func encodePNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t *testing.T, height, width int, colour bool, file []byte) []uint8 {
	t.Helper()
	m, err := NewImager(pixel.Frame{Height: height, Width: width}, colour)
	if err != nil {
		t.Fatal(err)
	}
	size := 1
	for _, d := range m.Shape() {
		size *= d
	}
	out := make([]uint8, size)
	if err := m.Decode(out, file); err != nil {
		t.Fatal(err)
	}
	again := make([]uint8, size)
	if err := m.Decode(again, file); err != nil || !slices.Equal(out, again) {
		t.Errorf("decoding twice differs: %v", err)
	}
	return out
}

func TestImageColours(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(grey.Pix, []uint8{0, 1, 2, 253, 254, 255})
	if got := decode(t, 2, 3, false, encodePNG(t, grey)); !slices.Equal(got, grey.Pix) {
		t.Errorf("grey: got %v, want %v", got, grey.Pix)
	}
	if got, want := decode(t, 2, 3, true, encodePNG(t, grey)), slices.Concat(grey.Pix, grey.Pix, grey.Pix); !slices.Equal(got, want) {
		t.Errorf("grey as colour: got %v, want %v", got, want)
	}
	rgb := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {10, 20, 30, 255}} {
		rgb.SetRGBA(i%2, i/2, c)
	}
	if got, want := decode(t, 2, 2, true, encodePNG(t, rgb)), []uint8{255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30}; !slices.Equal(got, want) {
		t.Errorf("planes: got %v, want %v", got, want)
	}
	// PIL 9.4, Image.convert("L") of the same pixels.
	if got, want := decode(t, 2, 2, false, encodePNG(t, rgb)), []uint8{76, 150, 29, 18}; !slices.Equal(got, want) {
		t.Errorf("luma: got %v, want %v", got, want)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	clear.SetNRGBA(0, 0, color.NRGBA{255, 255, 255, 0})
	clear.SetNRGBA(1, 0, color.NRGBA{255, 255, 255, 128}) // as PIL's convert has it
	if got, want := decode(t, 1, 2, false, encodePNG(t, clear)), []uint8{255, 255}; !slices.Equal(got, want) {
		t.Errorf("transparent: got %v, want %v", got, want)
	}
}

// Of 16 bits the upper 8 are kept: of colour as PIL 9.4 does (Image.open(f).convert("RGB") of the same numbers), and of grey alike, which
// PIL cuts off at 255 (docs/adr/0015).
func TestImage16Bits(t *testing.T) {
	levels := []uint16{0, 200, 255, 256, 511, 32768, 65279, 65535}
	want := []uint8{0, 0, 0, 1, 1, 128, 254, 255}
	grey, colour := image.NewGray16(image.Rect(0, 0, len(levels), 1)), image.NewRGBA64(image.Rect(0, 0, len(levels), 1))
	for x, v := range levels {
		grey.SetGray16(x, 0, color.Gray16{Y: v})
		colour.SetRGBA64(x, 0, color.RGBA64{R: v, G: v, B: v, A: math.MaxUint16})
	}
	if got := decode(t, 1, len(levels), false, encodePNG(t, grey)); !slices.Equal(got, want) {
		t.Errorf("grey: got %v, want %v", got, want)
	}
	if got := decode(t, 1, len(levels), true, encodePNG(t, colour)); !slices.Equal(got, slices.Concat(want, want, want)) {
		t.Errorf("colour: got %v, want %v of each", got, want)
	}
}

func TestImageJPEG(t *testing.T) {
	flat := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for i := range flat.Pix {
		flat.Pix[i] = []uint8{200, 100, 50, 255}[i%4]
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, flat, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	got := decode(t, 8, 8, true, b.Bytes())
	for i, v := range got {
		if want := []int{200, 100, 50}[i/64]; int(v) < want-3 || int(v) > want+3 {
			t.Fatalf("value %d: got %d, want about %d", i, v, want)
		}
	}
}

// slowTriangle is the antialiased triangle filter on one line: each output pixel is the mean of the inputs weighed by
// their distance, in units of the larger of the two pixel sizes.
func slowTriangle(x []float64, n int) []float64 {
	scale := float64(len(x)) / float64(n)
	support := math.Max(scale, 1)
	y := make([]float64, n)
	for i := range y {
		centre, total := (float64(i)+0.5)*scale, 0.0
		for k, v := range x {
			if w := 1 - math.Abs(float64(k)+0.5-centre)/support; w > 0 {
				y[i] += w * v
				total += w
			}
		}
		y[i] /= total
	}
	return y
}

func TestImageResizeEqualsReference(t *testing.T) {
	src := image.NewGray(image.Rect(0, 0, 11, 7))
	for i := range src.Pix {
		src.Pix[i] = uint8(i * 97)
	}
	for _, size := range [][2]int{{5, 6}, {3, 20}, {14, 4}, {7, 5}} {
		height, width := size[0], size[1]
		var rows [][]float64
		for y := range 7 {
			line := make([]float64, 11)
			for x := range line {
				line[x] = float64(src.GrayAt(x, y).Y)
			}
			rows = append(rows, slowTriangle(line, width))
		}
		got := decode(t, height, width, false, encodePNG(t, src))
		for x := range width {
			column := make([]float64, 7)
			for y := range column {
				column[y] = rows[y][x]
			}
			for y, want := range slowTriangle(column, height) {
				if v := float64(got[y*width+x]); math.Abs(v-want) > 1 {
					t.Fatalf("%v, pixel %d,%d: got %v, want %v", size, y, x, v, want)
				}
			}
		}
	}
}

func TestImageRefuses(t *testing.T) {
	whole := encodePNG(t, image.NewGray(image.Rect(0, 0, 8, 8)))
	cut := whole[:len(whole)-20]
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "the file is empty"},
		{"text", []byte("not an image"), "unknown format"},
		{"bomb", bomb(60000, 60000), "at most 33554432 pixels"},
		{"wide bomb", bomb(1<<31-1, 1<<31-1), "reading the header of the png"},
		{"cut", cut, "decoding the png: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := NewImager(pixel.Frame{Height: 4, Width: 4}, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Decode(make([]uint8, 16), c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	for _, size := range [][2]int{{0, 4}, {4, -1}, {1 << 20, 1 << 20}} {
		if _, err := NewImager(pixel.Frame{Height: size[0], Width: size[1]}, true); err == nil {
			t.Errorf("%v: want an error", size)
		}
	}
}

// bomb is a png that claims width by height pixels and holds none.
func bomb(width, height uint32) []byte {
	body := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	body = append(binary.BigEndian.AppendUint32(body, height), 8, 2, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
}
