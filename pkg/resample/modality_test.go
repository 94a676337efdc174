package resample

import (
	"math"
	"slices"
	"testing"
)

func TestShare(t *testing.T) {
	for _, c := range []struct {
		f                Function
		gap, alpha, want float64
	}{
		{Linear, 0.75, 1, 0.5},
		{Linear, 0.75, 2, 1},
		{Tanh, 0.75, 1, 0.46211715726000975}, // tanh(1/2)
		{Power, 0.375, 1, 0.125},             // (1/4)^1.5
		{Linear, 0, 1, 0}, {Tanh, 0, 1, 0}, {Power, 0, 1, 0},
	} {
		if got := c.f.Share(c.gap, c.alpha); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s(%v, %v): got %v, want %v", c.f, c.gap, c.alpha, got, c.want)
		}
	}
}

func TestWeakest(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		means  []float64
		lowest int
		gap    float64
	}{
		{[]float64{1.5, 0.5}, 1, 1},
		{[]float64{1, 1}, 0, 0}, // the first of equals
		{[]float64{1, 0.25, 2, 0.25}, 1, 1.75},
		{[]float64{nan, 0.5, 0.25}, 2, 0.25},
		{[]float64{nan, 0.5}, -1, 0},
		{[]float64{0.5}, -1, 0},
	} {
		if lowest, gap := weakest(c.means); lowest != c.lowest || gap != c.gap {
			t.Errorf("%v: got %d, %v, want %d, %v", c.means, lowest, gap, c.lowest, c.gap)
		}
	}
}

// TestModalityLevel has contributions that do not vary, so that the subset's means are known whatever is drawn.
func TestModalityLevel(t *testing.T) {
	const rows = 1000
	phi := [][]float64{slices.Repeat([]float64{1.25}, rows), slices.Repeat([]float64{0.5}, rows)}
	options := ModalityOptions{Ratio: 0.2, Alpha: 1, Function: Linear, Seed: 7, Epoch: 6}
	plan := func(o ModalityOptions, batch int) ([]planRow, Summary) {
		var got []planRow
		summary, err := ModalityLevel(inBatches(phi, batch), []string{"a", "v"}, o, collect(&got))
		if err != nil {
			t.Fatal(err)
		}
		return got, summary
	}
	got, summary := plan(options, 64)
	if summary.Lowest != 1 || summary.Gap != 0.75 || summary.Samples != rows || !slices.Equal(summary.Means, []float64{1.25, 0.5}) {
		t.Errorf("summary %+v", summary)
	}
	if want := []int64{0, 500}; !slices.Equal(summary.Copies, want) { // 2·0.75/3·1000
		t.Errorf("copies %v, want %v", summary.Copies, want)
	}
	if len(got) != rows+500 {
		t.Errorf("%d rows", len(got))
	}
	whole := 0
	for _, r := range got {
		if r.keep == 0b11 {
			if r.row != whole {
				t.Fatalf("row %d whole out of order", r.row)
			}
			whole++
		} else if r.keep != 0b10 || r.row != whole-1 {
			t.Fatalf("copy %+v after row %d", r, whole-1)
		}
	}
	if whole != rows {
		t.Errorf("%d whole rows", whole)
	}

	if again, _ := plan(options, 1000); !slices.Equal(got, again) {
		t.Error("batches change the plan")
	}
	options.Epoch = 7
	if other, _ := plan(options, 64); slices.Equal(got, other) {
		t.Error("the epoch does not change the plan")
	}
	options.Epoch, options.Seed = 6, 8
	if other, _ := plan(options, 64); slices.Equal(got, other) {
		t.Error("the seed does not change the plan")
	}
}

// TestModalityLevelMissing: the lowest modality is missing in every other sample, which then gets no copies.
func TestModalityLevelMissing(t *testing.T) {
	const rows = 400
	phi := [][]float64{make([]float64, rows), make([]float64, rows)}
	for r := range rows {
		phi[0][r], phi[1][r] = 1, 0.25
		if r%2 == 1 {
			phi[0][r], phi[1][r] = 0.5, math.NaN()
		}
	}
	var got []planRow
	summary, err := ModalityLevel(inBatches(phi, 64), []string{"a", "v"}, ModalityOptions{Ratio: 1, Alpha: 1, Function: Linear}, collect(&got))
	if err != nil {
		t.Fatal(err)
	}
	if summary.Means[1] != 0.25 || summary.Lowest != 1 {
		t.Errorf("summary %+v", summary)
	}
	want := int64(2 * summary.Gap / 3 * rows)
	if summary.Copies[1] != want || len(got) != rows+int(want) {
		t.Errorf("copies %v of %d, want %d", summary.Copies, len(got), want)
	}
	for _, r := range got {
		if r.keep == 0b10 && r.row%2 == 1 {
			t.Fatalf("row %d lacks the modality that it keeps", r.row)
		}
	}
}

