package encode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"

	"github.com/apache/arrow/go/v17/arrow/float16"
)

// fourRows writes arrays of four samples: a (4,2,2) float32, b (4,2) float64, c (4,3) uint8, h (4) float16, labels, a mask, ids.
func fourRows(t *testing.T) (string, ArraysOptions) {
	dir := t.TempDir()
	var a []float32
	for i := range 16 {
		a = append(a, float32(i))
	}
	var b, h []byte
	for i := range 8 {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(float64(i)/2))
	}
	for _, bits := range []uint16{0x3c00, 0x4000, 0x0000, 0xbc00} {
		h = binary.LittleEndian.AppendUint16(h, bits)
	}
	return dir, ArraysOptions{
		Modalities: []ArrayModality{
			{Name: "a", Kind: modality.Embedding, File: write(t, dir, "a.npy", npy("<f4", "(4, 2, 2)", floats(a...)))},
			{Name: "b", Kind: modality.Audio, File: write(t, dir, "b.npy", npy(">f8", "(4, 2)", b)), Shape: []int{1, 2}},
			{Name: "c", Kind: modality.Image, File: write(t, dir, "c.npy", npy("|u1", "(4, 3)", []byte("abcdefghijkl")))},
			{Name: "h", Kind: modality.Embedding, File: write(t, dir, "h.npy", npy("<f2", "(4,)", h))},
		},
		Labels: write(t, dir, "labels.npy", npy("<i8", "(4, 1)", int64s(0, 2, 1, 2))),
		Mask:   write(t, dir, "mask.npy", npy("|b1", "(4,)", []byte{1, 0, 0, 1})),
		IDs:    write(t, dir, "ids.txt", []byte("one\ntwo\r\nthree\nfour")),
	}
}

