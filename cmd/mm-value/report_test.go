package main

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/network/networktest"
)

func TestTable(t *testing.T) {
	r := reading{
		Modalities: []modalityRead{
			{Name: "audio", Samples: 7, Mean: 0.5, ShareBelowOne: 0.25, Quantiles: []number{-1, -0.5, 0, 0.5, 1, 1.5, 2}},
			{Name: "image", Mean: number(math.NaN()), ShareBelowOne: number(math.NaN()), Quantiles: make([]number, 7)},
		},
		Discrepancies: []discrepantRead{{ID: "clip 3", Row: 3, Apart: 2.25}, {ID: "clip 1", Row: 1, Apart: 1}},
	}
	var out bytes.Buffer
	r.table(&out)
	want := `  modality  samples  mean phi  below share      5%    25%  median    75%    95%
     audio        7     0.500       25.0 %  -0.500  0.000   0.500  1.000  1.500
     image        0         -            -   0.000  0.000   0.000  0.000  0.000
furthest apart: clip 3 (row 3), by 2.25
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
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
	const figures = "a        7     0.714       42.9 %"
	for _, c := range []struct {
		args []string
		want bool
	}{{nil, true}, {[]string{"--quiet"}, false}} {
		terminal, read := openTerminal(t)
		value(terminal, c.args...)
		if said := read(); strings.Contains(said, figures) != c.want {
			t.Errorf("%v: the terminal got %q", c.args, said)
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
