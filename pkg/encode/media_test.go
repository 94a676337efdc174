package encode

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

const header = "id,label,sound,photo,split\n"

// list makes a folder of three sounds and three images with their manifest. Row c lacks its sound and d its label.
func list(t *testing.T) (string, listed) {
	dir := t.TempDir()
	write(t, dir, "s/a.wav", tone(8000, 2000, 440))
	write(t, dir, "s/b.wav", tone(8000, 500, 880)) // short: silence follows
	write(t, dir, "s/d.wav", tone(16000, 4000, 440))
	for i, name := range []string{"a", "b", "c"} {
		write(t, dir, "p/"+name+".png", picture(t, 3, 4, 10*i))
	}
	manifest := write(t, dir, "list.csv", []byte("\ufeff"+header+
		"a,10,s/a.wav,p/a.png,train\n"+
		"b,9,s/b.wav,p/b.png,train\n"+
		"c,10,,p/c.png,test\n"+
		"d,,s/d.wav,p/a.png,train\n"))
	return dir, listed{
		Manifest: manifest, ID: "id", Label: "label",
		Audio: []column{{Name: "audio", Column: "sound"}}, Images: []column{{Name: "image", Column: "photo"}},
		Sound: Sound{Rate: 8000, Seconds: 0.25, Spectrogram: media.SpectrogramOptions{NFFT: 256, Hop: 128, Mels: 20, Area: true}},
	}
}

// listed is what a test changes of a list's options: two kinds of column, with the same settings each.
type listed struct {
	Manifest, Root, ID, Label string
	Audio, Images             []column
	Sound                     Sound
	Picture                   Picture
	Where                     []Condition
	Classes                   []string
	OnlyClasses               bool
	Missing, Errors           Policy
}

type column struct{ Name, Column string }

func (l listed) open() (*Media, error) {
	o := MediaOptions{Root: l.Root, ID: l.ID, Label: l.Label, Where: l.Where, Classes: l.Classes, OnlyClasses: l.OnlyClasses, Missing: l.Missing, Errors: l.Errors}
	for _, c := range l.Audio {
		o.Channels = append(o.Channels, SoundSpec{Name: c.Name, Column: c.Column, Sound: l.Sound})
	}
	for _, c := range l.Images {
		o.Channels = append(o.Channels, PictureSpec{c.Name, c.Column, l.Picture})
	}
	var err error
	if o.List, err = ReadManifest(l.Manifest); err != nil {
		return nil, err
	}
	if o.Root == "" {
		o.Root = filepath.Dir(l.Manifest)
	}
	return OpenMedia(o)
}