func TestModalityLevelEdges(t *testing.T) {
	options := ModalityOptions{Ratio: 0.2, Alpha: 1, Function: Power}
	none := func(visit func(table) error) error { return nil }
	if summary, err := ModalityLevel(none, []string{"a", "v"}, options, collect(new([]planRow))); err != nil || summary.Samples != 0 {
		t.Errorf("no rows: %+v, %v", summary, err)
	}
	var got []planRow // one row: the subset is that row
	summary, err := ModalityLevel(inBatches([][]float64{{2}, {0.5}}, 1), []string{"a", "v"}, options, collect(&got))
	if err != nil || !slices.Equal(got, []planRow{{0, 0b11}, {0, 0b10}}) { // (2·1.5/3)^1.5 = 1
		t.Errorf("one row: %v, %+v, %v", got, summary, err)
	}
	calls := 0
	shrinking := func(visit func(table) error) error {
		calls++
		ones := []float64{1, 1, 1}[:4-calls]
		return inBatches([][]float64{ones, make([]float64, len(ones))}, 5)(visit)
	}
	if _, err := ModalityLevel(shrinking, []string{"a", "v"}, options, collect(new([]planRow))); err == nil {
		t.Error("passes of different lengths are no error")
	}
	options.Alpha = 1e9
	if _, err := ModalityLevel(inBatches([][]float64{{2}, {0.5}}, 1), []string{"a", "v"}, options, collect(&got)); err == nil {
		t.Error("a plan without end is no error")
	}
}

// TestModalityLevelDraws: the extra rows are draws with replacement, so that over seeds how often a row comes twice, thrice, ... is
// binomial, as of the published code's choice of indices; and a seed gives the same ones again.
func TestModalityLevelDraws(t *testing.T) {
	const rows, seeds = 30, 3000
	phi := [][]float64{slices.Repeat([]float64{1.25}, rows), slices.Repeat([]float64{0.5}, rows)}
	counts := make([]int64, 16)      // by how often a row came
	byRow := make([]int64, rows)     // draws of each row
	uniform := make([]float64, rows) // their probabilities
	for seed := range uint64(seeds) {
		var got, again []planRow
		for _, into := range []*[]planRow{&got, &again} {
			o := ModalityOptions{Ratio: 0.2, Alpha: 1, Function: Linear, Seed: seed}
			if _, err := ModalityLevel(inBatches(phi, 7), []string{"a", "v"}, o, collect(into)); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, again) {
			t.Fatalf("seed %d: two plans", seed)
		}
		times := make([]int64, rows)
		for _, r := range got {
			if r.keep == 0b10 {
				times[r.row]++
				byRow[r.row]++
			}
		}
		counts[times[seed%rows]]++ // one row a seed: rows of one plan depend on each other
	}
	for r := range uniform {
		uniform[r] = 1. / rows
	}
	if z := chiSquare(byRow, uniform, seeds*15); math.Abs(z) > 4 {
		t.Errorf("rows: chi-square is %.1f deviations off", z)
	}
	if z := chiSquare(counts, binomialProbabilities(15, 1./rows), seeds); math.Abs(z) > 4 { // 2·0.75/3·30 draws
		t.Errorf("times: chi-square is %.1f deviations off", z)
	}
}

// TestSubsetMean: over seeds, the subset's mean is unbiased and has the variance of draws with replacement.
func TestSubsetMean(t *testing.T) {
	const rows, ratio, seeds = 200, 0.25, 2000
	phi := [][]float64{make([]float64, rows), make([]float64, rows)}
	mean, variance := 0.0, 0.0
	for r := range rows {
		phi[0][r] = math.Sin(float64(r * r)) // any values
		mean += phi[0][r] / rows
	}
	for _, x := range phi[0] {
		variance += (x - mean) * (x - mean) / rows
	}
	variance /= rows * ratio // of the mean of rows·ratio draws
	sum, squares := 0.0, 0.0
	for seed := range uint64(seeds) {
		o := ModalityOptions{Ratio: ratio, Alpha: 1, Function: Linear, Seed: seed}
		summary, err := ModalityLevel(inBatches(phi, 64), []string{"a", "v"}, o, func(table, *Picks) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		d := summary.Means[0] - mean
		sum += d
		squares += d * d
	}
	if z := sum / math.Sqrt(variance*seeds); math.Abs(z) > 4 {
		t.Errorf("the mean is off by %.1f standard errors", z)
	}
	if got := squares / seeds / variance; math.Abs(got-1) > 4*math.Sqrt(2./seeds) {
		t.Errorf("variance is %.3f of what it should be", got)
	}
}
