package resample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/modality"
)

// weighed is a plan row with its weight.
type weighed struct {
	planRow
	weight float32
}

// planned collects a sample-level plan of phi, (n,rows), in batches of some size.
func planned(t *testing.T, phi [][]float64, o SampleOptions, size int) ([]weighed, Summary) {
	t.Helper()
	var rows []weighed
	names := []string{"a", "v", "t"}[:len(phi)]
	s, err := SampleLevel(inBatches(phi, size), names, o, func(b table, picks *Picks) error {
		for k, index := range picks.Index {
			rows = append(rows, weighed{planRow{b.from + int(index), picks.Keep[k]}, picks.Weight[k]})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, s
}

// drawnPhi returns contributions as they are of two modalities: the rows of the table of docs/design.md at random, and
// some samples without the second.
func drawnPhi(seed uint64, rows int) [][]float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := [][2]float64{{1, 1}, {1.5, 0.5}, {0.5, 1.5}, {0, 0}, {0.5, -0.5}, {0, math.NaN()}}
	phi := [][]float64{nil, nil}
	for range rows {
		v := values[r.IntN(len(values))]
		phi[0], phi[1] = append(phi[0], v[0]), append(phi[1], v[1])
	}
	return phi
}

func TestCopying(t *testing.T) {
	for _, c := range []struct {
		o    SampleOptions
		n    int
		phi  float64
		want int64
	}{
		// the published thresholds and what they make of the fractions of two modalities
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, 1, 0},
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, 0.5, 1},
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, 0.4, 2},
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, 0, 2},
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, -0.1, 3},
		{SampleOptions{Function: Thresholds, Strength: 1}, 2, -0.5, 3},
		{SampleOptions{Function: Thresholds, Strength: 2}, 2, -0.5, 6},
		// rounding: 3 (1 - 2/3) = 1, 3 (1 - 1/2) = 1.5
		{SampleOptions{Strength: 1}, 3, 2. / 3, 1},
		{SampleOptions{Strength: 1}, 3, 0.5, 2},
		{SampleOptions{Strength: 0.1}, 3, 0.9, 1}, // one at least
		{SampleOptions{Function: Ceiling, Strength: 1}, 3, 0.65, 2},
		{SampleOptions{Function: Ceiling, Strength: 1}, 3, 2. / 3, 1}, // 1.0000000000000002 in floating point
		// 2 x^1.5 at 0.25: 1.299; at -1: 5.66; 2 x^2 at 0.5: 0.5
		{SampleOptions{Function: Powerly, Strength: 1}, 2, 0.25, 1},
		{SampleOptions{Function: Powerly, Strength: 1}, 2, -1, 6},
		{SampleOptions{Function: Powerly, Strength: 1, Exponent: 2}, 2, 0.5, 1},
		// 2 (exp(x) - 1)/(e - 1): 2 at 0, 0.755 at 0.5, 4.05 at -0.5
		{SampleOptions{Function: Exponentially, Strength: 1}, 2, 0, 2},
		{SampleOptions{Function: Exponentially, Strength: 1}, 2, 0.5, 1},
		{SampleOptions{Function: Exponentially, Strength: 1}, 2, -0.5, 4},
		{SampleOptions{Strength: 10, MaxCopies: 4}, 2, 0, 4},
	} {
		if err := c.o.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := c.o.copies(c.n, c.phi); got != c.want {
			t.Errorf("%+v: n=%d phi=%v: %d copies, want %d", c.o, c.n, c.phi, got, c.want)
		}
	}
	for _, f := range Copyings { // the less a modality contributes, the more copies
		o := SampleOptions{Function: f, Strength: 1.7}
		for n := 2; n <= 5; n++ {
			last := int64(0)
			for phi := 1.5; phi > -2; phi -= 0.01 {
				k := o.copies(n, phi)
				if k < last || phi > 1 && k != 0 || phi < 0.99 && k == 0 {
					t.Errorf("%s: n=%d phi=%v: %d copies after %d", f, n, phi, k, last)
				}
				last = k
			}
		}
	}
}

