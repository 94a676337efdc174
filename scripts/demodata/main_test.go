package main

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/media"
	"mmtools/pkg/pixel"
	"mmtools/pkg/rng"
)

var small = options{samples: 160, classes: 8, seed: 3, noisyAudio: 0.3, noisyImage: 0.2}

// build makes the data and returns the folder and the rows of its manifest, by column.
func build(t *testing.T, o options) (string, []map[string]string) {
	t.Helper()
	o.out = t.TempDir()
	if err := run(o); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(o.out, "manifest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return o.out, rows
}

func TestManifest(t *testing.T) {
	_, rows := build(t, small)
	if len(rows) != small.samples {
		t.Fatalf("%d rows, want %d", len(rows), small.samples)
	}
	ids, cells, noisy := map[string]bool{}, map[[2]string]int{}, map[string]int{}
	for _, r := range rows {
		ids[r["id"]] = true
		cells[[2]string{r["label"], r["split"]}]++
		noisy[r["noisy"]]++
	}
	if len(ids) != len(rows) {
		t.Error("ids repeat")
	}
	for _, g := range glyphs[:small.classes] { // 20 samples of a class: two rounds of the eight splits and four more
		for split, want := range map[string]int{"train": 12, "val": 3, "test": 5} {
			if got := cells[[2]string{g.name, split}]; got != want {
				t.Errorf("%s, %s: %d samples, want %d", g.name, split, got, want)
			}
		}
	}
	for name, share := range map[string]float64{"none": 0.5, "audio": 0.3, "image": 0.2} {
		mean := share * float64(small.samples)
		if d := math.Abs(float64(noisy[name]) - mean); d > 4*math.Sqrt(mean) {
			t.Errorf("noisy %s: %d samples, want about %g", name, noisy[name], mean)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	a, rows := build(t, small)
	b, _ := build(t, small)
	other := small
	other.seed = 4
	c, _ := build(t, other)
	differ := 0
	names := []string{"manifest.csv"}
	for _, r := range rows {
		names = append(names, r["audio"], r["image"])
	}
	for _, name := range names {
		var data [3][]byte
		for i, dir := range []string{a, b, c} {
			var err error
			if data[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(data[0], data[1]) {
			t.Fatalf("%s differs between two runs", name)
		}
		if !bytes.Equal(data[0], data[2]) {
			differ++
		}
	}
	if differ != len(names) {
		t.Errorf("another seed changes %d of %d files", differ, len(names))
	}
}

// The files are what mm-encode reads.
func TestFilesDecode(t *testing.T) {
	dir, rows := build(t, small)
	imager, err := media.NewImager(pixel.Frame{Height: side, Width: side}, false)
	if err != nil {
		t.Fatal(err)
	}
	imager.Strict = true
	for _, r := range rows {
		wav, err := os.ReadFile(filepath.Join(dir, r["audio"]))
		if err != nil {
			t.Fatal(err)
		}
		var w media.WAV
		if err := w.Open(bytes.NewReader(wav), int64(len(wav))); err != nil || w.Rate != 8000 || w.Channels != 1 || w.Frames != 4000 {
			t.Fatalf("%s: %+v, %v", r["audio"], w, err)
		}
		png, err := os.ReadFile(filepath.Join(dir, r["image"]))
		if err != nil {
			t.Fatal(err)
		}
		if err := imager.Decode(make([]uint8, side*side), png); err != nil {
			t.Fatalf("%s: %v", r["image"], err)
		}
	}
}

// A clean image tells its class to the nearest class mean, a noisy one does not: the manifest's truth is true.
func TestNoisyImagesTellNothing(t *testing.T) {
	const classes, each = 8, 60
	var means [classes][side * side]float64
	for c := range classes {
		for i := range each {
			for j, v := range glyph(rng.Stream(1, "mean", c, i), c, false, 0).Pix {
				means[c][j] += float64(v) / each
			}
		}
	}
	share := func(noisy bool) float64 {
		right := 0
		for n := range classes * each {
			best, at := math.Inf(-1), 0
			pix := glyph(rng.Stream(1, "probe", n), n%classes, noisy, 0).Pix
			for c := range means {
				if s := correlation(pix, means[c][:]); s > best {
					best, at = s, c
				}
			}
			if at == n%classes {
				right++
			}
		}
		return float64(right) / (classes * each)
	}
	// Chance is 0.125 with a deviation of 0.015 over 480 images.
	if clean, noisy := share(false), share(true); clean < 0.5 || noisy > 0.125+4*0.015 {
		t.Errorf("nearest mean is right for %.2f of the clean and %.2f of the noisy images", clean, noisy)
	}
}

func correlation(pix []uint8, mean []float64) float64 {
	var x, y, xx, yy, xy float64
	for j, m := range mean {
		v := float64(pix[j])
		x, y, xx, yy, xy = x+v, y+m, xx+v*v, yy+m*m, xy+v*m
	}
	n := float64(len(mean))
	return (xy - x*y/n) / math.Sqrt((xx-x*x/n)*(yy-y*y/n))
}

// A noisy melody is as good as the noise alone, sample for sample: with no signal left the class does not reach the file.
func TestNoisyMelodiesTellNothing(t *testing.T) {
	for class := range 2 * len(contours) {
		noise := melody(rng.Stream(5, "m"), 0, true, 0)
		if !slices.Equal(melody(rng.Stream(5, "m"), class, true, 0), noise) {
			t.Errorf("class %d is heard through the noise", class)
		}
		if slices.Equal(melody(rng.Stream(5, "m"), class, true, 0.5), noise) {
			t.Errorf("class %d: half the signal is not heard", class)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for want, change := range map[string]func(*options){
		"want --out":   func(o *options) { o.out = "" },
		"--classes 11": func(o *options) { o.classes = 11 },
		"--classes 1":  func(o *options) { o.classes = 1 },
		"--samples 0":  func(o *options) { o.samples = 0 },
		"at most 1":    func(o *options) { o.noisyAudio = 0.9 },
		"shares from":  func(o *options) { o.noisyImage = math.NaN() },
		"--signal 2":   func(o *options) { o.signal = 2 },
	} {
		o := small
		o.out = filepath.Join(t.TempDir(), "out")
		change(&o)
		if err := run(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
		if _, err := os.Stat(o.out); o.out != "" && err == nil {
			t.Errorf("%s: the folder was made all the same", want)
		}
	}
}
