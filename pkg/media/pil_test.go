package media

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/pixel"
)

// pilCase is what PIL makes of a file (scripts/reference/images.py): a checksum of the whole image's planes, and the image resized.
type pilCase struct {
	File, Mode    string
	Height, Width int
	CRC32         uint32
	Small         []uint8
}

func pilCases(t *testing.T) []pilCase {
	t.Helper()
	text, err := os.ReadFile("testdata/pil.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct{ Cases []pilCase }
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Cases) < 40 {
		t.Fatalf("%d cases", len(reference.Cases))
	}
	return reference.Cases
}

// decodeAs decodes to a size; plain leaves libjpeg-turbo out.
func decodeAs(t *testing.T, file []byte, height, width int, mode string, plain bool) []uint8 {
	t.Helper()
	m, err := NewImager(pixel.Frame{Height: height, Width: width}, mode == "RGB")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if plain {
		m.jpeg.close()
		m.jpeg.turbo = nil
	}
	out := make([]uint8, m.Shape()[0]*height*width)
	if err := m.Decode(out, file); err != nil {
		t.Fatal(err)
	}
	return out
}

// Pixels are PIL's to the bit; JPEG's are where libjpeg-turbo is there, and elsewhere at most two levels off in a small image.
func TestImageEqualsPIL(t *testing.T) {
	_, why := JPEGLibrary()
	for _, c := range pilCases(t) {
		file, err := os.ReadFile(filepath.Join("testdata", c.File))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.File+" "+c.Mode, func(t *testing.T) {
			jpeg := strings.HasSuffix(c.File, ".jpg")
			for _, plain := range []bool{false, true} {
				if plain && !jpeg {
					continue
				}
				exact := !jpeg || !plain && why == nil
				// PIL takes the luma of a palette's colours by another rounding.
				exact = exact && !(strings.HasPrefix(c.File, "palette") && c.Mode == "L")
				if exact && crc32.ChecksumIEEE(decodeAs(t, file, c.Height, c.Width, c.Mode, plain)) != c.CRC32 {
					t.Error("the whole image differs from PIL's")
				}
				off := 0
				for i, v := range decodeAs(t, file, 12, 16, c.Mode, plain) {
					off = max(off, int(v)-int(c.Small[i]), int(c.Small[i])-int(v))
				}
				if limit := map[bool]int{true: 0, false: 2}[exact]; off > limit {
					t.Errorf("without libjpeg-turbo %v: resized, %d levels from PIL's at most, want %d", plain, off, limit)
				}
			}
		})
	}
	if why != nil {
		t.Logf("JPEG was not held to PIL's bits: %v", why)
	}
}

// A JPEG file cut anywhere is an error, as PIL's "image file is truncated"; what is broken inside is no crash.
func TestJPEGTruncated(t *testing.T) {
	file, err := os.ReadFile("testdata/420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewImager(pixel.Frame{Height: 8, Width: 8}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dst := make([]uint8, 3*64)
	for n := range file {
		if err := m.Decode(dst, file[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: want an error", n, len(file))
		}
	}
	for i := 20; i < len(file); i++ {
		broken := bytes.Clone(file)
		broken[i] ^= 0x55
		_ = m.Decode(dst, broken) // an error or an image
	}
	if err := m.Decode(dst, file); err != nil {
		t.Errorf("after broken files: %v", err)
	}
	if err := m.Decode(dst, append(bytes.Clone(file), "after the end"...)); err != nil {
		t.Errorf("bytes after the end of the image: %v", err)
	}
}

func TestJPEGBombs(t *testing.T) {
	file, err := os.ReadFile("testdata/420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Index(file, []byte{0xff, 0xc0})
	huge := bytes.Clone(file)
	copy(huge[frame+5:], []byte{0xff, 0xff, 0xff, 0xff})
	scan := bytes.Index(file, []byte{0xff, 0xda})
	many := append(bytes.Repeat(file[scan:len(file)-2], maxJPEGScans), file[len(file)-2:]...)
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"65535 by 65535", "at most 33554432 pixels", huge},
		{"many scans", "more than 100 scans", append(bytes.Clone(file[:len(file)-2]), many...)},
		{"no frame", "no start of frame", []byte("\xff\xd8\xff\xd9")},
	} {
		m, err := NewImager(pixel.Frame{Height: 8, Width: 8}, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Decode(make([]uint8, 3*64), c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
		m.Close()
	}
}

func TestJPEGAllocatesNothing(t *testing.T) {
	if _, why := JPEGLibrary(); why != nil {
		t.Skip(why)
	}
	file, err := os.ReadFile("testdata/420.jpg")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewImager(pixel.Frame{Height: 8, Width: 8}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dst := make([]uint8, 3*64)
	if n := testing.AllocsPerRun(10, func() {
		if err := m.Decode(dst, file); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a file", n)
	}
}

// FuzzImage holds whatever bytes to an error or an image. The seeds are the reference's files.
func FuzzImage(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		if file, err := os.ReadFile(name); err == nil && len(file) < 4000 {
			f.Add(file, true)
		}
	}
	m, err := NewImager(pixel.Frame{Height: 5, Width: 6, Fit: pixel.Letterbox}, true)
	if err != nil {
		f.Fatal(err)
	}
	plain, err := NewImager(pixel.Frame{Height: 5, Width: 6, Fit: pixel.Crop}, false)
	if err != nil {
		f.Fatal(err)
	}
	plain.jpeg.close()
	plain.jpeg.turbo = nil
	f.Fuzz(func(t *testing.T, file []byte, turbo bool) {
		if h, w, err := ImageSize(file); err == nil && h*w > 1<<20 {
			t.Skip("slow") // decodes, and takes its time
		}
		if turbo {
			_ = m.Decode(make([]uint8, 90), file)
		} else {
			_ = plain.Decode(make([]uint8, 30), file)
		}
	})
}
