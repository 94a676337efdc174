package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mmtools/pkg/metric"
)

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]Format{"a.svg": SVG, "b/c.PNG": PNG} {
		if got, err := FormatOf(path); got != want || err != nil {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
	if _, err := FormatOf("figure.pdf"); err == nil || !strings.Contains(err.Error(), ".svg or .png") {
		t.Errorf("figure.pdf: got %v", err)
	}
}

// pixels counts those of a colour.
func pixels(t *testing.T, f *Figure, c color.NRGBA) int {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	rgba, ok := img.(*image.RGBA)
	if !ok {
		t.Fatalf("the PNG is a %T", img)
	}
	count := 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if p := rgba.RGBAAt(x, y); p.R == c.R && p.G == c.G && p.B == c.B {
				count++
			}
		}
	}
	return count
}

// A bar of twice the accuracy has twice the area, less the swatch of the legend, which both have.
func TestAccuracyBarsAreProportional(t *testing.T) {
	f, err := Accuracy("", []string{"all", "audio"}, []Method{
		{"one", [][]float64{{0.8}, {0.8}}},
		{"two", [][]float64{{0.4}, {0.4, 0.4, math.NaN()}}},
		{"three", [][]float64{nil, {math.NaN()}}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	swatches := pixels(t, f, palette[2]) // the third has no bar
	one, two := pixels(t, f, palette[0])-swatches, pixels(t, f, palette[1])-swatches
	if swatches == 0 || swatches > 400 || math.Abs(float64(one)/float64(two)-2) > 0.05 {
		t.Errorf("areas %d and %d, swatch %d: want 2 to 1", one, two, swatches)
	}
	if !strings.Contains(f.Alt, "two, audio: 40.0 ± 0.0 %") || !strings.Contains(f.Alt, "three, all: unknown") {
		t.Errorf("described as %s", f.Alt)
	}
}

// Two panels of three quarters and one quarter: the areas of the bars are as the shares, whatever the panel.
func TestContributionBarsAreProportional(t *testing.T) {
	a, b := NewHistogram("a", []string{"x", "y"}), NewHistogram("b", []string{"x", "y"})
	for i := range 100 {
		a.Add(i%2, 1.5)
		if i < 50 {
			b.Add(0, 0.5) // one panel only
		}
	}
	f, err := Contributions("", []*Histogram{a, b})
	if err != nil {
		t.Fatal(err)
	}
	// Each panel with samples has a pointer too, small against the bars.
	if ratio := float64(pixels(t, f, palette[0])) / float64(pixels(t, f, palette[1])); math.Abs(ratio-2) > 0.06 {
		t.Errorf("areas are %g to 1, want 2 to 1", ratio)
	}
}

// The fair share is marked where it is 1.
func TestFairShareIsMarked(t *testing.T) {
	draw := func(runs ...*Histogram) string {
		f, err := Contributions("", runs)
		if err != nil {
			t.Fatal(err)
		}
		var svg bytes.Buffer
		if err := f.Write(&svg, SVG); err != nil {
			t.Fatal(err)
		}
		return svg.String()
	}
	// In the legend and on the axis; and a dashed line there and in each panel.
	of := NewHistogram("a", []string{"x", "y"})
	if text := draw(of, of); strings.Count(text, "fair share") != 2 || strings.Count(text, "stroke-dasharray") != 3 {
		t.Errorf("the fair share is not marked: %s", text)
	}
	of = NewHistogramOver("a", []string{"x", "y"}, -3, 3)
	if text := draw(of); strings.Contains(text, "fair share") || strings.Contains(text, "stroke-dasharray") {
		t.Errorf("a fair share of 1 is marked in a figure of other values: %s", text)
	}
}

func TestFiguresRefuseWhatDoesNotFit(t *testing.T) {
	for _, row := range []struct {
		name string
		draw func() (*Figure, error)
		want string
	}{
		{"no run", func() (*Figure, error) { return Contributions("", nil) }, "no run"},
		{"other modalities", func() (*Figure, error) {
			return Contributions("", []*Histogram{NewHistogram("a", []string{"x"}), NewHistogram("b", []string{"y"})})
		}, `run "b" has modalities y, run "a" x`},
		{"other bins", func() (*Figure, error) {
			return Contributions("", []*Histogram{NewHistogram("a", []string{"x"}), NewHistogramOver("b", []string{"x"}, 0, 1)})
		}, `run "b" has other bins than run "a"`},
		{"groups", func() (*Figure, error) {
			return Accuracy("", []string{"all"}, []Method{{"m", nil}}, 0)
		}, `method "m" has 0 groups, want 1`},
		{"classes", func() (*Figure, error) { return Confusion("", metric.NewConfusion(2), []string{"a"}) }, "1 class names, want 2"},
	} {
		if _, err := row.draw(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}

// Every value that phi can have lies in a bin, within half a width of its centre; for up to three modalities it is the
// centre. The shares of the bins are those of the values and sum to 100 %.
func TestHistogramBinsEveryContribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		factorial := 1
		for k := 2; k <= n; k++ {
			factorial *= k
		}
		h := NewHistogram("run", make([]string, n))
		var sum float64
		rows := rapid.IntRange(1, 50).Draw(t, "rows")
		for range rows {
			// phi = -(n-1)/2 + k/n! up to (n+1)/2; for two modalities and three the steps are 1/2 and 1/6
			phi := -float64(n-1)/2 + float64(rapid.IntRange(0, n*factorial).Draw(t, "k"))/float64(factorial)
			h.Add(0, phi)
			sum += phi
			bin := int(math.Round((phi-h.origin)/h.width)) - h.first
			if bin < 0 || bin >= len(h.counts[0]) || math.Abs(h.centre(bin)-phi) > h.width/2+1e-9 {
				t.Fatalf("n=%d: %g is in no bin", n, phi)
			}
			if (n == 2 || n == 3) && math.Abs(h.centre(bin)-phi) > 1e-9 {
				t.Fatalf("n=%d: %g is not the centre of its bin %g", n, phi, h.centre(bin))
			}
		}
		h.Add(0, math.NaN())
		var shares float64
		for k := range h.counts[0] {
			shares += h.share(0, k)
		}
		if math.Abs(shares-100) > 1e-9 || math.Abs(h.mean(0)-sum/float64(rows)) > 1e-9 {
			t.Fatalf("shares sum to %g, mean %g", shares, h.mean(0))
		}
	})
}

// Bins over a range hold what lies in it, each in the one that it lies in, and tell of what lies beyond; a tally counts as its values do.
func TestHistogramOverARange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-50, 50).Draw(t, "low")
		high := low + rapid.Float64Range(1e-3, 100).Draw(t, "length")
		values := rapid.SliceOfN(rapid.Float64Range(low, high), 1, 40).Draw(t, "values")
		one, all := NewHistogramOver("one", []string{"x"}, low, high), NewHistogramOver("all", []string{"x"}, low, high)
		var tally metric.Tally
		for _, v := range values {
			one.Add(0, v)
			tally.Add(v)
		}
		all.AddTally(0, &tally)
		if bins := len(one.counts[0]); bins > mostBins+2 || !one.like(all) || one.beyond || all.beyond {
			t.Fatalf("%d bins, beyond %v and %v", bins, one.beyond, all.beyond)
		}
		if !slices.Equal(one.counts[0], all.counts[0]) || math.Abs(one.mean(0)-all.mean(0)) > 1e-9 {
			t.Fatalf("counted %v one by one, %v in all", one.counts[0], all.counts[0])
		}
		var count int64
		for k, n := range one.counts[0] {
			near := 0
			for _, v := range values {
				if math.Abs(v-one.centre(k)) < one.width/2*(1-1e-6) {
					near++
				}
			}
			if count += n; n < int64(near) {
				t.Fatalf("%d in bin %d, of %d that lie in it", n, k, near)
			}
		}
		if count != int64(len(values)) {
			t.Fatalf("%d of %d", count, len(values))
		}
		one.Add(0, high+1+high-low)
		if !one.beyond {
			t.Fatal("what lies beyond is not told")
		}
	})
}

// Ticks cover the range, evenly, by a step of 1, 2 or 5 times a power of ten, and not too many.
func TestNiceTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e4, 1e4).Draw(t, "low")
		high := low + rapid.Float64Range(1e-3, 1e4).Draw(t, "length")
		most := rapid.IntRange(3, 10).Draw(t, "most")
		ticks := niceTicks(low, high, most)
		last := ticks[len(ticks)-1].Value
		step := (last - ticks[0].Value) / float64(len(ticks)-1)
		slack := 1e-6 * step
		if ticks[0].Value > low+slack || last < high-slack || ticks[0].Value < low-step-slack || last > high+step+slack || len(ticks) > most+3 {
			t.Fatalf("%d ticks from %g to %g for %g to %g", len(ticks), ticks[0].Value, last, low, high)
		}
		mantissa := step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))
		if r := math.Round(mantissa); math.Abs(mantissa-r) > 1e-6 || r != 1 && r != 2 && r != 5 {
			t.Fatalf("step %g", step)
		}
	})
	if got := niceTicks(-0.5, 0.5, 2)[0].Label; got != "−0.5" {
		t.Errorf("label %q, want a true minus sign", got)
	}
}
