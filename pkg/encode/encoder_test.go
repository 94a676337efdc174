package encode

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mmtools/internal/onnxfixture"
	"mmtools/pkg/modality"
	"mmtools/pkg/text"
)

// captions is a list of texts and coloured images, ids n0 to n39; every seventh has no text.
func captions(t *testing.T) (dir string, texts []string) {
	dir = t.TempDir()
	var body strings.Builder
	body.WriteString("id,caption,file,photo\n")
	for i := range 40 {
		s := fmt.Sprintf("The fox %d jumps over %s dogs", i, strings.Repeat("lazy ", i%5))
		if i%7 == 6 {
			s = ""
		}
		texts = append(texts, s)
		write(t, dir, fmt.Sprintf("t/%d.txt", i), []byte(s))
		m := image.NewNRGBA(image.Rect(0, 0, 5, 4))
		for p := range 20 {
			m.Set(p%5, p/5, color.NRGBA{uint8(7*i + p), uint8(3 * p), uint8(255 - i), 255})
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&body, "n%d,%s,t/%d.txt,%d.png\n", i, s, i, i)
	}
	write(t, dir, "list.csv", []byte(body.String()))
	write(t, dir, "vocab.txt", []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nfox\njump\n##s\nover\nlazy\ndog\n"))
	return dir, texts
}

// openCaptions opens channels given as the command line gives them: "text caption:size=64".
func openCaptions(t *testing.T, dir string, specs ...Spec) (*Media, error) {
	t.Helper()
	l, err := ReadManifest(filepath.Join(dir, "list.csv"))
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenMedia(MediaOptions{List: l, Root: dir, ID: "id", Channels: specs})
	if err == nil {
		t.Cleanup(func() {
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return src, err
}

func parse(t *testing.T, k Kind, text string) Spec {
	t.Helper()
	s, err := k.ParseSpec(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// within puts an encoder around a spec.
func within(t *testing.T, inner Spec, settings string) Spec {
	t.Helper()
	s := parse(t, EncoderKind, settings).(EncoderSpec)
	s.Inner = inner
	return s
}

// encodeCaptions returns one modality of every row.
func encodeCaptions(t *testing.T, dir string, spec Spec) (modality.Modality, []any) {
	t.Helper()
	src, err := openCaptions(t, dir, spec)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := all(t, src, 2)
	if err != nil {
		t.Fatal(err)
	}
	tensors := make([]any, len(rows))
	for i, r := range rows {
		tensors[i] = r.Tensors[0]
	}
	return src.Samples().Modalities[0], tensors
}

func TestTextChannel(t *testing.T) {
	dir, texts := captions(t)
	o := text.HashOptions{Size: 128, Seed: 9, Words: text.Range{Min: 1, Max: 2}, Chars: text.Range{Min: 3, Max: 5}}
	h, err := text.NewHasher(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"caption", "file:file"} {
		sep := ":"
		if strings.Contains(column, ":") {
			sep = ","
		}
		m, got := encodeCaptions(t, dir, parse(t, textKind, "words="+column+sep+"size=128,seed=9,chars=3-5"))
		if want := (modality.Modality{Name: "words", Kind: modality.Text, Shape: []int{128}}); !reflect.DeepEqual(m, want) {
			t.Errorf("%s: got %v, want %v", column, m, want)
		}
		for i, s := range texts {
			if s == "" && column == "caption" {
				if got[i] != nil {
					t.Errorf("%s: row %d has no text, and a tensor", column, i)
				}
				continue
			}
			want := make([]float32, 128)
			h.Hash(want, s)
			if !slices.Equal(got[i].([]float32), want) {
				t.Errorf("%s: row %d: another vector", column, i)
			}
		}
	}
}

func TestTextSettingsRefused(t *testing.T) {
	for setting, want := range map[string]string{
		"size=0": "vector of 0", "words=2-1": "word n-grams of 2 to 1", "words=none": "neither word nor character", "chars=3-x": "chars=3-x: want MIN-MAX",
		"seed=-1": "seed=-1", "length=0": "length=0", "words=0": "words=0",
	} {
		if _, err := textKind.ParseSpec("c:"+setting, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", setting, err, want)
		}
	}
	dir, _ := captions(t)
	if _, err := openCaptions(t, dir, parse(t, textKind, "caption:tokenizer=vocab.txt")); err == nil || !strings.Contains(err.Error(), "--encoder") {
		t.Errorf("token ids alone: got %v", err)
	}
}

// runtime points the channels at the ONNX Runtime of the tests.
func useRuntime(t *testing.T) { t.Setenv("MM_ONNXRUNTIME", onnxfixture.Library(t)) }

func nearly(a []float32, b []float64) bool {
	return slices.EqualFunc(a, b, func(x float32, y float64) bool { return math.Abs(float64(x)-y) <= 1e-6*max(1, math.Abs(y)) })
}

// TestEncoderOfImages holds what a model makes of pixels to the same sums in plain Go over the pixels that the image channel gives.
func TestEncoderOfImages(t *testing.T) {
	useRuntime(t)
	dir, _ := captions(t)
	w := []float32{1, -2, 0.5, 3, 0.25, 1}
	model := write(t, dir, "planes.onnx", onnxfixture.Planes(3, w).Bytes())
	one := write(t, dir, "one.onnx", onnxfixture.Planes(1, []float32{2}).Bytes())
	bytes := write(t, dir, "bytes.onnx", onnxfixture.Bytes3().Bytes())
	photo := parse(t, pictureKind, "photo:size=4x5")
	_, raw := encodeCaptions(t, dir, photo)
	plane := func(i, c int) (mean float64) {
		for _, v := range raw[i].([]uint8)[20*c : 20*c+20] {
			mean += float64(v) / 20
		}
		return mean
	}
	for _, c := range []struct {
		name, settings string
		shape          []int
		want           func(i int) []float64
	}{
		{"normalised", model + ":mean=0.485/0.456/0.406,std=0.229/0.224/0.225", []int{2}, func(i int) []float64 {
			y := make([]float64, 2)
			for c, m := range []float64{0.485, 0.456, 0.406} {
				x := (plane(i, c)/255 - m) / []float64{0.229, 0.224, 0.225}[c]
				y[0] += x * float64(w[2*c])
				y[1] += x * float64(w[2*c+1])
			}
			return y
		}},
		{"by 100, another output, pooled, in batches of 3", model + ":divide=100,output=maps,pool=space,batch=3", []int{3}, func(i int) []float64 {
			return []float64{plane(i, 0) / 100, plane(i, 1) / 100, plane(i, 2) / 100}
		}},
		{"bytes, channels last", bytes + ":layout=hwc", []int{3}, func(i int) []float64 { return []float64{plane(i, 0), plane(i, 1), plane(i, 2)} }},
		{"each plane", one + ":each=all,divide=1", []int{3, 1}, func(i int) []float64 { return []float64{2 * plane(i, 0), 2 * plane(i, 1), 2 * plane(i, 2)} }},
		{"the planes' mean", one + ":each=mean,divide=2,batch=5", []int{1}, func(i int) []float64 {
			return []float64{(plane(i, 0) + plane(i, 1) + plane(i, 2)) / 3}
		}},
	} {
		m, got := encodeCaptions(t, dir, within(t, photo, "image="+c.settings))
		if want := (modality.Modality{Name: "image", Kind: modality.Embedding, Shape: c.shape}); !reflect.DeepEqual(m, want) {
			t.Errorf("%s: got %v, want %v", c.name, m, want)
		}
		for i := range got {
			if want := c.want(i); !nearly(got[i].([]float32), want) {
				t.Errorf("%s: row %d: got %v, want %v", c.name, i, got[i], want)
				break
			}
		}
	}
}

// TestEncoderOfTexts: ids by the vocabulary, a row of the table each, and the mean of those that are no padding.
func TestEncoderOfTexts(t *testing.T) {
	useRuntime(t)
	dir, texts := captions(t)
	table := make([]float32, 11*2)
	for i := range 11 {
		table[2*i], table[2*i+1] = float32(i), float32(i*i)
	}
	model := write(t, dir, "tokens.onnx", onnxfixture.Tokens(11, 2, table).Bytes())
	spec := within(t, parse(t, textKind, "caption:tokenizer="+filepath.Join(dir, "vocab.txt")+",length=12"), "text="+model+":pool=mean")
	m, got := encodeCaptions(t, dir, spec)
	if want := (modality.Modality{Name: "text", Kind: modality.Embedding, Shape: []int{2}}); !reflect.DeepEqual(m, want) {
		t.Errorf("got %v, want %v", m, want)
	}
	ids := map[string][]int{"The": {4}, "fox": {5}, "jumps": {6, 7}, "over": {8}, "lazy": {9}, "dogs": {10, 7}}
	for i, s := range texts {
		if s == "" {
			if got[i] != nil {
				t.Errorf("row %d has no text, and a tensor", i)
			}
			continue
		}
		all := []int{2}
		for _, word := range strings.Fields(s) {
			if known := ids[word]; known != nil {
				all = append(all, known...)
			} else {
				all = append(all, 1) // a number that the vocabulary lacks
			}
		}
		all = append(all[:min(len(all), 11)], 3)
		want := []float64{0, 0}
		for _, id := range all {
			want[0] += float64(id) / float64(len(all))
			want[1] += float64(id*id) / float64(len(all))
		}
		if !nearly(got[i].([]float32), want) {
			t.Errorf("row %d, %q: got %v, want %v", i, s, got[i], want)
		}
	}
}

// TestEncoderThreads: the bytes do not depend on the number of threads, nor on where a run begins.
func TestEncoderThreads(t *testing.T) {
	useRuntime(t)
	dir, _ := captions(t)
	w := make([]float32, 3*64)
	for i := range w {
		w[i] = float32(math.Sin(float64(i)))
	}
	model := write(t, dir, "planes.onnx", onnxfixture.Planes(3, w).Bytes())
	src, err := openCaptions(t, dir, within(t, parse(t, pictureKind, "photo:size=4x5"), "image="+model+":batch=6"), parse(t, textKind, "caption:size=16"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := all(t, src, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 5} {
		if got, err := all(t, src, threads); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: other rows than one thread, %v", threads, err)
		}
	}
	for _, from := range []int{1, 13, 39} {
		i := from
		err := Run(context.Background(), src, RunOptions{Threads: 2, From: from}, func(r *Row) error {
			if !reflect.DeepEqual(r.Tensors, want[i].Tensors) {
				t.Errorf("from %d: row %d differs", from, i)
			}
			i++
			return nil
		})
		if err != nil || i != 40 {
			t.Errorf("from %d: up to %d, %v", from, i, err)
		}
	}
}

// TestEncoderFailures: one image that is broken is a failure of its row, whatever batch it stands in.
func TestEncoderFailures(t *testing.T) {
	useRuntime(t)
	dir, _ := captions(t)
	model := write(t, dir, "planes.onnx", onnxfixture.Planes(3, []float32{1, 1, 1}).Bytes())
	write(t, dir, "9.png", []byte("no image"))
	src, err := openCaptions(t, dir, within(t, parse(t, pictureKind, "photo:size=4x5"), "image="+model))
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	rows := 0
	err = Run(context.Background(), src, RunOptions{Errors: Null, Report: func(f Failure) { failed = append(failed, f.ID) }}, func(r *Row) error {
		if (r.Tensors[0] == nil) != (r.ID == "n9") {
			t.Errorf("row %s: %v", r.ID, r.Tensors[0])
		}
		rows++
		return nil
	})
	if err != nil || rows != 40 || !slices.Equal(failed, []string{"n9"}) {
		t.Errorf("%d rows, failed %v, %v", rows, failed, err)
	}
}

func TestEncodersRefused(t *testing.T) {
	useRuntime(t)
	dir, _ := captions(t)
	model := write(t, dir, "planes.onnx", onnxfixture.Planes(3, []float32{1, 1, 1}).Bytes())
	bytes := write(t, dir, "bytes.onnx", onnxfixture.Bytes3().Bytes())
	tokens := write(t, dir, "tokens.onnx", onnxfixture.Tokens(11, 1, make([]float32, 11)).Bytes())
	photo, words := parse(t, pictureKind, "photo:size=4x5"), parse(t, textKind, "caption:tokenizer="+filepath.Join(dir, "vocab.txt"))
	for name, c := range map[string]struct {
		spec Spec
		want string
	}{
		"no file":        {within(t, photo, "image="+dir+"/absent.onnx"), "no such file"},
		"no input":       {within(t, photo, "image="+model+":input=x"), `no input "x": it has "pixels" float32[?,3,?,?]`},
		"no output":      {within(t, photo, "image="+model+":output=x"), `no output "x"`},
		"another shape":  {within(t, parse(t, pictureKind, "photo:size=4x5,mode=grey"), "image="+model), "takes no samples of [1 4 5]"},
		"means":          {within(t, photo, "image="+model+":mean=1/2"), "mean: 2 numbers for 3 channels"},
		"std of 0":       {within(t, photo, "image="+model+":std=0"), "std: want no 0"},
		"whole numbers":  {within(t, photo, "image="+bytes+":layout=hwc,mean=0.5"), "takes whole numbers"},
		"mean of tokens": {within(t, words, "text="+tokens+":mean=0.5"), "not for token ids"},
		"another model":  {within(t, words, "text="+model), "takes no samples of [128]"},
		"no slices":      {within(t, parse(t, textKind, "caption:size=8"), "text="+model+":each=all"), "has no slices"},
	} {
		if _, err := openCaptions(t, dir, c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestEncoderDigest: the model, its settings and the tokenizer are part of what samples are made from.
func TestEncoderDigest(t *testing.T) {
	useRuntime(t)
	dir, _ := captions(t)
	digest := func(spec Spec) string {
		src, err := openCaptions(t, dir, spec)
		if err != nil {
			t.Fatal(err)
		}
		return src.Samples().Digest
	}
	photo := parse(t, pictureKind, "photo:size=4x5")
	a := write(t, dir, "a.onnx", onnxfixture.Planes(3, []float32{1, 1, 1}).Bytes())
	b := write(t, dir, "b.onnx", onnxfixture.Planes(3, []float32{1, 1, 2}).Bytes())
	copied := write(t, dir, "sub/a.onnx", onnxfixture.Planes(3, []float32{1, 1, 1}).Bytes())
	base := digest(within(t, photo, "image="+a))
	if digest(within(t, photo, "image="+copied)) != base {
		t.Error("where the model lies is part of the digest")
	}
	for _, other := range []Spec{photo, within(t, photo, "image="+b), within(t, photo, "image="+a+":mean=0.5"), within(t, photo, "image="+a+":batch=3")} {
		if digest(other) == base {
			t.Errorf("%+v: the same digest", other)
		}
	}
}
