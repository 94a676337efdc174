package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mmtools/pkg/metric"
)

// Method is one series of an accuracy figure: Values[g] holds the accuracies of group g, in 0..1, one a seed. A group
// without a value (or with NaN alone) has no bar.
type Method struct {
	Name   string
	Values [][]float64
}

// Accuracy draws grouped bars: the groups (all modalities, each alone) along the axis, a bar a method, and where there
// are several seeds the standard deviation as an error bar. chance, in 0..1, is drawn as a line when it is positive.
func Accuracy(title string, groups []string, methods []Method, chance float64) (*Figure, error) {
	if len(groups) == 0 || len(methods) == 0 {
		return nil, fmt.Errorf("drawing accuracies: no group or no method")
	}
	b := &groupedBars{chance: 100 * chance}
	f := &Figure{Title: title}
	several := false
	for i, m := range methods {
		if len(m.Values) != len(groups) {
			return nil, fmt.Errorf("drawing accuracies: method %q has %d groups, want %d", m.Name, len(m.Values), len(groups))
		}
		row := make([]bar, len(groups))
		for g, values := range m.Values {
			row[g] = newBar(values)
			several = several || row[g].seeds > 1
		}
		b.bars = append(b.bars, row)
		f.legend = append(f.legend, entry{name: m.Name, mark: swatch, color: seriesColor(i)})
	}
	if chance > 0 {
		f.legend = append(f.legend, entry{name: "chance", mark: dashed})
	}
	label := "accuracy (%)"
	if several {
		label = "accuracy (%), mean ± deviation"
	}
	f.height = f.frame() + 220
	f.Alt = accuracyAlt(groups, methods, b.bars)
	f.paint = func(c draw.Canvas) {
		plt := newPlot("", label)
		span(&plt.Y, niceTicks(0, 100, 5))
		plt.X.Min, plt.X.Max = -0.5, float64(len(groups))-0.5
		ticks := make([]plot.Tick, len(groups))
		for g, name := range groups {
			ticks[g] = plot.Tick{Value: float64(g), Label: name}
		}
		plt.X.Tick.Marker = plot.ConstantTicks(ticks)
		fitLabels(&plt.X, groups, (c.Max.X-c.Min.X-40)/vg.Length(len(groups)))
		addGrid(plt)
		plt.Add(b)
		plt.Draw(c)
	}
	return f, nil
}

// fitLabels slants the tick labels of a horizontal axis when one is wider than its slot.
func fitLabels(a *plot.Axis, labels []string, slot vg.Length) {
	for _, l := range labels {
		if a.Tick.Label.Width(l) > slot-4 {
			a.Tick.Label.Rotation = math.Pi / 5
			a.Tick.Label.XAlign, a.Tick.Label.YAlign = draw.XRight, draw.YTop
			return
		}
	}
}

// bar is a mean and a deviation in percent over some seeds.
type bar struct {
	mean, deviation float64
	seeds           int
}

func newBar(values []float64) bar {
	var known []float64
	for _, v := range values {
		if !math.IsNaN(v) {
			known = append(known, 100*v)
		}
	}
	mean, deviation := metric.MeanDeviation(known)
	return bar{mean, deviation, len(known)}
}

func (b bar) String() string {
	switch b.seeds {
	case 0:
		return "unknown"
	case 1:
		return fmt.Sprintf("%.1f %%", b.mean)
	default:
		return fmt.Sprintf("%.1f ± %.1f %%", b.mean, b.deviation)
	}
}

// groupedBars draws bars[method][group].
type groupedBars struct {
	bars   [][]bar
	chance float64 // percent
}

// Plot implements plot.Plotter.
func (b *groupedBars) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	slot := min(0.8/float64(len(b.bars)), 0.3) // of a group's width; a lone method's bars do not fill the group
	note := textStyle(noteSize, ink, 0)
	note.XAlign = draw.XCenter
	for i, row := range b.bars {
		for g, bar := range row {
			if bar.seeds == 0 {
				continue
			}
			left := float64(g) + (float64(i)-float64(len(b.bars))/2)*slot
			x0, x1 := x(left)+0.75, x(left+slot)-0.75
			fillBox(c, seriesColor(i), x0, y(0), x1, y(bar.mean))
			top := y(bar.mean)
			if bar.seeds > 1 {
				top = max(top, b.errorBar(c, (x0+x1)/2, y(max(bar.mean-bar.deviation, 0)), y(min(bar.mean+bar.deviation, 100))))
			}
			number := strconv.FormatFloat(bar.mean, 'f', 1, 64)
			if width := note.Width(number); width <= x1-x0+2 {
				middle := (x0 + x1) / 2
				fillBox(c, paper, middle-width/2, top+1, middle+width/2, top+noteSize+1) // no grid line through the digits
				c.FillText(note, vg.Point{X: middle, Y: top + 2}, number)
			}
		}
	}
	if b.chance > 0 {
		c.StrokeLine2(reference, c.Min.X, y(b.chance), c.Max.X, y(b.chance))
	}
}

// errorBar draws a bar with caps and returns its upper end.
func (b *groupedBars) errorBar(c draw.Canvas, x, low, high vg.Length) vg.Length {
	line := draw.LineStyle{Color: ink, Width: 1}
	c.StrokeLine2(line, x, low, x, high)
	c.StrokeLine2(line, x-2.5, low, x+2.5, low)
	c.StrokeLine2(line, x-2.5, high, x+2.5, high)
	return high
}

// GlyphBoxes implements plot.GlyphBoxer: room for the number above a bar of 100 %.
func (b *groupedBars) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	return []plot.GlyphBox{{X: 0.5, Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: 1, Y: noteSize + 4}}}}
}

func accuracyAlt(groups []string, methods []Method, bars [][]bar) string {
	var parts []string
	for i, m := range methods {
		for g, name := range groups {
			parts = append(parts, fmt.Sprintf("%s, %s: %s", m.Name, name, bars[i][g]))
		}
	}
	return "Accuracy by method. " + strings.Join(parts, "; ") + "."
}
