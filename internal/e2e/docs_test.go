package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mmtools/pkg/schema"
	"mmtools/pkg/stream"

	"github.com/rogpeppe/go-internal/testscript"
)

// block is a fenced sh block of a document.
type block struct {
	line    int
	section string // the heading above
	script  string
	reason  string // why it is not run: the first line's comment after "not run:"
	needs   string // the program without which it is not run: the first line's comment after "needs"
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
	section := ""
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		switch {
		case open == nil && strings.HasPrefix(line, "## "):
			section = strings.TrimPrefix(line, "## ")
		case open == nil && strings.TrimSpace(line) == "```sh":
			open = &block{line: n + 1, section: section}
		case open == nil && strings.HasPrefix(line, "```") && len(line) > 3:
			t.Errorf("%s:%d: a block of %q, which nobody runs: use sh", path, n, line[3:])
		case open != nil && strings.TrimSpace(line) == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			if reason, ok := strings.CutPrefix(line, "# not run: "); ok && open.script == "" {
				open.reason = reason
			}
			if program, ok := strings.CutPrefix(line, "# needs "); ok && open.script == "" {
				open.needs = program
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

// TestDocuments runs every sh block of the documents in order, those of data sets beside the others, each document in a folder of its own with the arrays that
// docs/recipes.md names and the streams that README.md takes as given. A block whose first line is "# not run: REASON" is read by bash and not
// run, and so is one whose first line is "# needs PROGRAM" where that is not there.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"README.md", "docs/recipes.md"} {
		t.Run(filepath.Base(document), func(t *testing.T) {
			t.Parallel()
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
						runBlocks(ts, document, all)
						if document == "docs/recipes.md" {
							checkRecipes(ts)
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

// apart is the section of docs/recipes.md whose blocks have nothing to do with each other, or with any other.
const apart = "From a data set's download to a model"

// runBlocks runs a document's blocks in order, and those that stand apart one after the other beside them.
func runBlocks(ts *testscript.TestScript, document string, all []block) {
	chains := make([][]block, 2)
	for _, b := range all {
		chain := 0
		if b.section == apart {
			chain = 1
		}
		chains[chain] = append(chains[chain], b)
	}
	errs := make([]error, len(chains))
	var done sync.WaitGroup
	for i, chain := range chains {
		done.Go(func() {
			for _, b := range chain {
				if errs[i] = runBlock(ts, document, b); errs[i] != nil {
					return
				}
			}
		})
	}
	done.Wait()
	ts.Check(errors.Join(errs...))
}

func runBlock(ts *testscript.TestScript, document string, b block) error {
	args := []string{"120", "bash", "-euo", "pipefail", "-c", b.script}
	if _, err := exec.LookPath(b.needs); b.needs != "" && err != nil {
		b.reason = "no " + b.needs
	}
	if b.reason != "" {
		args = []string{"120", "bash", "-n", "-c", b.script}
	}
	cmd := exec.Command("timeout", args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "MM_THREADS=1", "MMTOOLS="+root, "BACKBONE=cnn:4,4", "SIZE=32", "EPOCHS=2", "WARM_UP=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s:%d: %w\n%s\n%s", document, b.line, err, b.script, out)
	}
	return nil
}

// recipes says what each stream of docs/recipes.md's data sets holds: modalities, and how many samples of the six are there.
var recipes = map[string]string{
	"ks-train.arrows":        "audio [1024 128], visual [10 3 224 224]: 4",
	"clips-train.arrows":     "audio [1024 128], visual [10 3 224 224]: 3",
	"clips-test.arrows":      "audio [1024 128], visual [10 3 224 224]: 2",
	"ucf-train.arrows":       "visual [6 3 224 224], flow [6 2 224 224]: 4",
	"debiased-train.arrows":  "audio [1024 128], visual [10 3 224 224]: 4",
	"vgg-train.arrows":       "audio [129 626], visual [10 3 224 224]: 3",
	"k400-train.arrows":      "audio [1024 128], visual [10 3 224 224]: 3",
	"k400-validation.arrows": "audio [1024 128], visual [10 3 224 224]: 2",
	"ave-train.arrows":       "audio [257 1004], visual [10 3 224 224]: 4",
	"crema-test.arrows":      "audio [257 188], visual [3 3 224 224]: 2",
	"raw-train.arrows":       "visual [10 3 224 224], flow [10 2 224 224]: 4",
	"raw-val.arrows":         "visual [10 3 224 224], flow [10 2 224 224]: 2",
	"mine-train.arrows":      "audio [32 32], visual [3 3 32 32]: 4",
}

// checkRecipes looks into the streams of the recipes that ran: no modality is null, and the models were trained.
func checkRecipes(ts *testscript.TestScript) {
	for name, want := range recipes {
		f, err := os.Open(ts.MkAbs(name))
		if _, none := exec.LookPath("ffmpeg"); none != nil && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		ts.Check(err)
		got, err := describe(f)
		f.Close() // it was only read
		ts.Check(err)
		if got != want {
			ts.Fatalf("%s holds %s, want %s", name, got, want)
		}
	}
}

// describe says which modalities a samples stream has, and how many samples, in each of which all are there.
func describe(in io.Reader) (string, error) {
	r, err := stream.NewReader(in)
	if err != nil {
		return "", err
	}
	s, err := schema.NewSamplesReader(r)
	if err != nil {
		return "", err
	}
	var modalities []string
	for _, m := range s.Header().Modalities {
		modalities = append(modalities, fmt.Sprintf("%s %v", m.Name, m.Shape))
	}
	n := 0
	for {
		b, err := s.Next()
		if err == io.EOF {
			return fmt.Sprintf("%s: %d", strings.Join(modalities, ", "), n), nil
		}
		if err != nil {
			return "", err
		}
		for i := range b.Rows() {
			n++
			for p := range modalities {
				if !b.Present(p, i) {
					return "", fmt.Errorf("sample %s lacks modality %d", b.ID(i), p)
				}
			}
		}
	}
}
