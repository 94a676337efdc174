package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// block is a fenced sh block of a document.
type block struct {
	line   int
	script string
	reason string // why it is not run: the first line's comment after "not run:"
}

func blocks(t *testing.T, path string) []block {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []block
	var open *block
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		switch {
		case open == nil && strings.TrimSpace(line) == "```sh":
			open = &block{line: n + 1}
		case open == nil && strings.HasPrefix(line, "```") && len(line) > 3:
			t.Errorf("%s:%d: a block of %q, which nobody runs: use sh", path, n, line[3:])
		case open != nil && strings.TrimSpace(line) == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			if reason, ok := strings.CutPrefix(line, "# not run: "); ok && open.script == "" {
				open.reason = reason
			}
			open.script += line + "\n"
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if open != nil {
		t.Errorf("%s:%d: the block never ends", path, open.line)
	}
	return all
}

// TestDocuments runs every sh block of the documents in order, each document in a folder of its own with the arrays that
// docs/recipes.md names and the streams that README.md takes as given. A block whose first line is "# not run: REASON" is read by bash and not run.
func TestDocuments(t *testing.T) {
	for _, document := range []string{"README.md", "docs/recipes.md"} {
		t.Run(filepath.Base(document), func(t *testing.T) {
			all := blocks(t, filepath.Join(root, document))
			if len(all) == 0 {
				t.Fatal("no block found")
			}
			dir := t.TempDir()
			testscript.Run(t, testscript.Params{
				Files: []string{arrays(t)},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"npy":       npy,
					"samples":   samples,
					"downloads": downloads,
					"run": func(ts *testscript.TestScript, _ bool, _ []string) {
						for _, b := range all {
							runBlock(ts, document, b)
						}
					},
				},
				WorkdirRoot: dir,
			})
		})
	}
}

// arrays writes the script that makes the documents' arrays and runs their blocks.
func arrays(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "document.txtar")
	script := "npy audio.npy f4 300 40 1\nnpy image.npy f4 300 64 1\nnpy labels.npy i8 300 0 1\nnpy test.npy b1 300 0 1\n" +
		"samples train.arrows rows=300 seed=1\nsamples test.arrows rows=100 seed=2 prefix=t\ndownloads\nrun\n"
	if err := os.WriteFile(path, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func runBlock(ts *testscript.TestScript, document string, b block) {
	args := []string{"120", "bash", "-euo", "pipefail", "-c", b.script}
	if b.reason != "" {
		args = []string{"120", "bash", "-n", "-c", b.script}
	}
	cmd := exec.Command("timeout", args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "MM_THREADS=1", "MMTOOLS="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("%s:%d: %v\n%s\n%s", document, b.line, err, b.script, fmt.Sprint(string(out)))
	}
}
