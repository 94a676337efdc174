package report

import (
	"image/color"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The neutral colours. Each is used for its own purpose only and is pure white or black in none but paper, because an
// inlined SVG swaps them by value for the page's own (see neutrals).
var (
	paper = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF} // behind everything
	ink   = color.NRGBA{0x1F, 0x29, 0x33, 0xFF} // titles and labels
	muted = color.NRGBA{0x5F, 0x6B, 0x77, 0xFF} // tick labels, notes, reference lines
	rule  = color.NRGBA{0xDD, 0xE2, 0xE7, 0xFF} // grid lines

	onFull = color.NRGBA{0xFA, 0xFC, 0xFD, 0xFF} // text on a cell of full colour, on any page
)

// neutrals maps the neutral colours, as vgsvg writes them, to the custom properties of the page.
var neutrals = []string{"#FFFFFF", "var(--paper)", "#1F2933", "var(--ink)", "#5F6B77", "var(--muted)", "#DDE2E7", "var(--rule)"}

// palette is that of Okabe and Ito (2008) less black and the yellow, which is too light for lines on white; the
// first two are the pair that differs most in hue and lightness for every kind of colour vision.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermilion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0x7F, 0x86, 0x8D, 0xFF}, // grey
}

// dashes tell overlaid lines apart without colour; the first is solid.
var dashes = [][]vg.Length{nil, {6, 2}, {2, 2}, {8, 2, 2, 2}}

func seriesColor(i int) color.NRGBA { return palette[i%len(palette)] }

// Lengths in points, 72 to the inch.
const (
	figureWidth = 6 * vg.Inch
	margin      = vg.Length(10)
	titleSize   = vg.Length(12)
	titleGap    = vg.Length(8)
	labelSize   = vg.Length(10)
	tickSize    = vg.Length(9)
	noteSize    = vg.Length(8)
)

func textStyle(size vg.Length, c color.Color, weight font.Weight) text.Style {
	return text.Style{
		Color:   c,
		Font:    plotfont.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight, Size: size},
		XAlign:  draw.XLeft,
		YAlign:  draw.YBottom,
		Handler: plot.DefaultTextHandler,
	}
}

// newPlot returns an empty plot of the common look: no frame, quiet ticks.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the figure paints the paper once
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		label, tick := textStyle(labelSize, ink, font.WeightNormal), textStyle(tickSize, muted, font.WeightNormal)
		label.XAlign, label.YAlign = axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign
		tick.XAlign, tick.YAlign = axis.Tick.Label.XAlign, axis.Tick.Label.YAlign
		axis.Label.TextStyle, axis.Tick.Label = label, tick
		axis.Label.Padding = 4
		axis.Padding = 0
		axis.LineStyle = draw.LineStyle{Color: muted, Width: 0.75}
		axis.Tick.LineStyle = axis.LineStyle
		axis.Tick.Length = 3
	}
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0
	p.X.Label.Text, p.Y.Label.Text = x, y
	return p
}

// addGrid adds the horizontal grid lines; data added later covers them.
func addGrid(p *plot.Plot) {
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal = draw.LineStyle{Color: rule, Width: 0.75}
	p.Add(grid)
}
