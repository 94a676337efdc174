package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// same fails the test where two files differ.
func same(t *testing.T, a, b string) {
	t.Helper()
	x, errA := os.ReadFile(a)
	y, errB := os.ReadFile(b)
	if errA != nil || errB != nil || !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ: %v, %v", a, b, errA, errB)
	}
}

// TestOtherWriters: the list and the features that Polars and apache-arrow write, with categories, views and every compression, come out of
// mm-encode as they went in, read by the other one; and all of their formats give the same samples.
func TestOtherWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := exec.Command("node", filepath.Join(root, "scripts/interop/write.mjs"), others(t), dir)
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var ids, labels, vectors, numbers []any
	for i := range 9 { // as write.mjs has it
		id := "clip " + string(rune('0'+i))
		if i%2 == 1 {
			id = "a clip with a long name, é " + string(rune('0'+i))
		}
		x := float64(i)
		ids, labels = append(ids, id), append(labels, float64(i%3))
		vectors = append(vectors, []any{x, x / 2, -x, x / 8})
		numbers = append(numbers, []any{x / 4, x * x})
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 8 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		args := []string{"mm-encode", "dataset", "table", "--root", ".", "--lists", name, "--classes", "bowling,singing,ü", "--tensors", "list", "--quiet"}
		columns := map[string][]any{"id": ids, "label": labels, "n": numbers}
		both := append(args, "--feature", "n=id:file="+name+",values=f*", "-o", name+".samples")
		if !strings.HasSuffix(name, ".csv") { // which holds no lists
			both = append(both, "--feature", "v=id:file="+name+",values=v")
			columns["v"] = vectors
		}
		tool(t, dir, both...)
		by := "polars"
		if strings.HasPrefix(name, by) {
			by = "apache-arrow"
		}
		got := reader(t, by)(filepath.Join(dir, name+".samples"))
		for column, want := range columns {
			if values := got.column(t, column); !reflect.DeepEqual(values, want) {
				t.Errorf("%s: column %s: got %v, want %v", name, column, values, want)
			}
		}
	}
}
