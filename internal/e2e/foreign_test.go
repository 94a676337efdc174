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

// recipe returns the block of docs/recipes.md that has a text in it.
func recipe(t *testing.T, text string) string {
	t.Helper()
	for _, b := range blocks(t, filepath.Join(root, "docs/recipes.md")) {
		if strings.Contains(b.script, text) {
			return b.script
		}
	}
	t.Fatalf("docs/recipes.md: no block has %q", text)
	return ""
}

// python returns Debian's Python; a test without it is skipped.
func python(t *testing.T) string {
	t.Helper()
	const path = "/usr/bin/python3"
	if _, err := exec.LookPath(path); err != nil {
		t.Skip("no Python to read a recipe with")
	}
	return path
}

// TestPythonRecipesCompile: the Python of the recipes that nobody runs is Python.
func TestPythonRecipesCompile(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	_, rest, _ := strings.Cut(recipe(t, "pa.ipc.new_stream"), "<<'END'\n")
	program, _, whole := strings.Cut(rest, "\nEND\n")
	programs := []string{program}
	for _, text := range []string{"torchvision.models", "read_pandas"} {
		_, rest, _ := strings.Cut(recipe(t, text), "python3 -c '")
		program, _, _ := strings.Cut(rest, "'\n")
		programs = append(programs, program)
	}
	for _, program := range programs {
		file := filepath.Join(t.TempDir(), "recipe.py")
		if err := os.WriteFile(file, []byte(program), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(interpreter, "-m", "py_compile", file).CombinedOutput(); err != nil || !whole || program == "" {
			t.Errorf("%v\n%s\n%s", err, program, out)
		}
	}
}

// TestPyarrowRecipe runs the recipe that values another framework's model as it stands, with pyarrow stood in for by apache-arrow:
// audio alone is right, image and the bias are not, and their sum is.
func TestPyarrowRecipe(t *testing.T) {
	t.Parallel()
	interpreter, folder, dir := python(t), others(t), t.TempDir()
	interop, err := filepath.Abs(filepath.Join(root, "scripts/interop"))
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("bash", "-euc", "python3() { "+interpreter+" -B \"$@\"; }\n"+recipe(t, "pa.ipc.new_stream"))
	run.Dir, run.Env = dir, append(os.Environ(), "PYTHONPATH="+interop, "MM_INTEROP="+folder, "MM_QUIET=true")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := reader(t, "apache-arrow")(filepath.Join(dir, "contributions.arrows"))
	for column, want := range map[string][]any{"id": {"s0"}, "phi_audio": {1.5}, "phi_image": {0.5}} {
		if values := got.column(t, column); !reflect.DeepEqual(values, want) {
			t.Errorf("%s: got %v, want %v", column, values, want)
		}
	}
}
