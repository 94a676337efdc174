package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mmtools/pkg/metric"
)

const (
	matrixSide  = vg.Length(290) // of the cells' area, about
	scaleWidth  = vg.Length(74)  // the colour scale and its labels
	mostCounts  = 15             // classes with the counts written into the cells
	mostNames   = 34             // classes with every name on the axes; beyond, every few
	longestName = 18             // letters of a class name on the axes
)

// Confusion draws a confusion matrix as a heat map: a row a true class, from the top, coloured by the share of that
// class's samples, with the counts in the cells while they fit. Cells without a sample stay empty.
func Confusion(title string, m *metric.Confusion, classes []string) (*Figure, error) {
	if len(classes) != m.Classes() {
		return nil, fmt.Errorf("drawing confusion matrix: %d class names, want %d", len(classes), m.Classes())
	}
	f := &Figure{Title: title}
	f.height = f.frame() + matrixSide + 70
	f.Alt = fmt.Sprintf("Confusion matrix of %d classes over %d samples; %.1f %% on the diagonal.", m.Classes(), m.Total(), 100*m.Accuracy())
	f.paint = func(c draw.Canvas) {
		plt := newPlot("predicted class", "true class")
		names := shorten(classes)
		plt.X.Tick.Marker, plt.Y.Tick.Marker = classTicks(names, false), classTicks(names, true)
		plt.X.Min, plt.X.Max, plt.Y.Min, plt.Y.Max = -0.5, float64(len(classes))-0.5, -0.5, float64(len(classes))-0.5
		plt.X.Tick.Length, plt.X.LineStyle.Width, plt.X.Padding = 0, 0, 4 // turned labels reach up by a few points
		if len(classes) > mostCounts {
			upright(&plt.X)
			plt.X.Tick.Label.Font.Size, plt.Y.Tick.Label.Font.Size = noteSize-1, noteSize-1
		} else {
			fitLabels(&plt.X, names, matrixSide/vg.Length(len(classes)))
		}
		plt.Add(cells{m})
		body := c
		body.Max.X -= scaleWidth
		plt.Draw(body)
		area := plt.DataCanvas(body)
		drawScale(c, area.Max.X+14, area.Min.Y, area.Max.Y)
	}
	return f, nil
}

// upright turns the tick labels of a horizontal axis by a right angle: closer together, slanted ones would overlap.
func upright(a *plot.Axis) {
	a.Tick.Label.Rotation = math.Pi / 2
	a.Tick.Label.XAlign, a.Tick.Label.YAlign = draw.XRight, draw.YCenter
}

// shorten cuts long names, with an ellipsis.
func shorten(names []string) []string {
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = n
		if r := []rune(n); len(r) > longestName {
			short[i] = string(r[:longestName-1]) + "…"
		}
	}
	return short
}

func classTicks(names []string, fromTop bool) plot.ConstantTicks {
	every := (len(names) + mostNames - 1) / mostNames
	var ticks plot.ConstantTicks
	for i := 0; i < len(names); i += every {
		at := i
		if fromTop {
			at = len(names) - 1 - i
		}
		ticks = append(ticks, plot.Tick{Value: float64(at), Label: names[i]})
	}
	return ticks
}

// shade is the colour of a share in 0..1: one hue, the more opaque the larger the share, so that it reads with any colour
// vision and in grey, and stands out more with the share on light paper and on dark.
func shade(share float64) color.NRGBA {
	c := palette[0]
	c.A = uint8(math.Round(255 * (0.08 + 0.92*share)))
	return c
}

// fullFrom is the share from which a cell's text is light: there light and dark text stand out alike on white paper.
const fullFrom = 0.82

// cells draws the matrix.
type cells struct{ m *metric.Confusion }

// Plot implements plot.Plotter.
func (h cells) Plot(c draw.Canvas, plt *plot.Plot) {
	x, y := plt.Transforms(&c)
	n := h.m.Classes()
	gap := vg.Length(0.5)
	if n > mostCounts {
		gap = 0.1
	}
	number := textStyle(tickSize, ink, 0)
	number.XAlign, number.YAlign = draw.XCenter, draw.YCenter
	for label := range n {
		labelled := h.m.Labelled(label)
		row := float64(n - 1 - label)
		for prediction := range n {
			count := h.m.At(label, prediction)
			if count == 0 {
				continue
			}
			share := float64(count) / float64(labelled)
			col := float64(prediction)
			fillBox(c, shade(share), x(col-0.5)+gap, y(row-0.5)+gap, x(col+0.5)-gap, y(row+0.5)-gap)
			number.Color = ink
			if share > fullFrom {
				number.Color = onFull
			}
			text := strconv.FormatInt(count, 10)
			if n <= mostCounts && number.Width(text) < x(1)-x(0)-2 {
				c.FillText(number, vg.Point{X: x(col), Y: y(row)}, text)
			}
		}
	}
	frame := draw.LineStyle{Color: rule, Width: 0.75}
	c.StrokeLines(frame, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}, c.Min})
}

// drawScale draws the colour scale with its lower left corner at (left, bottom).
func drawScale(c draw.Canvas, left, bottom, top vg.Length) {
	const bands, width = 10, vg.Length(10)
	height := min(top-bottom, 160)
	bottom = top - height
	for i := range bands {
		y := bottom + height*vg.Length(i)/bands
		fillBox(c, shade((float64(i)+0.5)/bands), left, y, left+width, y+height/bands-0.75)
	}
	tick := textStyle(tickSize, muted, 0)
	tick.YAlign = draw.YCenter
	for _, percent := range []int{0, 50, 100} {
		c.FillText(tick, vg.Point{X: left + width + 4, Y: bottom + height*vg.Length(percent)/100}, strconv.Itoa(percent))
	}
	label := textStyle(labelSize, ink, 0)
	label.Rotation = math.Pi / 2
	label.XAlign, label.YAlign = draw.XCenter, draw.YTop
	c.FillText(label, vg.Point{X: left + width + 26, Y: bottom + height/2}, "share of the true class (%)")
}
