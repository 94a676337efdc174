package resample

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mmtools/pkg/modality"
)

// table is a Batch in memory: phi[p][row], from is the position of its first row.
type table struct {
	phi  [][]float64
	from int
}

func (t table) Rows() int           { return len(t.phi[0]) }
func (t table) Phi(p int) []float64 { return t.phi[p] }
func (t table) Label(row int) int32 { return int32((t.from + row) % 3) }

// inBatches brings phi in batches of size rows.
func inBatches(phi [][]float64, size int) Pass[table] {
	return func(visit func(table) error) error {
		for from := 0; from < len(phi[0]); from += size {
			b := table{from: from}
			for _, column := range phi {
				b.phi = append(b.phi, column[from:min(from+size, len(column))])
			}
			if err := visit(b); err != nil {
				return err
			}
		}
		return nil
	}
}

type planRow struct {
	row  int
	keep modality.Coalition
}

// collect returns an Emit that appends to rows.
func collect(rows *[]planRow) Emit[table] {
	return func(b table, picks *Picks) error {
		for k, index := range picks.Index {
			*rows = append(*rows, planRow{b.from + int(index), picks.Keep[k]})
		}
		return nil
	}
}

// TestSampleLevelTable holds the two-modality table of docs/design.md.
func TestSampleLevelTable(t *testing.T) {
	for _, row := range []struct{ phiA, phiV, a, v float64 }{
		{1, 1, 0, 0}, {1.5, 0.5, 0, 1}, {0, 0, 2, 2}, {0.5, -0.5, 1, 3},
	} {
		var got []planRow
		summary, err := SampleLevel(inBatches([][]float64{{row.phiA}, {row.phiV}}, 1), []string{"a", "v"}, SampleOptions{Strength: 1}, collect(&got))
		if err != nil {
			t.Fatal(err)
		}
		want := []planRow{{0, 0b11}}
		want = append(want, slices.Repeat([]planRow{{0, 0b01}}, int(row.a))...)
		want = append(want, slices.Repeat([]planRow{{0, 0b10}}, int(row.v))...)
		if !slices.Equal(got, want) {
			t.Errorf("phi %v, %v: got %v, want %v", row.phiA, row.phiV, got, want)
		}
		if summary.Samples != 1 || summary.Copies[0] != int64(row.a) || summary.Copies[1] != int64(row.v) {
			t.Errorf("phi %v, %v: summary %+v", row.phiA, row.phiV, summary)
		}
	}
}

func TestCopies(t *testing.T) {
	for _, c := range []struct {
		n        int
		phi      float64
		strength float64
		want     int64
	}{
		{2, 0.41, 1, 1}, {2, 0.39, 1, 1}, {2, -0.09, 1, 2}, {2, -0.11, 1, 2}, // between the values that exact phi takes
		{3, 5. / 6, 1, 1},       // 3/6 rounds up to 1
		{3, 1. / 2, 1, 2},       // 3/2 rounds up to 2
		{3, 1. / 6, 1, 3},       // 5/2 rounds up to 3, though it is 2.4999... in floating point
		{3, 2. / 3, 1, 1},       // exactly 1
		{1, 0, 1, 1},            // one modality
		{2, 0.5, 0.1, 1},        // at least 1
		{2, 0.5, 2.5, 3},        // 2.5 rounds up
		{2, 1, 1000, 0},         // the fair share
		{2, 1 - 1e-12, 1000, 0}, // and what rounding makes of it
		{2, 1.5, 1, 0},
		{2, -1e300, 1e300, MaxCopies + 1},
	} {
		if got := Copies(c.n, c.phi, c.strength); got != c.want {
			t.Errorf("Copies(%d, %v, %v): got %d, want %d", c.n, c.phi, c.strength, got, c.want)
		}
	}
}