// extrasOf counts the rows beyond each sample's first, and their weight, by label.
func extrasOf(rows []weighed) (count int, weight float64, byLabel map[int]float64) {
	seen, byLabel := map[int]bool{}, map[int]float64{}
	for _, r := range rows {
		if !seen[r.row] {
			seen[r.row] = true
			continue
		}
		count++
		weight += float64(r.weight)
		byLabel[r.row%3] += float64(r.weight)
	}
	return count, weight, byLabel
}

func TestBudget(t *testing.T) {
	phi := drawnPhi(1, 3001)
	plain, _ := planned(t, phi, SampleOptions{Strength: 1}, 100)
	unscaled, _, _ := extrasOf(plain)
	for _, budget := range []float64{0.01, 0.3, 1, 5} {
		o := SampleOptions{Strength: 1, Budget: budget, Seed: 3}
		rows, s := planned(t, phi, o, 100)
		want := int(budget * 3001)
		if got, _, _ := extrasOf(rows); got < want-1 || got > want+1 || s.Weight != float64(got) {
			t.Errorf("budget %v: %d extra rows, %v in the summary, want %d", budget, got, s.Weight, want)
		}
		if again, _ := planned(t, phi, o, 7); !slices.Equal(again, rows) {
			t.Errorf("budget %v: the plan depends on the batches", budget)
		}
		o.Weights = true
		rows, _ = planned(t, phi, o, 100)
		if _, got, _ := extrasOf(rows); math.Abs(got-budget*3001) > 1e-3*budget*3001 {
			t.Errorf("budget %v: extra weight %v, want %v", budget, got, budget*3001)
		}
	}
	// over many seeds each sample gets its share: 2 copies of phi = 0 where the whole is scaled to a half
	mean := 0.0
	at := slices.Index(phi[0], 0)
	for seed := range uint64(400) {
		rows, _ := planned(t, phi, SampleOptions{Strength: 1, Budget: float64(unscaled) / 2 / 3001, Seed: seed}, 5000)
		for _, r := range rows {
			if r.row == at && r.keep == modality.Only(0) && !math.IsNaN(phi[1][at]) {
				mean += 1. / 400
			}
		}
	}
	if !math.IsNaN(phi[1][at]) && math.Abs(mean-1) > 0.1 {
		t.Errorf("a sample that wants 2 copies gets %v on average of half a budget, want 1", mean)
	}
}

func TestBalance(t *testing.T) {
	phi := drawnPhi(2, 3000) // labels are row % 3
	for row := range phi[0] {
		if row%3 == 0 { // class 0 wants little
			if row%30 != 0 {
				phi[0][row], phi[1][row] = 1, 1
			}
		}
	}
	rows, _ := planned(t, phi, SampleOptions{Strength: 1}, 100)
	total, _, uneven := extrasOf(rows)
	rows, _ = planned(t, phi, SampleOptions{Strength: 1, Balance: true}, 100)
	balanced, _, even := extrasOf(rows)
	if balanced < total-3 || balanced > total+3 {
		t.Errorf("%d extra rows balanced, %d not", balanced, total)
	}
	for label := range 3 {
		if math.Abs(even[label]-float64(total)/3) > 2 {
			t.Errorf("class %d has %v extra rows, want %v; without balance %v", label, even[label], float64(total)/3, uneven)
		}
	}
}

func TestWeights(t *testing.T) {
	phi := [][]float64{{1, 0.5, -0.25}, {1, 1.5, 0.4}}
	rows, s := planned(t, phi, SampleOptions{Strength: 1, Weights: true}, 2)
	want := []weighed{{planRow{0, 3}, 1}, {planRow{1, 3}, 1}, {planRow{1, 1}, 1}, {planRow{2, 3}, 1}, {planRow{2, 1}, 2.5}, {planRow{2, 2}, 1.2}}
	if !slices.Equal(rows, want) {
		t.Errorf("got %v, want %v", rows, want)
	}
	if math.Abs(s.Weight-4.7) > 1e-6 || s.Copies[0] != 2 {
		t.Errorf("summary %+v", s)
	}
	rows, _ = planned(t, phi, SampleOptions{Strength: 1, Weights: true, MaxCopies: 2}, 2)
	if want[4].weight = 2; !slices.Equal(rows, want) {
		t.Errorf("of two copies at most: got %v, want %v", rows, want)
	}
}

