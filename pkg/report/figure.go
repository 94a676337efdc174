package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a file format of a Figure.
type Format string

// The formats of a Figure.
const (
	SVG Format = "svg"
	PNG Format = "png"
)

// FormatOf returns the format that the ending of a path names.
func FormatOf(path string) (Format, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".svg":
		return SVG, nil
	case ".png":
		return PNG, nil
	default:
		return "", fmt.Errorf("figure %q: ending %q, want .svg or .png", path, ending)
	}
}

// dpi of a PNG: 864 pixels across, sharp on a dense screen at half that size.
const dpi = 144

// Figure is a drawing of a fixed size in inches, ready to be written.
type Figure struct {
	Title  string // drawn on top
	Alt    string // what the figure shows, for readers who cannot see it
	height vg.Length
	legend legend
	paint  func(draw.Canvas) // draws below the title and the legend
}

// Write writes the figure in the format.
func (f *Figure) Write(w io.Writer, format Format) error {
	switch format {
	case SVG:
		_, err := w.Write(f.svg())
		return err
	case PNG:
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(figureWidth, f.height), vgimg.UseDPI(dpi))}
		f.draw(draw.New(c))
		_, err := c.WriteTo(w)
		return err
	default:
		return fmt.Errorf("figure format %q: want svg or png", format)
	}
}

// frame is the height of what surrounds the drawing: margins, title, legend.
func (f *Figure) frame() vg.Length {
	height := 2*margin + f.legend.height()
	if f.Title != "" {
		height += titleSize + titleGap
	}
	return height
}

func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(paper)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	if f.Title != "" {
		style := textStyle(titleSize, ink, xfont.WeightBold)
		style.YAlign = draw.YTop
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, f.Title)
		c.Max.Y -= titleSize + titleGap
	}
	c.Max.Y -= f.legend.draw(c)
	f.paint(c)
}

// svg returns the figure as an SVG document.
func (f *Figure) svg() []byte {
	c := &measuring{Canvas: vgsvg.New(figureWidth, f.height)}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return c.fit(b.Bytes())
}

// measuring is an SVG canvas that remembers how wide its texts are. vgsvg names the font alone: where Liberation Sans is
// not installed a viewer takes what it has, and a wider font would run into the drawing.
type measuring struct {
	*vgsvg.Canvas
	widths []vg.Length
}

// FillString draws text.
func (m *measuring) FillString(face font.Face, at vg.Point, text string) {
	m.widths = append(m.widths, face.Width(text))
	m.Canvas.FillString(face, at, text)
}

// fit gives every text of the document its measured length, and names the fonts of the same widths after Liberation Sans.
func (m *measuring) fit(document []byte) []byte {
	var out bytes.Buffer
	texts := bytes.Split(document, []byte("<text "))
	out.Write(texts[0])
	for i, text := range texts[1:] {
		fmt.Fprintf(&out, `<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" `, m.widths[i].Points())
		out.Write(text)
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}

// inline returns the svg element alone, for a page: neutral colours follow the page, and the size is the page's choice.
func (f *Figure) inline() string {
	document := string(f.svg())
	element := document[strings.Index(document, "<svg"):]
	_, rest, _ := strings.Cut(element, "viewBox=")
	return `<svg role="img" viewBox=` + strings.NewReplacer(neutrals...).Replace(rest)
}
