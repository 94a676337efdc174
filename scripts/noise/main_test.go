package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/media"
	"mmtools/pkg/rng"
)

const rows = 400

// inputs writes arrays of two and three columns and returns options that add noise to them.
func inputs(t *testing.T) options {
	t.Helper()
	dir, random := t.TempDir(), rng.Stream(1, "test")
	o := options{out: filepath.Join(dir, "out"), share: 0.5, level: 3, seed: 4}
	for name, size := range map[string]int{"audio": 2, "image": 3} {
		x := make([]float32, rows*size)
		for i := range x {
			x[i] = float32(random.NormFloat64()) * float32(i%size) // the first column never varies
		}
		path := filepath.Join(dir, name+".npy")
		if err := write(path, func(w *bufio.Writer) { writeNPY(w, []int{rows, size}, x) }); err != nil {
			t.Fatal(err)
		}
		if err := o.parse([]string{name + "=" + path}); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func TestNoiseIsWhereTheTruthSays(t *testing.T) {
	o := inputs(t)
	if err := run(o); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.out, "truth.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	counts := map[string]int{}
	for _, m := range o.modalities {
		before, after := open(t, m.path), open(t, filepath.Join(o.out, filepath.Base(m.path)))
		if fmt.Sprint(before.Shape()) != fmt.Sprint(after.Shape()) || len(lines) != rows {
			t.Fatalf("%s: shapes %v and %v, %d lines of truth", m.name, before.Shape(), after.Shape(), len(lines))
		}
		squares, changed := 0.0, 0
		a, b := make([]float32, before.RowSize()), make([]float32, before.RowSize())
		for row := range rows {
			before.Row(row, a)
			after.Row(row, b)
			noisy := lines[row] == fmt.Sprintf("%d,%s", row, m.name)
			if same := fmt.Sprint(a) == fmt.Sprint(b); same == noisy || a[0] != b[0] {
				t.Errorf("row %d of %s: %v, then %v; the truth is %q", row, m.name, a, b, lines[row])
			}
			if noisy {
				counts[m.name]++
				squares += math.Pow(float64(b[1]-a[1]), 2)
				changed++
			}
		}
		// column 1 has a deviation near 1, so its noise one near 3
		if deviation := math.Sqrt(squares / float64(changed)); deviation < 2.4 || deviation > 3.6 {
			t.Errorf("%s: noise of deviation %v, want 3", m.name, deviation)
		}
	}
	if total := counts["audio"] + counts["image"]; total != rows/2 || counts["audio"] < 60 || counts["image"] < 60 {
		t.Errorf("%v noisy rows, want %d, about as many of each", counts, rows/2)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	o := inputs(t)
	read := func() []byte {
		if err := run(o); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(o.out, "audio.npy"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := read()
	if !bytes.Equal(read(), first) {
		t.Error("the same seed gives other bytes")
	}
	o.seed++
	if bytes.Equal(read(), first) {
		t.Error("another seed gives the same bytes")
	}
}

func TestBadOptions(t *testing.T) {
	for _, args := range [][]string{{}, {"audio"}, {"=x.npy"}, {"audio="}} {
		o := options{out: "x", share: 0.5, level: 1}
		if err := o.parse(args); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	for _, o := range []options{{share: 0.5}, {out: "x", share: 2}, {out: "x", share: math.NaN()}, {out: "x", level: -1}, {out: "x", level: math.Inf(1)}} {
		if err := o.parse([]string{"a=b"}); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func open(t *testing.T, path string) *media.Array {
	t.Helper()
	a, err := media.OpenArray(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}