func TestMissingModality(t *testing.T) {
	nan := math.NaN()
	phi := [][]float64{{nan, 0.5, nan}, {0, nan, nan}, {1, 1.5, nan}}
	var got []planRow
	if _, err := SampleLevel(inBatches(phi, 2), []string{"a", "b", "c"}, SampleOptions{Strength: 1}, collect(&got)); err != nil {
		t.Fatal(err)
	}
	want := []planRow{ // n = 2 in rows 0 and 1
		{0, 0b110}, {0, 0b010}, {0, 0b010},
		{1, 0b101}, {1, 0b001},
		{2, 0},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNone(t *testing.T) {
	var got []planRow
	summary, err := None(inBatches([][]float64{{-0.5, 1.5}, {0.5, math.NaN()}}, 1), []string{"a", "v"}, collect(&got))
	if err != nil || summary.Samples != 2 || !slices.Equal(got, []planRow{{0, 0b11}, {1, 0b01}}) {
		t.Errorf("got %v, %+v, %v", got, summary, err)
	}
}

func TestBadContributions(t *testing.T) {
	names := []string{"audio", "video"}
	for _, c := range []struct {
		name string
		phi  float64
		want string
	}{
		{"infinite", math.Inf(-1), `row 2: contribution of modality "video": got -Inf, want a finite number`},
		{"runaway", -1e6, `row 2: contribution of modality "video": -1e+06 at strength 1 asks for more than 65536 copies`},
	} {
		phi := [][]float64{{1, 1, 1}, {1, 1, c.phi}}
		_, err := SampleLevel(inBatches(phi, 2), names, SampleOptions{Strength: 1}, collect(new([]planRow)))
		var row *RowError
		if !errors.As(err, &row) || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	phi := [][]float64{{1, 1, 1}, {1, 1, math.Inf(1)}}
	_, err := ModalityLevel(inBatches(phi, 2), names, ModalityOptions{Ratio: 1, Alpha: 1, Function: Linear}, collect(new([]planRow)))
	if err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("modality level: got %v", err)
	}
}

func TestValidate(t *testing.T) {
	ok := ModalityOptions{Ratio: 1, Alpha: 1, Function: Tanh}
	if err := ok.Validate(); err != nil {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"strength": SampleOptions{Strength: 0}.Validate(),
		"finite":   SampleOptions{Strength: math.Inf(1)}.Validate(),
		"NaN":      SampleOptions{Strength: math.NaN()}.Validate(),
		"ratio":    ModalityOptions{Ratio: 1.01, Alpha: 1, Function: Tanh}.Validate(),
		"ratio 0":  ModalityOptions{Ratio: 0, Alpha: 1, Function: Tanh}.Validate(),
		"alpha":    ModalityOptions{Ratio: 1, Alpha: -1, Function: Tanh}.Validate(),
		"function": ModalityOptions{Ratio: 1, Alpha: 1, Function: "cubic"}.Validate(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// TestSampleLevelLaws holds what every plan keeps: each sample whole exactly once, in order, only modalities that it
// has, and as many copies as the summary says, whatever the batches.
func TestSampleLevelLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		rows := rapid.IntRange(1, 40).Draw(t, "rows")
		phi, names := make([][]float64, n), make([]string, n)
		for p := range phi {
			names[p] = fmt.Sprint("m", p)
			phi[p] = make([]float64, rows)
			for r := range phi[p] {
				phi[p][r] = float64(rapid.IntRange(-12, 36).Draw(t, "phi")) / 12
				if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
					phi[p][r] = math.NaN()
				}
			}
		}
		strength := rapid.Float64Range(0.01, 4).Draw(t, "strength")
		var got, again []planRow
		summary, err := SampleLevel(inBatches(phi, rows), names, SampleOptions{Strength: strength}, collect(&got))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := SampleLevel(inBatches(phi, 3), names, SampleOptions{Strength: strength}, collect(&again)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, again) {
			t.Fatalf("batches change the plan: %v and %v", got, again)
		}
		next, copies := 0, make([]int64, n)
		for _, r := range got {
			if next == 0 || r.row == next { // a new sample begins with its whole row
				for p := range n {
					if r.keep.Has(p) == math.IsNaN(phi[p][r.row]) {
						t.Fatalf("row %d keeps %b", r.row, r.keep)
					}
				}
				next++
				continue
			}
			if r.row != next-1 || r.keep.Size() != 1 {
				t.Fatalf("copy %+v after row %d", r, next-1)
			}
			for p := range r.keep.Members() {
				if !(phi[p][r.row] < 1) {
					t.Fatalf("row %d: a copy of modality %d at %v", r.row, p, phi[p][r.row])
				}
				copies[p]++
			}
		}
		if next != rows || !slices.Equal(copies, summary.Copies) {
			t.Fatalf("%d samples of %d, copies %v, summary %v", next, rows, copies, summary.Copies)
		}
	})
}

// TestFlush brings one batch with more plan rows than are held at once.
func TestFlush(t *testing.T) {
	phi := [][]float64{slices.Repeat([]float64{0.5}, 3*flushAt)}
	emits, rows := 0, 0
	summary, err := SampleLevel(inBatches(phi, len(phi[0])), []string{"a"}, SampleOptions{Strength: 1}, func(_ table, picks *Picks) error {
		emits++
		rows += len(picks.Index)
		if len(picks.Index) > flushAt+1 {
			t.Errorf("%d rows at once", len(picks.Index))
		}
		return nil
	})
	if err != nil || emits != 6 || rows != 6*flushAt || summary.Copies[0] != 3*flushAt {
		t.Errorf("%d rows in %d pieces, %+v, %v", rows, emits, summary, err)
	}
	full := errors.New("full")
	if _, err := None(inBatches(phi, 10), []string{"a"}, func(table, *Picks) error { return full }); err != full {
		t.Errorf("got %v", err)
	}
}

func BenchmarkSampleLevel(b *testing.B) {
	benchmark(b, func(pass Pass[table], names []string, emit Emit[table]) error {
		_, err := SampleLevel(pass, names, SampleOptions{Strength: 1}, emit)
		return err
	})
}

func BenchmarkModalityLevel(b *testing.B) {
	benchmark(b, func(pass Pass[table], names []string, emit Emit[table]) error {
		_, err := ModalityLevel(pass, names, ModalityOptions{Ratio: 0.2, Alpha: 1, Function: Linear}, emit)
		return err
	})
}

func benchmark(b *testing.B, f func(Pass[table], []string, Emit[table]) error) {
	const rows = 1 << 16
	phi := make([][]float64, 2)
	for r := range rows {
		phi[0] = append(phi[0], []float64{1, 1.5, 0.5, 0}[r%4])
		phi[1] = append(phi[1], []float64{1, 0.5, -0.5, 0}[r%4])
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := f(inBatches(phi, 4096), []string{"a", "v"}, func(table, *Picks) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}
