package report

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	panelHeight  = vg.Length(118)
	panelHeading = vg.Length(16)
	// mostBars is how many bars of all runs fit side by side in a panel; more are drawn as steps.
	mostBars = 24
)

// phiLabel is the label of the axis.
func phiLabel(shared, beyond bool) string {
	var about []string
	if shared {
		about = append(about, "1 = fair share")
	}
	if beyond {
		about = append(about, "what lies beyond is in the outermost bins")
	}
	if about == nil {
		return "contribution φ"
	}
	return "contribution φ (" + strings.Join(about, "; ") + ")"
}

// Contributions draws the distribution of the contributions, one panel a modality below one another, the runs (such as
// before and after) over one another: bars where there are few bins, steps otherwise. The mean of each is marked, and the fair share of 1
// where the bins are those of the published value.
// All runs must have the same modalities in the same order, and the same bins.
func Contributions(title string, runs []*Histogram) (*Figure, error) {
	if len(runs) == 0 || len(runs[0].Modalities) == 0 {
		return nil, fmt.Errorf("drawing contributions: no run or no modality")
	}
	f := &Figure{Title: title}
	steps := len(runs)*len(runs[0].counts[0]) > mostBars
	highest := 0.0
	for i, r := range runs {
		if strings.Join(r.Modalities, "+") != strings.Join(runs[0].Modalities, "+") {
			return nil, fmt.Errorf("drawing contributions: run %q has modalities %s, run %q %s",
				r.Name, strings.Join(r.Modalities, ", "), runs[0].Name, strings.Join(runs[0].Modalities, ", "))
		}
		if !r.like(runs[0]) {
			return nil, fmt.Errorf("drawing contributions: run %q has other bins than run %q", r.Name, runs[0].Name)
		}
		e := entry{name: r.Name, mark: swatch, color: seriesColor(i)}
		if steps {
			e.mark, e.dash = stroke, dashes[i%len(dashes)]
		}
		f.legend = append(f.legend, e)
		for p := range r.counts {
			for k := range r.counts[p] {
				highest = max(highest, r.share(p, k))
			}
		}
	}
	f.legend = append(f.legend, entry{name: "mean", mark: pointer, color: muted})
	shared := runs[0].shared // of like bins
	x := phiLabel(shared, slices.ContainsFunc(runs, func(h *Histogram) bool { return h.beyond }))
	if shared {
		f.legend = append(f.legend, entry{name: "fair share", mark: dashed})
	}
	modalities := runs[0].Modalities
	ticks := niceTicks(0, max(highest, 1)*1.08, 4) // the headroom is for the pointers of the means
	label := newPlot(x, "").X.Label
	// Only the lowest panel has the axis label; it is taller by that.
	f.height = f.frame() + vg.Length(len(modalities))*panelHeight + label.TextStyle.Height(label.Text) + label.Padding
	f.Alt = contributionsAlt(runs)
	f.paint = func(c draw.Canvas) {
		for p, name := range modalities {
			panel := c
			panel.Max.Y = c.Max.Y - vg.Length(p)*panelHeight
			panel.Min.Y = panel.Max.Y - panelHeight
			under := ""
			if p == len(modalities)-1 {
				panel.Min.Y, under = c.Min.Y, x
			}
			c.FillText(textStyle(labelSize, ink, font.WeightBold), vg.Point{X: panel.Min.X, Y: panel.Max.Y - 12}, name)
			panel.Max.Y -= panelHeading
			panelPlot(histograms{runs, p, steps, shared}, under, ticks).Draw(panel)
		}
	}
	return f, nil
}

func panelPlot(h histograms, x string, ticks []plot.Tick) *plot.Plot {
	runs := h.runs
	plt := newPlot(x, "samples (%)")
	span(&plt.Y, ticks)
	bins := len(runs[0].counts[h.modality])
	low, high := runs[0].centre(0)-runs[0].width/2, runs[0].centre(bins-1)+runs[0].width/2
	if h.shared && bins <= 12 {
		var centres []plot.Tick
		for k := range bins {
			centres = append(centres, plot.Tick{Value: runs[0].centre(k), Label: number(runs[0].centre(k), -1)})
		}
		plt.X.Tick.Marker = plot.ConstantTicks(centres)
	} else {
		plt.X.Tick.Marker = plot.ConstantTicks(inside(niceTicks(low, high, 8), low, high))
	}
	plt.X.Min, plt.X.Max = low, high
	addGrid(plt)
	plt.Add(h)
	return plt
}

func inside(ticks []plot.Tick, low, high float64) []plot.Tick {
	var kept []plot.Tick
	for _, t := range ticks {
		if t.Value >= low && t.Value <= high {
			kept = append(kept, t)
		}
	}
	return kept
}

// histograms draws one modality of every run.
type histograms struct {
	runs     []*Histogram
	modality int
	steps    bool
	shared   bool // 1 is the fair share
}

// Plot implements plot.Plotter.
func (h histograms) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	if h.shared {
		c.StrokeLine2(reference, x(1), c.Min.Y, x(1), c.Max.Y)
	}
	for i, r := range h.runs {
		if h.steps {
			h.strokeSteps(c, x, y, i)
		} else {
			h.fillBars(c, x, y, i)
		}
		if r.total[h.modality] > 0 {
			mean := min(max(r.mean(h.modality), plt.X.Min), plt.X.Max)
			fillPointer(c, seriesColor(i), vg.Point{X: x(mean), Y: c.Max.Y - 4})
		}
	}
}

func (h histograms) fillBars(c draw.Canvas, x, y func(float64) vg.Length, i int) {
	r := h.runs[i]
	slot := r.width * 0.8 / float64(len(h.runs)) // a fifth of the bin stays free between its neighbours
	for k := range r.counts[h.modality] {
		if share := r.share(h.modality, k); share > 0 {
			left := r.centre(k) - 0.4*r.width + float64(i)*slot
			fillBox(c, seriesColor(i), x(left)+0.5, y(0), x(left+slot)-0.5, y(share))
		}
	}
}

func (h histograms) strokeSteps(c draw.Canvas, x, y func(float64) vg.Length, i int) {
	r := h.runs[i]
	outline := []vg.Point{{X: x(r.centre(0) - r.width/2), Y: y(0)}}
	for k := range r.counts[h.modality] {
		height := y(r.share(h.modality, k))
		outline = append(outline, vg.Point{X: x(r.centre(k) - r.width/2), Y: height}, vg.Point{X: x(r.centre(k) + r.width/2), Y: height})
	}
	outline = append(outline, vg.Point{X: outline[len(outline)-1].X, Y: y(0)})
	shade := seriesColor(i)
	shade.A = 0x28
	c.FillPolygon(shade, outline)
	c.StrokeLines(draw.LineStyle{Color: seriesColor(i), Width: 1.5, Dashes: dashes[i%len(dashes)]}, outline)
}

func contributionsAlt(runs []*Histogram) string {
	var parts []string
	for _, r := range runs {
		for p, m := range r.Modalities {
			parts = append(parts, fmt.Sprintf("%s, %s: mean %.3f over %d samples", r.Name, m, r.mean(p), r.total[p]))
		}
	}
	return "Distribution of the contributions. " + strings.Join(parts, "; ") + "."
}
