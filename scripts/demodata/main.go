// Command demodata makes the demo's audio-visual data: a wav and a png file for each sample, and a manifest.csv that lists them.
//
// A class is a shape to see (glyph.go) and a melody to hear (melody.go). In a share of the samples one modality is noise that says
// nothing of the class; the manifest's column "noisy" (none, audio or image) tells which, so that what valuation finds can be
// held against the truth. The image is the easy modality: a network that is trained on both leans on it and leaves the audio,
// which it would learn if it were alone, behind. The same seed makes the same bytes.
package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"mmtools/pkg/rng"
)

// options say what is made.
type options struct {
	out                    string
	samples, classes       int
	seed                   uint64
	noisyAudio, noisyImage float64 // shares of the samples
	signal                 float64 // what is left of a noisy modality
}

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "write manifest.csv, audio/ and image/ to this `folder` (required)")
	flag.IntVar(&o.samples, "samples", 1600, "make this `number` of samples: 5/8 for training, 1/8 for validation, 1/4 for testing")
	flag.IntVar(&o.classes, "classes", 8, "spread them evenly over this `number` of classes, 2 to 10")
	flag.Uint64Var(&o.seed, "seed", 0, "draw everything from this `seed`")
	flag.Float64Var(&o.noisyAudio, "noisy-audio", 0.3, "`share` of the samples whose audio is noise")
	flag.Float64Var(&o.noisyImage, "noisy-image", 0.2, "`share` of the samples whose image is noise")
	flag.Float64Var(&o.signal, "signal", 0, "leave this `share` of the class's shape and melody in a noisy modality, 0 to 1")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "demodata: argument %q: want flags only\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "demodata: %v\n", err)
		os.Exit(1)
	}
}

// check returns an error for options that make no data.
func (o options) check() error {
	switch {
	case o.out == "":
		return errors.New("want --out FOLDER")
	case o.classes < 2 || o.classes > len(glyphs):
		return fmt.Errorf("--classes %d: want 2 to %d", o.classes, len(glyphs))
	case o.samples < 1:
		return fmt.Errorf("--samples %d: want 1 or more", o.samples)
	case !(o.noisyAudio >= 0 && o.noisyImage >= 0 && o.noisyAudio+o.noisyImage <= 1):
		return fmt.Errorf("--noisy-audio %g and --noisy-image %g: want shares from 0, at most 1 together", o.noisyAudio, o.noisyImage)
	case !(o.signal >= 0 && o.signal <= 1):
		return fmt.Errorf("--signal %g: want a share from 0 to 1", o.signal)
	}
	return nil
}

// splits repeats over the samples of a class, so that every split has every class.
var splits = []string{"train", "test", "train", "val", "train", "test", "train", "train"}

func run(o options) error {
	if err := o.check(); err != nil {
		return err
	}
	for _, dir := range []string{"audio", "image"} {
		if err := os.MkdirAll(filepath.Join(o.out, dir), 0o777); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(o.out, "manifest.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := bufio.NewWriter(f)
	list := csv.NewWriter(buffer)
	rows := [][]string{{"id", "label", "audio", "image", "noisy", "split"}}
	order := rng.Stream(o.seed, "demodata", "order").Perm(o.samples) // a list sorted by class would feed some learners badly
	for i, n := range order {
		row, err := o.sample(i, n)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if err := list.WriteAll(rows); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// sample makes the files of sample i, the n-th in the order of classes and splits, and returns its row of the manifest.
func (o options) sample(i, n int) ([]string, error) {
	r := rng.Stream(o.seed, "demodata", "sample", n)
	class, split := n%o.classes, splits[n/o.classes%len(splits)]
	noisy := o.drawNoisy(r)
	id := fmt.Sprintf("s%0*d", len(strconv.Itoa(o.samples-1)), i)
	audio, picture := filepath.Join("audio", id+".wav"), filepath.Join("image", id+".png")
	if err := os.WriteFile(filepath.Join(o.out, audio), encodeWAV(melody(r, class, noisy == "audio", o.signal)), 0o666); err != nil {
		return nil, err
	}
	png, err := encodePNG(glyph(r, class, noisy == "image", o.signal))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(o.out, picture), png, 0o666); err != nil {
		return nil, err
	}
	return []string{id, glyphs[class].name, audio, picture, noisy, split}, nil
}

func (o options) drawNoisy(r *rand.Rand) string {
	switch u := r.Float64(); {
	case u < o.noisyAudio:
		return "audio"
	case u < o.noisyAudio+o.noisyImage:
		return "image"
	}
	return "none"
}
