package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mmtools/pkg/stream"
)

// foreign is a stream as scripts/interop/read.mjs prints it: what a reader that shares no code with ours makes of it.
type foreign struct {
	Metadata map[string]string
	Columns  []struct {
		Name, Extension string
		Values          []any
	}
}

func (f foreign) column(t *testing.T, name string) []any {
	t.Helper()
	for _, c := range f.Columns {
		if c.Name == name {
			return c.Values
		}
	}
	t.Fatalf("no column %q", name)
	return nil
}

// others returns the folder of the readers and writers that are not ours; a test without them is skipped.
func others(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node to read and write streams with")
	}
	install := exec.Command(filepath.Join(root, "scripts/interop/install"))
	install.Stderr = os.Stderr
	folder, err := install.Output()
	if err != nil || len(folder) == 0 {
		t.Skipf("no apache-arrow and no Polars to read streams with: run scripts/interop/install (%v)", err)
	}
	return strings.TrimSpace(string(folder))
}

// reader returns how to read a stream with apache-arrow or polars.
func reader(t *testing.T, name string) func(path string) foreign {
	t.Helper()
	folder := others(t)
	return func(path string) foreign {
		t.Helper()
		read := exec.Command("node", filepath.Join(root, "scripts/interop/read.mjs"), name, folder, path)
		read.Stderr = os.Stderr
		text, err := read.Output()
		if err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
		var f foreign
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
}

// npyFile writes a npy file.
func npyFile(t *testing.T, path, descr, shape string, values any) {
	t.Helper()
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	for _, v := range []any{uint16(len(header)), []byte(header), values} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func tool(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command(args[0], args[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "MM_THREADS=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// inFileFormat writes a stream again, in Arrow's file format.
func inFileFormat(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	r, err := stream.NewReader(bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() // it was only read
	var out bytes.Buffer
	w, err := stream.NewWriter(&out, r.Schema(), stream.WithFileFormat())
	if err != nil {
		t.Fatal(err)
	}
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestOtherReaders: what goes into the tools is what apache-arrow and Polars read out of their streams, the file format included.
func TestOtherReaders(t *testing.T) {
	t.Parallel()
	read, polars := reader(t, "apache-arrow"), reader(t, "polars")
	dir := t.TempDir()
	const rows = 12
	var (
		floats                      []float32
		halves                      []uint16
		pixels                      []uint8
		labels                      []uint8
		ids                         strings.Builder
		wantID, wantLabel           []any
		wantFloat, wantHalf, wantU8 []any
	)
	for i := range rows {
		var f, h, u []any
		for j := range 6 {
			v := float32(math.Sin(float64(7*i+j))) + float32(i%3)
			floats, f = append(floats, v), append(f, float64(v))
		}
		for j := range 4 { // 1 + (16 i + j) / 1024, and its bits
			n := 16*i + j
			halves, h = append(halves, 0x3c00+uint16(n)), append(h, 1+float64(n)/1024)
		}
		for j := range 5 {
			pixels, u = append(pixels, uint8(20*i+j)), append(u, float64(20*i+j))
		}
		labels = append(labels, uint8(i%3))
		fmt.Fprintf(&ids, "clip é %d\n", i)
		wantID, wantLabel = append(wantID, fmt.Sprintf("clip é %d", i)), append(wantLabel, float64(i%3))
		wantFloat, wantHalf, wantU8 = append(wantFloat, f), append(wantHalf, h), append(wantU8, u)
	}
	floats[6*3+2], wantFloat[3] = float32(math.NaN()), nil // row 3 loses the modality
	npyFile(t, filepath.Join(dir, "f.npy"), "<f4", "(12, 2, 3)", floats)
	npyFile(t, filepath.Join(dir, "h.npy"), "<f2", "(12, 4)", halves)
	npyFile(t, filepath.Join(dir, "u.npy"), "|u1", "(12, 1, 5)", pixels)
	npyFile(t, filepath.Join(dir, "y.npy"), "|u1", "(12,)", labels)
	if err := os.WriteFile(filepath.Join(dir, "ids"), []byte(ids.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]string{"samples": "extension", "plain": "list"} {
		tool(t, dir, "mm-encode", "arrays", "--modality", "sound=f.npy", "--modality", "motion=h.npy", "--modality", "image=u.npy", "--labels", "y.npy",
			"--ids", "ids", "--classes", "a,b,ç", "--on-error", "null", "--tensors", form, "-o", name+".stream")
		inFileFormat(t, filepath.Join(dir, name+".stream"), filepath.Join(dir, name+".file"))
	}
	for _, name := range []string{"samples.stream", "samples.file", "plain.stream", "plain.file"} {
		plain := strings.HasPrefix(name, "plain")
		got := read(filepath.Join(dir, name))
		if plain { // Polars refuses extension types that it does not know
			got = polars(filepath.Join(dir, name))
		}
		for column, want := range map[string][]any{"id": wantID, "label": wantLabel, "sound": wantFloat, "motion": wantHalf, "image": wantU8} {
			if values := got.column(t, column); !reflect.DeepEqual(values, want) {
				t.Errorf("%s: column %s: got %v, want %v", name, column, values, want)
			}
		}
		if plain {
			continue
		}
		if got.Metadata["mm.stream"] != "samples" || got.Metadata["mm.classes"] != `["a","b","ç"]` || got.Metadata["mm.modalities"] != `["sound","motion","image"]` {
			t.Errorf("%s: metadata %v", name, got.Metadata)
		}
		for _, c := range got.Columns {
			if want := map[string]string{"sound": `{"shape":[2,3]}`, "motion": `{"shape":[4]}`, "image": `{"shape":[1,5]}`}[c.Name]; c.Extension != want {
				t.Errorf("%s: column %s: extension %q, want %q", name, c.Name, c.Extension, want)
			}
		}
	}
	for _, name := range []string{"samples", "plain"} {
		tool(t, dir, "mm-fit", name+".stream", "--epochs", "2", "--quiet", "-o", name+".model")
	}
	same(t, filepath.Join(dir, "samples.model"), filepath.Join(dir, "plain.model"))
	tool(t, dir, "mm-value", "samples.stream", "--model", "samples.model", "--quiet", "-o", "contributions")
	tool(t, dir, "mm-resample", "contributions", "--method", "sample", "--quiet", "-o", "plan")
	for _, read := range []func(string) foreign{read, polars} {
		contributions(t, read(filepath.Join(dir, "contributions")), wantID, wantLabel)
		plan(t, read(filepath.Join(dir, "plan")), wantID)
	}
}

// contributions holds what was read to the law of Shapley values: they sum to the modalities that a sample has where it is right, else to 0.
func contributions(t *testing.T, c foreign, ids, labels []any) {
	t.Helper()
	if !reflect.DeepEqual(c.column(t, "id"), ids) || !reflect.DeepEqual(c.column(t, "label"), labels) {
		t.Errorf("contributions of %v, labels %v", c.column(t, "id"), c.column(t, "label"))
	}
	for i, prediction := range c.column(t, "prediction") {
		sum, there := 0.0, 0.0
		for _, m := range []string{"sound", "motion", "image"} {
			phi, ok := c.column(t, "phi_"+m)[i].(float64)
			if ok {
				sum, there = sum+phi, there+1
			}
			if lacks := m == "sound" && i == 3; ok == lacks {
				t.Errorf("row %d, %s: %v", i, m, phi)
			}
		}
		want := 0.0
		if prediction == labels[i] {
			want = there
		}
		if math.Abs(sum-want) > 1e-12 {
			t.Errorf("row %d: contributions sum to %v, want %v", i, sum, want)
		}
	}
}

// plan holds every row to the sample that it names, and every sample to a whole row.
func plan(t *testing.T, p foreign, ids []any) {
	t.Helper()
	rows, keep := p.column(t, "row"), p.column(t, "keep")
	whole := map[int]bool{}
	for k, row := range rows {
		i := int(row.(float64))
		if p.column(t, "id")[k] != ids[i] || p.column(t, "weight")[k].(float64) <= 0 {
			t.Errorf("plan row %d: id %v, want %v", k, p.column(t, "id")[k], ids[i])
		}
		if keep[k] == 7.0 || i == 3 && keep[k] == 6.0 {
			whole[i] = true
		}
	}
	if len(rows) < len(ids) || len(whole) != len(ids) {
		t.Errorf("%d rows, %d samples whole: keep %v", len(rows), len(whole), keep)
	}
}
