package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// Whatever is in a file of results, reading it gives a result that can be compared with itself, or an input error.
func FuzzResult(f *testing.F) {
	script, err := os.ReadFile("testdata/compare.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range bytes.Split(script, []byte("-- ")) {
		if _, body, ok := bytes.Cut(part, []byte(" --\n")); ok {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseResult(raw, "fuzz")
		if err != nil {
			if !errors.Is(err, stream.ErrInput) {
				t.Fatalf("%v is no input error", err)
			}
			return
		}
		c := &comparison{methods: []*method{{name: "m", results: []*result{r, r}}},
			modalities: keys(r.Modalities), coalitions: keys(r.Coalitions), classes: keys(r.PerClass)}
		var b bytes.Buffer
		if err := errors.Join(c.accuracyTable().WriteText(&b), c.contributionTable().WriteText(&b), c.coalitionTable().WriteText(&b), c.writeJSON(&b, nil)); err != nil {
			t.Fatal(err)
		}
	})
}

// An ordered object keeps keys, their order, and NaN.
func TestOrderedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in ordered[number]
		for _, key := range rapid.SliceOf(rapid.String()).Draw(t, "keys") {
			value := number(rapid.Float64Range(-1e9, 1e9).Draw(t, "value"))
			if rapid.Bool().Draw(t, "none") {
				value = number(math.NaN())
			}
			in = append(in, entry[number]{key, value})
		}
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out ordered[number]
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		if len(out) != len(in) {
			t.Fatalf("%d entries, want %d", len(out), len(in))
		}
		for i := range in {
			same := in[i].Value == out[i].Value || in[i].Value != in[i].Value && out[i].Value != out[i].Value
			if in[i].Key != out[i].Key || !same {
				t.Fatalf("entry %d: got %v, want %v", i, out[i], in[i])
			}
		}
	})
}

// Up to six modalities every coalition is reported, beyond each alone and all.
func TestCoalitions(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 3, 6: 63, 7: 8, 20: 21} {
		got := coalitions(n)
		if len(got) != want || got[len(got)-1] != modality.All(n) {
			t.Errorf("%d modalities: %d coalitions, the last %b; want %d, the last all", n, len(got), got[len(got)-1], want)
		}
	}
}

func TestParseNamed(t *testing.T) {
	got, err := parseNamed([]string{"a=b/c.json", "b/c.arrows", "-", "stdin=-", "d=1/e.json", "x=y=z"})
	if err != nil {
		t.Fatal(err)
	}
	want := []named{{"a", "b/c.json"}, {"c", "b/c.arrows"}, {"stdin", "-"}, {"stdin", "-"}, {"d", "1/e.json"}, {"x", "y=z"}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
	for _, bad := range []string{"=a", "a=", ""} {
		if _, err := parseNamed([]string{bad}); err == nil {
			t.Errorf("%q: want an error", bad)
		}
	}
}

// A confusion matrix that no terminal is wide enough for gives way to what each class was mistaken for most often, the first of equal ones.
func TestClassesOfManyNames(t *testing.T) {
	long := strings.Repeat("x", 40)
	r := &result{classes: []string{"a", "b" + long, "c" + long}, Confusion: [][]int64{{3, 1, 1}, {0, 4, 0}, {0, 2, 1}}}
	for c, name := range r.classes {
		r.PerClass = append(r.PerClass, entry[number]{name, number(float64(c) / 4)})
	}
	var b strings.Builder
	if err := r.writeClasses(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "predicted as") || strings.Contains(text, "mistaken") {
		t.Errorf("of 90 characters: %s", text)
	}
	r.classes[0] = strings.Repeat("a", 20)
	b.Reset()
	if err := r.writeClasses(&b); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(b.String(), long, "")) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	if want := []string{"", "class samples accuracy most often mistaken for", "a 5 0.00 % b (1)", "b 4 25.00 % -", "c 3 50.00 % b (2)",
		"The whole matrix: --format json, or --figures DIR."}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}
