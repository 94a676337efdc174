package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/network/networktest"
)

func TestTable(t *testing.T) {
	nan, label := number(math.NaN()), int32(1)
	r := reading{
		Modalities: []modalityRead{
			{Name: "audio", Samples: 7, Mean: 0.5, ShareBelowOne: 0.25, Quantiles: []number{-1, -0.5, 0, 0.5, 1, 1.5, 2}},
			{Name: "image", Mean: nan, ShareBelowOne: nan, Quantiles: make([]number, 7)},
		},
		Agreement: []agreementRead{{[2]string{"audio", "image"}, 0.625, nan}},
		Classes:   []classRead{{"yes", 5, 0.8, []number{1.25, 0.75}}, {"no\x1b", 0, nan, []number{nan, nan}}},
		Discrepancies: []discrepantRead{
			{ID: "clip 3", Row: 3, Label: &label, Contributions: []number{1.5, -0.75}, Apart: 2.25},
			{ID: "clip\t1", Row: 1, Prediction: 1, Contributions: []number{0, 1}, Apart: 1},
		},
	}
	var out bytes.Buffer
	r.table(&out)
	want := `  modality  samples  mean phi  below share      5%    25%  median    75%    95%
     audio        7     0.500       25.0 %  -0.500  0.000   0.500  1.000  1.500
     image        0         -            -   0.000  0.000   0.000  0.000  0.000
    modalities  alone right or wrong alike  correlation of phi
  audio, image                      62.5 %                   -
     class  samples  accuracy  phi of audio  phi of image
       yes        5    80.0 %         1.250         0.750
  "no\x1b"        0         -             -             -
  furthest apart  row     label  prediction     by  phi of audio  phi of image
          clip 3    3  "no\x1b"         yes  2.250         1.500        -0.750
       "clip\t1"    1         -    "no\x1b"  1.000         0.000         1.000
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// What a terminal has no room for is counted: more classes than twenty, pairs than fifteen, a column for each of nine modalities.
func TestTableIsShort(t *testing.T) {
	var r reading
	for p := range mostColumns + 1 {
		r.Modalities = append(r.Modalities, modalityRead{Name: fmt.Sprint("m", p), Quantiles: make([]number, 7)})
		for q := range p {
			r.Agreement = append(r.Agreement, agreementRead{Modalities: [2]string{fmt.Sprint("m", q), fmt.Sprint("m", p)}})
		}
	}
	for c := range mostClasses + 11 {
		r.Classes = append(r.Classes, classRead{Name: fmt.Sprint("class", c), Means: make([]number, mostColumns+1)})
	}
	var out bytes.Buffer
	r.table(&out)
	text := out.String()
	for want, times := range map[string]int{"class19 ": 1, "class20 ": 0, "and 11 more: --summary FILE": 1, "and 21 more: --summary FILE": 1, "phi of m": 0, "m8 ": 1} {
		if got := strings.Count(text, want); got != times {
			t.Errorf("%q stands %d times in the table, want %d:\n%s", want, got, times, text)
		}
	}
}

// The table is for a terminal, and for it alone: a terminal is what stderr is here, and the summary's figures are in it.
func TestTableOnTerminal(t *testing.T) {
	dir := t.TempDir()
	if err := networktest.WriteModel(filepath.Join(dir, "model.arrow"), false); err != nil {
		t.Fatal(err)
	}
	if err := networktest.WriteSamples(filepath.Join(dir, "samples.arrows"), modalities("a", "v"), classes, tableSamples()); err != nil {
		t.Fatal(err)
	}
	value := func(stderr *os.File, args ...string) {
		cmd := exec.Command(os.Args[0], append(args, "--model", "model.arrow", "-o", "out.arrows", "samples.arrows")...)
		cmd.Dir, cmd.Stderr, cmd.Env = dir, stderr, append(os.Environ(), "MM_VALUE_MAIN=1", "MM_QUIET=false")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	figures := []string{"a        7     0.714       42.9 %", "a, v                      66.7 %", "accuracy  phi of a  phi of v", "furthest apart"}
	for _, c := range []struct {
		args []string
		want bool
	}{{nil, true}, {[]string{"--quiet"}, false}} {
		terminal, read := openTerminal(t)
		value(terminal, c.args...)
		said := read()
		for _, figure := range figures {
			if strings.Contains(said, figure) != c.want {
				t.Errorf("%v: %q in what the terminal got: %q", c.args, figure, said)
			}
		}
	}
	file, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	value(file)
	if said, err := os.ReadFile(file.Name()); err != nil || strings.Contains(string(said), "modality") {
		t.Errorf("a file got the table: %q, %v", said, err)
	}
}
