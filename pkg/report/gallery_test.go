package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/pkg/metric"
)

var views = []string{"audio", "image", "flow", "text", "sensor", "pixel_averages_of_the_view"}

// gallery makes one of every kind of figure, with few and many series, and short and long names.
func gallery(t *testing.T) map[string]*Figure {
	t.Helper()
	figures := map[string]*Figure{}
	add := func(name string, f *Figure, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		figures[name] = f
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 6} {
		before, after := NewHistogram("before", views[:n]), NewHistogram("after 30 epochs", views[:n])
		for p := range n {
			for range 500 {
				phi := float64(r.IntN(2*n+1))/2 - float64(n-1)/2
				before.Add(p, phi)
				after.Add(p, (phi+1)/2)
			}
		}
		f, err := Contributions("Contributions on the test split", []*Histogram{before, after})
		add("contributions-"+views[n-1], f, err)
		f, err = Contributions("", []*Histogram{before})
		add("contributions-alone-"+views[n-1], f, err)
	}
	f, err := Contributions("No sample", []*Histogram{NewHistogram("empty", views[:2])})
	add("contributions-empty", f, err)

	for _, size := range [][2]int{{1, 1}, {3, 3}, {7, 5}, {12, 2}} {
		groups := append([]string{"all"}, append(views, views...)...)[:size[0]]
		var methods []Method
		for _, name := range []string{"none", "sample level", "modality level", "a method with a long name", "another"}[:size[1]] {
			values := make([][]float64, len(groups))
			for g := range values {
				values[g] = []float64{r.Float64(), 1}
			}
			methods = append(methods, Method{name, values})
		}
		f, err := Accuracy("Accuracy on the test split", groups, methods, 0.1)
		add("accuracy-"+methods[size[1]-1].Name, f, err)
	}
	for _, n := range []int{1, 2, 10, 31, 102} {
		m := metric.NewConfusion(n)
		var names []string
		for c := range n {
			names = append(names, []string{"dog", "acoustic guitar playing", "Ünïcødé <&>", "church bell"}[c%4])
			for range 20 {
				m.Add(int32(c), int32((c+r.IntN(3)/2*r.IntN(n))%n))
			}
		}
		f, err := Confusion("Confusion matrix", m, names)
		add("confusion-"+number(float64(n), 0), f, err)
	}
	return figures
}

// Every figure is well-formed SVG that names its texts, and a PNG whose outermost pixels are paper: a clipped label or
// curve would reach them. With MM_FIGURES=DIR the figures are left there to be looked at.
func TestGallery(t *testing.T) {
	for name, f := range gallery(t) {
		t.Run(name, func(t *testing.T) {
			files := map[Format][]byte{}
			if !bytes.Equal(f.svg(), f.svg()) {
				t.Error("differs when drawn again")
			}
			for _, format := range []Format{SVG, PNG} {
				var b bytes.Buffer
				if err := f.Write(&b, format); err != nil {
					t.Fatal(err)
				}
				files[format] = b.Bytes()
				if dir := os.Getenv("MM_FIGURES"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"."+string(format)), b.Bytes(), 0o666); err != nil {
						t.Fatal(err)
					}
				}
			}
			if texts := svgTexts(t, files[SVG]); !strings.Contains(texts, f.Title) || len(texts) < 20 {
				t.Errorf("texts of the SVG: %s", texts)
			}
			checkBorder(t, files[PNG])
			if f.Alt == "" {
				t.Error("no description for readers who cannot see it")
			}
		})
	}
}

func svgTexts(t *testing.T, document []byte) string {
	t.Helper()
	var texts strings.Builder
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		if err != nil {
			t.Fatalf("reading the SVG: %v", err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
		}
	}
}

func checkBorder(t *testing.T, file []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	if size.X != 864 {
		t.Fatalf("%d pixels wide, want 6 inches of 144", size.X)
	}
	const border = 3
	for y := range size.Y {
		for x := 0; x < size.X; x++ {
			if x == border && y >= border && y < size.Y-border {
				x = size.X - border // over the drawing
			}
			if color.NRGBAModel.Convert(img.At(x, y)) != color.NRGBAModel.Convert(paper) {
				t.Fatalf("pixel %d,%d of %v is %v: something is drawn beyond the margin", x, y, size, img.At(x, y))
			}
		}
	}
}
