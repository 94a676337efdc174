package schema

import (
	"fmt"
	"math"
	"testing"
)

func TestParseFold(t *testing.T) {
	for _, c := range []struct {
		text string
		want Fold
	}{
		{"1/2", Fold{1, 2}}, {"5/5", Fold{5, 5}}, {"0/5", Fold{}}, {"6/5", Fold{}}, {"1/1", Fold{}}, {"2", Fold{}}, {"", Fold{}},
		{"a/b", Fold{}}, {"1/2/3", Fold{}}, {"1/65537", Fold{}}, {"-1/3", Fold{}},
	} {
		got, err := ParseFold(c.text)
		if got != c.want || (err == nil) != (c.want != Fold{}) {
			t.Errorf("ParseFold(%q) = %v, %v, want %v", c.text, got, err, c.want)
		}
		if err == nil && got.String() != c.text {
			t.Errorf("%q is written as %q", c.text, got)
		}
	}
}

// Every sample is in one fold, and the folds of numbered ids are as large as draws would make them: five deviations are one
// seed in a million.
func TestFoldsDivide(t *testing.T) {
	for _, of := range []int{2, 3, 5, 10} {
		for _, form := range []string{"%d", "clip-%05d", "%d.wav", "a/b/%x"} {
			sizes := make([]int, of)
			const samples = 10000
			for i := range samples {
				in := 0
				for part := 1; part <= of; part++ {
					if (Fold{part, of}).Has(fmt.Sprintf(form, i)) {
						in++
						sizes[part-1]++
					}
				}
				if in != 1 {
					t.Fatalf("%d of %d folds have sample %d", in, of, i)
				}
			}
			p := 1 / float64(of)
			for part, size := range sizes {
				if off := math.Abs(float64(size) - samples*p); off > 5*math.Sqrt(samples*p*(1-p)) {
					t.Errorf("ids %s: fold %d/%d has %d of %d samples", form, part+1, of, size, samples)
				}
			}
		}
	}
}

// Models on disk say which fold they were trained without: these must not change.
func TestFoldsStay(t *testing.T) {
	got := ""
	for i := range 20 {
		for part := 1; part <= 3; part++ {
			if (Fold{part, 3}).Has(fmt.Sprint(i)) {
				got += fmt.Sprint(part)
			}
		}
	}
	if was := "23213222131222321232"; got != was {
		t.Errorf("ids 0 to 19 are in folds %s of 3, but were in %s", got, was)
	}
}