func openMedia(t *testing.T, o listed) *Media {
	t.Helper()
	src, err := o.open()
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

func TestMedia(t *testing.T) {
	_, o := list(t)
	src := openMedia(t, o)
	s := src.Samples()
	if want := []modality.Modality{{Name: "audio", Kind: modality.Audio, Shape: []int{16, 20}}, {Name: "image", Kind: modality.Image, Shape: []int{1, 3, 4}}}; !reflect.DeepEqual(s.Modalities, want) {
		t.Errorf("modalities: got %v, want %v", s.Modalities, want)
	}
	if want := []Element{Float32, Uint8}; !slices.Equal(s.Elements, want) {
		t.Errorf("elements: got %v, want %v", s.Elements, want)
	}
	if want := []string{"9", "10"}; !slices.Equal(s.Classes, want) {
		t.Errorf("classes: got %v, want %v in numeric order", s.Classes, want)
	}
	rows, err := all(t, src, 2)
	if err != nil || len(rows) != 4 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	for i, want := range []struct {
		id    string
		label int32
		pixel uint8
		audio bool
	}{{"a", 1, 0, true}, {"b", 0, 10, true}, {"c", 1, 20, false}, {"d", -1, 0, true}} {
		r := rows[i]
		pixels := r.Tensors[1].([]uint8)
		if r.ID != want.id || r.Label != want.label || pixels[0] != want.pixel || pixels[11] != want.pixel+11 || (r.Tensors[0] != nil) != want.audio {
			t.Errorf("row %d: got %v, want %v", i, r, want)
		}
	}
	// The tone of a, b and d peaks in the band where it lies, and the silence after b's half second is log(1e-7).
	a, b, d := rows[0].Tensors[0].([]float32), rows[1].Tensors[0].([]float32), rows[3].Tensors[0].([]float32)
	if got, want := peak(a[5*20:6*20]), band(t, 440); got != want {
		t.Errorf("a: the peak is in band %d, want %d", got, want)
	}
	if got, want := peak(b[2*20:3*20]), band(t, 880); got != want {
		t.Errorf("b: the peak is in band %d, want %d", got, want)
	}
	for j, v := range b[8*20:] {
		if v != -16.118095 { // log(1e-7)
			t.Fatalf("b: %v after the end, at %d", v, j)
		}
	}
	for m := range 20 { // the same tone at twice the rate, resampled: equal away from its ends, but for the filter's ripple
		if x, y := a[8*20+m], d[8*20+m]; max(x, y) > -5 && (x-y > 0.02 || y-x > 0.02) {
			t.Errorf("band %d: %v at 8000 Hz and %v at 16000 Hz", m, x, y)
		}
	}
}

func peak(row []float32) int { return slices.Index(row, slices.Max(row)) }

// band measures in which band a pure tone peaks, through a plan of its own.
func band(t *testing.T, hertz float64) int {
	t.Helper()
	var w media.WAV
	data := tone(8000, 2000, hertz)
	if err := w.Open(strings.NewReader(string(data)), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	wave := make([]float32, 2000)
	if err := w.ReadMono(wave, 0); err != nil {
		t.Fatal(err)
	}
	l, err := media.NewSpectrogram(media.SpectrogramOptions{Rate: 8000, Samples: 2000, NFFT: 256, Hop: 128, Mels: 20, Area: true})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, l.Shape()[0]*20)
	l.Transform(out, wave)
	return peak(out[7*20 : 8*20])
}

func TestMediaWhere(t *testing.T) {
	_, o := list(t)
	for _, c := range []struct {
		name  string
		where []Condition
		want  []string
	}{
		{"one value", []Condition{{"split", []string{"train"}}}, []string{"a", "b", "d"}},
		{"any of two", []Condition{{"id", []string{"c", "a"}}}, []string{"a", "c"}},
		{"both of two", []Condition{{"split", []string{"train"}}, {"label", []string{"9"}}}, []string{"b"}},
		{"nothing", []Condition{{"split", []string{"val"}}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.Where = c.where
			src := openMedia(t, o)
			rows, err := all(t, src, 1)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, c.want) || src.Rows() != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if classes := src.Samples().Classes; !slices.Equal(classes, []string{"9", "10"}) {
				t.Errorf("classes %v depend on the rows kept", classes)
			}
		})
	}
	o.Where = []Condition{{"colour", []string{"red"}}}
	if _, err := o.open(); err == nil || !strings.Contains(err.Error(), `no column "colour": it has id, label, sound, photo, split`) {
		t.Errorf("got %v", err)
	}
}

