// Command noise adds noise to one modality, drawn anew for each, of a random half of the samples of NumPy files, so that what
// valuation finds can be held against the truth: OUT gets the files under their own names, float32, and truth.csv with the columns
// id (the row, as mm-encode arrays has it) and noisy (the modality's name, or none).
//
// To every element x of a noisy row goes level·s·z, z standard normal and s the deviation of x's column over the samples:
//
//	x' = x + level s z
//
// The same seed makes the same bytes, whatever the order in which files are given.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/rng"
)

// options say what is made.
type options struct {
	out          string
	share, level float64
	seed         uint64
	modalities   []named
}

// named is a modality's name and file.
type named struct{ name, path string }

func main() {
	var o options
	flag.StringVar(&o.out, "out", "", "write the noisy files and truth.csv to this `folder` (required)")
	flag.Float64Var(&o.share, "share", 0.5, "add noise to this `share` of the samples, 0 to 1")
	flag.Float64Var(&o.level, "level", 3, "noise of this many `deviations` of each element")
	flag.Uint64Var(&o.seed, "seed", 0, "draw everything from this `seed`")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: noise --out FOLDER [flags] NAME=FILE.npy NAME=FILE.npy...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := o.parse(flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "noise: %v\n", err)
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "noise: %v\n", err)
		os.Exit(1)
	}
}

// parse takes the modalities and returns an error for options that make no data.
func (o *options) parse(args []string) error {
	for _, arg := range args {
		name, path, ok := strings.Cut(arg, "=")
		if !ok || name == "" || path == "" {
			return fmt.Errorf("%s: want NAME=FILE.npy", arg)
		}
		o.modalities = append(o.modalities, named{name, path})
	}
	slices.SortFunc(o.modalities, func(a, b named) int { return strings.Compare(a.name, b.name) })
	switch {
	case o.out == "":
		return errors.New("want --out FOLDER")
	case len(o.modalities) == 0:
		return errors.New("want NAME=FILE.npy of one modality or more")
	case !(o.share >= 0 && o.share <= 1):
		return fmt.Errorf("--share %v: want 0 to 1", o.share)
	case !(o.level >= 0) || math.IsInf(o.level, 0):
		return fmt.Errorf("--level %v: want a finite number, 0 or above", o.level)
	}
	return nil
}

func run(o options) error {
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return err
	}
	var noisy []int // (rows): a modality, or -1
	for p, m := range o.modalities {
		array, err := media.OpenArray(m.path)
		if err != nil {
			return err
		}
		if p == 0 {
			noisy = choose(o, array.Rows())
		}
		if array.Rows() != len(noisy) {
			err = fmt.Errorf("%s: %d rows, but %s has %d", m.path, array.Rows(), o.modalities[0].path, len(noisy))
		} else {
			err = o.add(array, m, func(row int) bool { return noisy[row] == p })
		}
		if err := errors.Join(err, array.Close()); err != nil {
			return err
		}
	}
	return write(filepath.Join(o.out, "truth.csv"), func(w *bufio.Writer) {
		fmt.Fprintln(w, "id,noisy")
		for row, p := range noisy {
			name := "none"
			if p >= 0 {
				name = o.modalities[p].name
			}
			fmt.Fprintf(w, "%d,%s\n", row, name)
		}
	})
}

// choose draws which modality of each of rows samples is noisy, -1 for none: of exactly the share of them, rounded.
func choose(o options, rows int) []int {
	random := rng.Stream(o.seed, "noise", "samples")
	noisy := make([]int, rows)
	for row := range noisy {
		noisy[row] = -1
	}
	for _, row := range random.Perm(rows)[:int(math.Round(o.share*float64(rows)))] {
		noisy[row] = random.IntN(len(o.modalities))
	}
	return noisy
}

// add writes a modality's file with noise in the rows that are noisy.
func (o options) add(array *media.Array, m named, isNoisy func(row int) bool) error {
	size, rows := array.RowSize(), array.Rows()
	x := make([]float32, rows*size)
	for row := range rows {
		array.Row(row, x[row*size:][:size])
	}
	scale := deviations(x, rows, size)
	random := rng.Stream(o.seed, "noise", "values", m.name)
	for row := range rows {
		if !isNoisy(row) {
			continue
		}
		for k := range size {
			x[row*size+k] += float32(o.level * scale[k] * random.NormFloat64())
		}
	}
	return write(filepath.Join(o.out, filepath.Base(m.path)), func(w *bufio.Writer) {
		writeNPY(w, array.Shape(), x)
	})
}

// deviations returns the deviation of each of size columns of x, (rows,size).
func deviations(x []float32, rows, size int) []float64 {
	mean, squares := make([]float64, size), make([]float64, size)
	for i, v := range x {
		mean[i%size] += float64(v) / float64(rows)
	}
	for i, v := range x {
		d := float64(v) - mean[i%size]
		squares[i%size] += d * d / float64(rows)
	}
	for k, q := range squares {
		squares[k] = math.Sqrt(q)
	}
	return squares
}

// writeNPY writes x as a NumPy file, version 1.0, of 32-bit floats.
func writeNPY(w *bufio.Writer, shape []int, x []float32) {
	var dims strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&dims, "%d, ", n)
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", dims.String())
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n" // the data begins at a multiple of 64
	w.WriteString("\x93NUMPY\x01\x00")
	w.Write([]byte{byte(len(header)), byte(len(header) >> 8)})
	w.WriteString(header)
	for _, v := range x {
		bits := math.Float32bits(v)
		w.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}) // errors are kept until Flush
	}
}

// write writes a file beside path and renames it.
func write(path string, fill func(w *bufio.Writer)) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".noise-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // where it was renamed there is nothing left
	w := bufio.NewWriterSize(f, 1<<16)
	fill(w)
	if err := errors.Join(w.Flush(), f.Chmod(0o666), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
