package report

import (
	"image/color"

	"golang.org/x/image/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mark is what a legend entry shows beside its name.
type mark int

const (
	swatch  mark = iota // a filled square: bars
	stroke              // a line of the series' colour and dash
	pointer             // the triangle of a mean
	dashed              // a reference line
)

type entry struct {
	name  string
	mark  mark
	color color.Color
	dash  []vg.Length
}

// legend is a strip of entries between title and data, wrapped to the width of the figure.
type legend []entry

const (
	legendRow  = vg.Length(15)
	legendMark = vg.Length(16)
	legendGap  = vg.Length(14)
)

// rows splits the entries into rows no wider than width; an entry wider than that has a row to itself.
func (l legend) rows(width vg.Length) [][]entry {
	style := textStyle(labelSize, ink, font.WeightNormal)
	var rows [][]entry
	var used vg.Length
	for _, e := range l {
		need := legendMark + style.Width(e.name) + legendGap
		if len(rows) == 0 || used+need > width+legendGap {
			rows = append(rows, nil)
			used = 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += need
	}
	return rows
}

// height returns the height of the strip in a figure.
func (l legend) height() vg.Length {
	if len(l) == 0 {
		return 0
	}
	return vg.Length(len(l.rows(figureWidth-2*margin)))*legendRow + 4
}

// draw writes the strip along the top edge of c and returns its height.
func (l legend) draw(c draw.Canvas) vg.Length {
	style := textStyle(labelSize, ink, font.WeightNormal)
	style.YAlign = draw.YCenter
	for r, row := range l.rows(c.Max.X - c.Min.X) {
		x, y := c.Min.X, c.Max.Y-(vg.Length(r)+0.5)*legendRow
		for _, e := range row {
			e.draw(c, vg.Point{X: x, Y: y})
			c.FillText(style, vg.Point{X: x + legendMark, Y: y}, e.name)
			x += legendMark + style.Width(e.name) + legendGap
		}
	}
	return l.height()
}

// draw draws the mark to the right of at, centred on its height.
func (e entry) draw(c draw.Canvas, at vg.Point) {
	switch e.mark {
	case swatch:
		fillBox(c, e.color, at.X, at.Y-4.5, at.X+9, at.Y+4.5)
	case stroke:
		c.StrokeLine2(draw.LineStyle{Color: e.color, Width: 1.75, Dashes: e.dash}, at.X, at.Y, at.X+12, at.Y)
	case pointer:
		fillPointer(c, e.color, vg.Point{X: at.X + 6, Y: at.Y - 3})
	case dashed:
		c.StrokeLine2(reference, at.X, at.Y, at.X+12, at.Y)
	}
}

// reference is the style of a line at a value of meaning: the fair share, chance.
var reference = draw.LineStyle{Color: muted, Width: 1, Dashes: []vg.Length{3, 2}}

func fillBox(c draw.Canvas, fill color.Color, x0, y0, x1, y1 vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

// fillPointer draws a triangle, 7 points wide, that points down to tip.
func fillPointer(c draw.Canvas, fill color.Color, tip vg.Point) {
	c.FillPolygon(fill, []vg.Point{tip, {X: tip.X + 3.5, Y: tip.Y + 6}, {X: tip.X - 3.5, Y: tip.Y + 6}})
}