func TestMediaRefuses(t *testing.T) {
	tree := func(body string) func(*testing.T, string, *listed) {
		return func(t *testing.T, dir string, o *listed) { write(t, dir, "list.csv", []byte(body)) }
	}
	cut := tone(8000, 100, 440)[:60]
	for _, c := range []struct {
		name   string
		change func(*testing.T, string, *listed)
		want   string
	}{
		{"no manifest", func(_ *testing.T, dir string, o *listed) { o.Manifest = dir + "/none.csv" }, "none.csv: no such file"},
		{"empty manifest", tree(""), "empty: want a line that names the columns"},
		{"fields", tree(header + "a,1,s/a.wav,p/a.png,x\nb,1\n"), "list.csv: line 3: 2 fields, the first line names 5 columns"},
		{"quotes", tree(header + "a,\"1,s/a.wav,p/a.png,x\n"), "list.csv: parse error on line 2"},
		{"column twice", tree("id,id\n"), `column "id" twice`},
		{"not text", tree(header + "\xff,1,s/a.wav,p/a.png,x\n"), "not UTF-8"},
		{"id twice", tree(header + "a,1,,p/a.png,x\nb,1,,p/a.png,x\na,1,,p/a.png,x\n"), `line 4: id "a" is also that of `},
		{"id empty", tree(header + ",1,,p/a.png,x\n"), "line 2: empty id"},
		{"no id column", func(_ *testing.T, _ string, o *listed) { o.ID = "name" }, `no column "name"`},
		{"no label column", func(_ *testing.T, _ string, o *listed) { o.Label = "class" }, `no column "class"`},
		{"no media column", func(_ *testing.T, _ string, o *listed) { o.Audio[0].Column = "wav" }, `modality "audio": `},
		{"no modality", func(_ *testing.T, _ string, o *listed) { o.Audio, o.Images = nil, nil }, "no modality"},
		{"label without class", func(_ *testing.T, _ string, o *listed) { o.Classes = []string{"10", "11"} }, `list.csv: line 3: label "9" is none of the 2 classes`},
		{"file missing", tree(header + "a,1,s/a.wav,p/a.png,x\nb,1,s/z.wav,p/a.png,x\n"), `line 3, column "sound": s/z.wav: no such file`},
		{"a folder", tree(header + "a,1,s,p/a.png,x\n"), "s: not a regular file"},
		{"leaves the root", tree(header + "a,1,../../../../../etc/passwd,p/a.png,x\n"), "path escapes"},
		{"absolute", tree(header + "a,1,/etc/passwd,p/a.png,x\n"), "path escapes"},
		{"link that leaves", func(t *testing.T, dir string, o *listed) {
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "s/link.wav")); err != nil {
				t.Fatal(err)
			}
			tree(header+"a,1,s/link.wav,p/a.png,x\n")(t, dir, o)
		}, "path escapes"},
		{"link loop", func(t *testing.T, dir string, o *listed) {
			if err := os.Symlink("loop.wav", filepath.Join(dir, "s/loop.wav")); err != nil {
				t.Fatal(err)
			}
			tree(header+"a,1,s/loop.wav,p/a.png,x\n")(t, dir, o)
		}, "too many"},
		{"cut sound", func(t *testing.T, dir string, _ *listed) { write(t, dir, "s/b.wav", cut) }, `list.csv: line 3, column "sound": s/b.wav: chunk "data" at byte 36 claims 200 bytes: the file has 16 more`},
		{"no sound", func(t *testing.T, dir string, _ *listed) { write(t, dir, "s/b.wav", tone(8000, 0, 1)) }, "s/b.wav: no sound"},
		{"another size", func(t *testing.T, dir string, _ *listed) { write(t, dir, "p/c.png", picture(t, 4, 3, 0)) }, `line 4, column "photo": p/c.png: 4 x 3 pixels (height, width): want 3 x 4`},
		{"not an image", func(t *testing.T, dir string, _ *listed) { write(t, dir, "p/c.png", cut) }, "p/c.png: unknown format"},
		{"no first image", tree(header + "a,1,s/a.wav,,x\n"), `modality "image": the column holds no image to take the size from`},
		{"no length", func(_ *testing.T, _ string, o *listed) { o.Sound.Seconds = 0 }, `modality "audio": 0 seconds`},
		{"no hop", func(_ *testing.T, _ string, o *listed) { o.Sound.Spectrogram.Hop = 0 }, `modality "audio": hop of 0`},
		{"one side", func(_ *testing.T, _ string, o *listed) { o.Picture.Height = 8 }, `modality "image": size 8x0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, o := list(t)
			c.change(t, dir, &o)
			src, err := o.open()
			if err == nil {
				_, err = all(t, src, 2)
				src.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// A root other than the manifest's folder, absolute paths inside it, tabs, and a size of one's own.
func TestMediaRoot(t *testing.T) {
	dir, o := list(t)
	o.Root = dir
	o.Manifest = write(t, t.TempDir(), "list.tsv", []byte("id\tsound\tphoto\nx, y\ts/a.wav\t"+filepath.Join(dir, "p/b.png")+"\n"))
	o.Label, o.Picture = "", Picture{Height: 6, Width: 5, Colour: true}
	src := openMedia(t, o)
	rows, err := all(t, src, 1)
	if err != nil || len(rows) != 1 || rows[0].ID != "x, y" || rows[0].Label != -1 {
		t.Fatalf("got %v, %v", rows, err)
	}
	if got := rows[0].Tensors[1].([]uint8); len(got) != 3*6*5 || got[0] < 9 || got[0] > 12 {
		t.Errorf("image: %d values from %d on", len(got), got[0])
	}
	if len(src.Samples().Classes) != 0 {
		t.Errorf("classes %v without labels", src.Samples().Classes)
	}
}

func TestMediaDigest(t *testing.T) {
	dir, o := list(t)
	first := openMedia(t, o).Samples().Digest
	if openMedia(t, o).Samples().Digest != first {
		t.Error("the same list has two digests")
	}
	moved := t.TempDir()
	if err := os.CopyFS(moved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	other := o
	other.Manifest = filepath.Join(moved, "list.csv")
	if openMedia(t, other).Samples().Digest != first {
		t.Error("the digest depends on where the folder lies")
	}
	for name, change := range map[string]func(*listed){
		"rows":    func(o *listed) { o.Where = []Condition{{"split", []string{"train"}}} },
		"classes": func(o *listed) { o.Classes = []string{"10", "9"} },
		"sound":   func(o *listed) { o.Sound.Spectrogram.Hop = 127 },
		"picture": func(o *listed) { o.Picture.Colour = true },
		"a file":  func(*listed) { write(t, dir, "s/b.wav", tone(8000, 501, 880)) },
	} {
		changed := o
		change(&changed)
		if openMedia(t, changed).Samples().Digest == first {
			t.Errorf("%s: the digest is the same", name)
		}
	}
}

// Real lists are long: the rows do not depend on the number of threads, and a decoder leaves nothing of one file in the next.
func TestMediaThreads(t *testing.T) {
	dir, o := list(t)
	var body strings.Builder
	body.WriteString(header)
	for i := range 300 {
		n := strconv.Itoa(i)
		write(t, dir, "s/n"+n+".wav", tone([]int{8000, 11025, 16000}[i%3], 300+7*i, 200+float64(i)))
		write(t, dir, "p/n"+n+".png", picture(t, 3, 4, i))
		body.WriteString(n + ",9,s/n" + n + ".wav,p/n" + n + ".png,train\n")
	}
	write(t, dir, "list.csv", []byte(body.String()))
	src := openMedia(t, o)
	want, err := all(t, src, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 5} {
		if got, err := all(t, src, threads); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: other rows than one thread, %v", threads, err)
		}
	}
	for _, i := range []int{0, 17, 299} { // alone, by a fresh decoder
		d, err := src.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		row := Row{Tensors: make([]any, 2)}
		rows := []Row{row}
		if d.Decode(context.Background(), i, rows, [][]any{make([]any, 2)}); !reflect.DeepEqual(rows[0], want[i]) {
			t.Errorf("row %d alone differs: %v", i, rows[0].Failures)
		}
	}
}

func TestSortedClasses(t *testing.T) {
	for _, c := range []struct{ values, want []string }{
		{[]string{"10", "9", "", "9", "100"}, []string{"9", "10", "100"}},
		{[]string{"1.5", "-2", "01", "1"}, []string{"-2", "01", "1", "1.5"}},
		{[]string{"b", "10", "9", "a"}, []string{"10", "9", "a", "b"}},
		{[]string{"2", "nan", "10"}, []string{"10", "2", "nan"}},
		{[]string{""}, nil},
		{nil, nil},
	} {
		if got := sortedClasses(c.values); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.values, got, c.want)
		}
	}
}

// shared finds the data that is kept beside the repository.
func shared(t testing.TB, path string) string {
	t.Helper()
	folder := os.Getenv("MM_SHARED")
	if folder == "" {
		folder = "../../../shared" // beside the repository
	}
	full := filepath.Join(folder, "data", path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("the shared data are not there: %v", err)
	}
	return full
}

func TestRealMedia(t *testing.T) {
	o := listed{Manifest: shared(t, "avmnist/manifest.csv"), ID: "sample_id", Label: "label",
		Audio: []column{{"audio", "audio"}}, Images: []column{{"image", "image"}},
		Where: []Condition{{"split_speaker", []string{"test"}}},
		Sound: Sound{Rate: 8000, Seconds: 0.5, Spectrogram: media.SpectrogramOptions{NFFT: 256, Hop: 128, Mels: 40, Area: true}}}
	src := openMedia(t, o)
	n, pixels := 0, 0.0
	images, err := media.OpenArray(shared(t, "avmnist/npy/image_pixels.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer images.Close()
	mask, err := media.OpenArray(shared(t, "avmnist/npy/split_speaker_test_mask.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer mask.Close()
	at, want := -1, make([]float32, 784)
	err = Run(context.Background(), src, RunOptions{}, func(r *Row) error {
		n++
		for at++; !mask.Bool(at); at++ {
		}
		images.Row(at, want)
		for j, v := range r.Tensors[1].([]uint8) { // the arrays hold the same images divided by 255
			if d := float64(v)/255 - float64(want[j]); d > 1e-6 || d < -1e-6 {
				t.Fatalf("sample %s, pixel %d: got %d, the array has %v", r.ID, j, v, want[j])
			}
			pixels += float64(v)
		}
		return nil
	})
	if err != nil || n != 500 || len(src.Samples().Classes) != 10 || pixels == 0 {
		t.Errorf("got %d rows of %v, %v", n, src.Samples(), err)
	}
}