func openArrays(t *testing.T, o ArraysOptions) *Arrays {
	t.Helper()
	src, err := OpenArrays(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

func TestArrays(t *testing.T) {
	_, o := fourRows(t)
	src := openArrays(t, o)
	s := src.Samples()
	if want := []modality.Modality{
		{Name: "a", Kind: modality.Embedding, Shape: []int{2, 2}}, {Name: "b", Kind: modality.Audio, Shape: []int{1, 2}},
		{Name: "c", Kind: modality.Image, Shape: []int{3}}, {Name: "h", Kind: modality.Embedding, Shape: []int{1}},
	}; !reflect.DeepEqual(s.Modalities, want) {
		t.Errorf("modalities: got %v, want %v", s.Modalities, want)
	}
	if want := []Element{Float32, Float32, Uint8, Float16}; !slices.Equal(s.Elements, want) {
		t.Errorf("elements: got %v, want %v", s.Elements, want)
	}
	if want := []string{"0", "1", "2"}; !slices.Equal(s.Classes, want) {
		t.Errorf("classes: got %v, want %v", s.Classes, want)
	}
	got, err := all(t, src, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{ID: "one", Label: 0, Tensors: []any{[]float32{0, 1, 2, 3}, []float32{0, 0.5}, []uint8("abc"), []float16.Num{float16.New(1)}}},
		{Index: 1, ID: "four", Label: 2, Tensors: []any{[]float32{12, 13, 14, 15}, []float32{3, 3.5}, []uint8("jkl"), []float16.Num{float16.New(-1)}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	o.Invert, o.IDs, o.Classes = true, "", []string{"ant", "bee", "cat"}
	if got, err = all(t, openArrays(t, o), 1); err != nil || len(got) != 2 || got[0].ID != "1" || got[1].ID != "2" || got[1].Label != 1 {
		t.Errorf("inverted: got %v, %v", got, err)
	}
	o.Mask, o.Labels = "", ""
	if got, err = all(t, openArrays(t, o), 1); err != nil || len(got) != 4 || got[3].Label != -1 {
		t.Errorf("unlabelled: got %v, %v", got, err)
	}
}

// The digest stands for the contents: every change of them or of the options changes it, another path or spelling of the
// same bytes does not.
func TestArraysDigest(t *testing.T) {
	dir, o := fourRows(t)
	first := openArrays(t, o).Samples().Digest
	if !strings.HasPrefix(first, "sha256:") || len(first) != len("sha256:")+64 {
		t.Fatalf("digest %q", first)
	}
	if again := openArrays(t, o).Samples().Digest; again != first {
		t.Error("the same arrays have two digests")
	}
	moved := o
	moved.Labels = write(t, dir, "elsewhere/l.npy", npy("<i8", "(4, 1)", int64s(0, 2, 1, 2)))
	if openArrays(t, moved).Samples().Digest != first {
		t.Error("the digest depends on a path")
	}
	seen := map[string]string{first: "the original"}
	for name, change := range map[string]func(*ArraysOptions){
		"a label": func(o *ArraysOptions) {
			o.Labels = write(t, dir, "l2.npy", npy("<i8", "(4, 1)", int64s(0, 2, 1, 1)))
		},
		"no labels": func(o *ArraysOptions) { o.Labels = "" },
		"no mask":   func(o *ArraysOptions) { o.Mask = "" },
		"inverted":  func(o *ArraysOptions) { o.Invert = true },
		"no ids":    func(o *ArraysOptions) { o.IDs = "" },
		"a name":    func(o *ArraysOptions) { o.Modalities[0].Name = "z" },
		"a shape":   func(o *ArraysOptions) { o.Modalities[0].Shape = []int{4} },
		"a class":   func(o *ArraysOptions) { o.Classes = []string{"x", "y", "z"} },
		"less":      func(o *ArraysOptions) { o.Modalities = o.Modalities[:3] },
		"one number": func(o *ArraysOptions) {
			o.Modalities[2].File = write(t, dir, "c2.npy", npy("|u1", "(4, 3)", []byte("abcdefghijkm")))
		},
	} {
		changed := o
		changed.Modalities = slices.Clone(o.Modalities)
		change(&changed)
		d := openArrays(t, changed).Samples().Digest
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
}

func TestArraysRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(dir string, o *ArraysOptions)
		want   string
	}{
		{"no modality", func(_ string, o *ArraysOptions) { o.Modalities = nil }, "no modality"},
		{"no file", func(dir string, o *ArraysOptions) { o.Labels = dir + "/none.npy" }, "none.npy: no such file"},
		{"reserved name", func(_ string, o *ArraysOptions) { o.Modalities[1].Name = "label" }, "reserved"},
		{"name twice", func(_ string, o *ArraysOptions) { o.Modalities[1].Name = "a" }, `modality "a" twice`},
		{"rows differ", func(dir string, o *ArraysOptions) {
			o.Modalities[1].File = write(t, dir, "x.npy", npy("<f4", "(3, 2)", make([]byte, 24)))
		}, "x.npy has 3 rows: "},
		{"labels differ", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("|i1", "(5,)", make([]byte, 5)))
		}, "x.npy has 5 rows: "},
		{"labels of two columns", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("|i1", "(4, 2)", make([]byte, 8)))
		}, "want one number a row"},
		{"shape", func(_ string, o *ArraysOptions) { o.Modalities[0].Shape = []int{5} }, `modality "a": shape [5] takes 5 numbers: a row of `},
		{"empty rows", func(dir string, o *ArraysOptions) {
			o.Modalities[0].File = write(t, dir, "x.npy", npy("<f4", "(4, 0)", nil))
		}, "shape [0]"},
		{"negative label", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("<i8", "(4,)", int64s(0, 0, -1, 0)))
		}, "x.npy: row 2: label -1 is out of range"},
		{"label without class", func(_ string, o *ArraysOptions) { o.Classes = []string{"x", "y"} }, "row 1: label 2 is out of range: want 0 to 1"},
		{"class twice", func(_ string, o *ArraysOptions) { o.Classes = []string{"x", "y", "x"} }, `class "x" twice`},
		{"half label", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("<f4", "(4,)", floats(0, 1, 2, 0.5)))
		}, "row 3: label 0.5 is not a whole number"},
		{"labels are objects", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("|O", "(4,)", make([]byte, 32)))
		}, `holds pickled Python objects: save numbers, or texts by astype("U")`},
		{"modality of texts", func(dir string, o *ArraysOptions) {
			o.Modalities[1].File = write(t, dir, "x.npy", npy("<U1", "(4,)", make([]byte, 16)))
		}, `npy type "<U1" holds texts: want numbers`},
		{"huge label", func(dir string, o *ArraysOptions) {
			o.Labels = write(t, dir, "x.npy", npy("<i8", "(4,)", int64s(0, 1e12, 1, 1)))
		}, "row 1: label 1000000000000 is out of range"},
		{"ids short", func(dir string, o *ArraysOptions) { o.IDs = write(t, dir, "x.txt", []byte("a\nb\n")) }, "x.txt has 2 lines"},
		{"id twice", func(dir string, o *ArraysOptions) { o.IDs = write(t, dir, "x.txt", []byte("a\nb\nb\na\n")) }, `x.txt: line 4: id "a" is also that of `},
		{"id empty", func(dir string, o *ArraysOptions) { o.IDs = write(t, dir, "x.txt", []byte("a\nb\nb\n\n")) }, "x.txt: line 4: empty id"},
		{"ids not text", func(dir string, o *ArraysOptions) { o.IDs = write(t, dir, "x.txt", []byte("a\nb\n\xff\nd\n")) }, "not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, o := fourRows(t)
			c.change(dir, &o)
			src, err := OpenArrays(o)
			if err == nil {
				src.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if bad := strings.Contains(fmt.Sprint(err), dir+"/x."); bad && !errors.Is(err, stream.ErrInput) {
				t.Errorf("%v: want an error of bad input, of a file that is", err)
			}
		})
	}
}

func TestArraysRefusesNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	var wide []byte
	for _, v := range []float64{0, 1e300} {
		wide = binary.LittleEndian.AppendUint64(wide, math.Float64bits(v))
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"NaN":      {npy("<f4", "(2, 2)", floats(0, 1, 2, nan)), "x.npy: row 1, column 1: NaN is not finite"},
		"infinite": {npy("<f4", "(2, 2)", floats(0, 1, inf, 2)), "x.npy: row 1, column 0: -Inf is not finite"},
		"too wide": {npy("<f8", "(2,)", wide), "x.npy: row 1, column 0: 1e+300 is not finite in float32"},
		"half":     {npy("<f2", "(2, 1)", []byte{0, 0, 0, 0x7c}), "x.npy: row 1, column 0: +Inf is not finite"},
	} {
		t.Run(name, func(t *testing.T) {
			o := ArraysOptions{Modalities: []ArrayModality{{Name: "x", Kind: modality.Embedding, File: write(t, t.TempDir(), "x.npy", c.file)}}}
			rows, err := all(t, openArrays(t, o), 2)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(rows) != 1 {
				t.Errorf("got %d rows and %v, want one and an error with %q", len(rows), err, c.want)
			}
		})
	}
	// A row that the mask drops is nobody's business.
	dir := t.TempDir()
	o := ArraysOptions{
		Modalities: []ArrayModality{{Name: "x", Kind: modality.Embedding, File: write(t, dir, "x.npy", npy("<f4", "(2,)", floats(nan, 1)))}},
		Mask:       write(t, dir, "m.npy", npy("|b1", "(2,)", []byte{0, 1})),
	}
	if rows, err := all(t, openArrays(t, o), 2); err != nil || len(rows) != 1 {
		t.Errorf("masked: got %v, %v", rows, err)
	}
}

func TestReadClasses(t *testing.T) {
	dir := t.TempDir()
	if got, err := ReadClasses(write(t, dir, "c.txt", []byte("\ufeffant\r\nbee\n"))); err != nil || !slices.Equal(got, []string{"ant", "bee"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{"": "no class", "a\n\nb\n": "class 1 has no name", "a\na\n": `class "a" twice`} {
		if _, err := ReadClasses(write(t, dir, "c.txt", []byte(text))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
	if _, err := ReadClasses(dir + "/none"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

// The split of the TMC paper, 1600 and 400 samples of six views, partitions the set.
func TestRealArrays(t *testing.T) {
	view := shared(t, "handwritten6/npy/mor6.npy")
	o := ArraysOptions{
		Modalities: []ArrayModality{{Name: "mor", Kind: modality.Embedding, File: view}},
		Labels:     shared(t, "handwritten6/npy/labels.npy"), Mask: shared(t, "handwritten6/npy/train_mask.npy"),
	}
	seen := map[string]bool{}
	for _, want := range []int{1600, 400} {
		src := openArrays(t, o)
		rows, err := all(t, src, 0)
		if err != nil || len(rows) != want || len(src.Samples().Classes) != 10 || src.Samples().Modalities[0].Size() != 6 {
			t.Fatalf("got %d rows of %v, %v, want %d", len(rows), src.Samples(), err, want)
		}
		for _, r := range rows {
			seen[r.ID] = true
		}
		o.Invert = true
	}
	if len(seen) != 2000 {
		t.Errorf("%d different samples, want 2000", len(seen))
	}
}