// TestControls holds that controls have the number of extra rows of the plan that they control, and what they keep.
func TestControls(t *testing.T) {
	const size = 3000
	phi := drawnPhi(4, size)
	plain, _ := planned(t, phi, SampleOptions{Strength: 1}, 100)
	want, _, _ := extrasOf(plain)
	for _, c := range Controls {
		o := SampleOptions{Strength: 1, Control: c, Seed: 9}
		rows, s := planned(t, phi, o, 100)
		got, _, _ := extrasOf(rows)
		if got != want || s.Samples != size {
			t.Errorf("%q: %d extra rows of %d samples, want %d", c, got, s.Samples, want)
		}
		if again, _ := planned(t, phi, o, 977); !slices.Equal(again, rows) {
			t.Errorf("%q: the plan depends on the batches", c)
		}
		kept := map[modality.Coalition]int{}
		seen := map[int]bool{}
		for _, r := range rows {
			present := modality.Coalition(3)
			if math.IsNaN(phi[1][r.row]) {
				present = 1
			}
			if !seen[r.row] {
				seen[r.row] = true
				if r.keep != present {
					t.Fatalf("%q: sample %d is not whole first", c, r.row)
				}
				continue
			}
			if r.keep&^present != 0 || c == Duplicate && r.keep != present || c != Duplicate && r.keep.Size() != 1 {
				t.Fatalf("%q: sample %d keeps %b of %b", c, r.row, r.keep, present)
			}
			kept[r.keep]++
		}
		if a, v := float64(kept[1]), float64(kept[2]); c == Random && math.Abs(a/(a+v)-7./12) > 0.05 { // a alone in a sixth
			t.Errorf("random keeps a %v times and v %v times", a, v)
		}
		o.Seed = 10
		if other, _ := planned(t, phi, o, 100); c.drawn() == slices.Equal(other, rows) {
			t.Errorf("%q: seeds matter: %t", c, !c.drawn())
		}
	}
	rows, _ := planned(t, [][]float64{{-0.5}, {0.5}}, SampleOptions{Strength: 1, Control: Inverse}, 1)
	if fmt.Sprint(rows) != "[{{0 3} 1} {{0 1} 1} {{0 2} 1} {{0 2} 1} {{0 2} 1}]" {
		t.Errorf("inverse plans %v", rows)
	}
	for _, o := range []SampleOptions{{Strength: 1, Control: "none"}, {Strength: 1, Control: Random, Balance: true}, {Strength: 1, Budget: -1},
		{Strength: 1, MaxCopies: -1}, {Strength: 1, Function: "cubic"}, {Strength: 1, Exponent: -1}} {
		if o.Validate() == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestApportion(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		extra int64
		means []float64
		want  []int64
	}{
		{10, []float64{1.25, 0.5}, []int64{0, 10}},
		{10, []float64{0.2, 1.3, 1.5}, []int64{10, 0, 0}},
		{12, []float64{0.5, 2, 0.8, nan, 1.1}, []int64{8, 0, 4, 0, 0}}, // mean 1.1: 0.6 and 0.3 below
		{10, []float64{0, 0, 0, 4}, []int64{4, 3, 3, 0}},
		{5, []float64{nan, 1, 1}, []int64{0, 5, 0}},
	} {
		got := apportion(c.extra, c.means)
		if !slices.Equal(got, c.want) {
			t.Errorf("%d rows of means %v: got %v, want %v", c.extra, c.means, got, c.want)
		}
	}
}

// TestModalityLevelSpreads holds the modality level of three modalities and its controls.
func TestModalityLevelSpreads(t *testing.T) {
	const size = 1000
	phi := [][]float64{slices.Repeat([]float64{0.2}, size), slices.Repeat([]float64{0.8}, size), slices.Repeat([]float64{2}, size)}
	o := ModalityOptions{Ratio: 0.2, Alpha: 0.5, Function: Linear, Seed: 1}
	for control, want := range map[Control][]int64{ // the mean is 1, the gap 1.8: 600 rows, 0.8 and 0.2 below
		NoControl: {480, 120, 0}, Inverse: {0, 0, 600}, Random: nil, Duplicate: {0, 0, 0},
	} {
		o.Control = control
		s, err := ModalityLevel(inBatches(phi, 64), []string{"a", "v", "t"}, o, func(table, *Picks) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		sum := s.Whole
		for _, k := range s.Copies {
			sum += k
		}
		if sum != 600 || want != nil && !slices.Equal(s.Copies, want) || control == Random && slices.Min(s.Copies) < 150 {
			t.Errorf("%q: copies %v, %d whole", control, s.Copies, s.Whole)
		}
	}
	o.Control, o.Budget, o.Weights = NoControl, 0.25, true
	weight := 0.0
	s, err := ModalityLevel(inBatches(phi, 64), []string{"a", "v", "t"}, o, func(_ table, p *Picks) error {
		for _, w := range p.Weight {
			weight += float64(w)
		}
		return nil
	})
	if err != nil || weight != size+250 || s.Weight != 250 {
		t.Errorf("a budget of a quarter by weight: weight %v, %+v, %v", weight, s, err)
	}
}

// TestBudgetOfNothing holds what a budget does where no modality lacks anything: a plan adds nothing, and a control its rows all the same.
func TestBudgetOfNothing(t *testing.T) {
	phi := [][]float64{slices.Repeat([]float64{1}, 100), slices.Repeat([]float64{1}, 100)}
	for control, want := range map[Control]int{NoControl: 0, Inverse: 0, Duplicate: 50, Random: 50} {
		rows, _ := planned(t, phi, SampleOptions{Strength: 1, Budget: 0.5, Control: control}, 30)
		if got, _, _ := extrasOf(rows); got != want {
			t.Errorf("%q: %d extra rows, want %d", control, got, want)
		}
	}
	s, err := ModalityLevel(inBatches(phi, 30), []string{"a", "v"}, ModalityOptions{Ratio: 0.2, Alpha: 1, Function: Linear, Budget: 0.5}, func(table, *Picks) error { return nil })
	if err != nil || s.Weight != 0 || s.Gap != 0 {
		t.Errorf("modality level: %+v, %v", s, err)
	}
}

func TestSmooth(t *testing.T) {
	nan := math.NaN()
	mean := []float64{1, nan, nan, 0.5}
	Smooth(mean, []float64{0, 2, nan, nan}, 0.25)
	if fmt.Sprint(mean) != "[0.75 2 NaN NaN]" {
		t.Errorf("got %v", mean)
	}
	for _, alpha := range []float64{0, -1, 1.01, nan} {
		if err := CheckAlpha(alpha); err == nil || !strings.Contains(err.Error(), "smooth") {
			t.Errorf("alpha %v: %v", alpha, err)
		}
	}
}

func TestNormalize(t *testing.T) {
	nan := math.NaN()
	phi := [][]float64{{0.5, 0.25, nan, -0.5}, {0.5, 0.5, 1, nan}}
	Normalize(phi, 1, true) // fair shares of one that are divided by two, by two, and not at all
	if fmt.Sprint(phi) != "[[1 0.5 NaN -0.5] [1 1 1 NaN]]" {
		t.Errorf("got %v", phi)
	}
	phi = [][]float64{{3, nan}, {-1.5, 6}}
	Normalize(phi, 3, false)
	if fmt.Sprint(phi) != "[[1 NaN] [-0.5 2]]" {
		t.Errorf("got %v", phi)
	}
}
