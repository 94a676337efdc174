// Package floors holds the architecture of docs/design.md: who may import whom, who may end the process or speak to the
// terminal, how large a file may grow. It reads the sources, whatever their build tags, and needs no build.
package floors

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floor of each package under pkg; the packages below one, such as kernel/cpu, are on its floor. A package imports lower
// floors only, and packages of its own tree.
var floor = map[string]int{
	"modality": 0, "shapley": 0, "rng": 0, "pixel": 0,
	"stream": 1, "safetensors": 1, "kernel": 1, "media": 1, "resample": 1, "metric": 1, "augment": 1, "ffmpeg": 1, "text": 1, "onnx": 1,
	"op": 2, "schema": 2, "table": 2, "dataset": 2, "device": 2,
	"machine": 3, "checkpoint": 3, "encode": 3,
	"network": 4,
	"train":   5, "valuation": 5, "report": 5, "classifier": 5,
	"cli": 6,
}

// roomless are names that say nothing of what is inside.
var roomless = []string{"util", "utils", "common", "types", "lib", "helpers", "misc"}

const (
	root   = "../.."
	module = "mmtools"
)

// source is a parsed Go file that is not a test.
type source struct {
	path string // slash-separated, from the repository's root
	file *ast.File
}

func (s source) dir() string { return path.Dir(s.path) }

// imports returns the packages of this module that the file imports, as "pkg/stream".
func (s source) imports() []string {
	var ours []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			ours = append(ours, rest)
		}
	}
	return ours
}

func (s source) importsPath(p string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote(p) })
}

// uses reports whether the file names a package's member, as os.Exit, through an import of that path.
func (s source) uses(importPath, member string) bool {
	if !s.importsPath(importPath) {
		return false
	}
	found := false
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == member {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == path.Base(importPath) {
				found = true
			}
		}
		return !found
	})
	return found
}

// files calls f for every file of the repository below its root, tests included, hidden folders and test data not.
func files(t *testing.T, f func(path string)) {
	t.Helper()
	for _, top := range []string{"cmd", "internal", "pkg", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
				return fs.SkipDir
			case !d.IsDir():
				rel, err := filepath.Rel(root, p)
				if err != nil {
					return err
				}
				f(filepath.ToSlash(rel))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	files(t, func(p string) {
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, p), nil, parser.ParseComments)
		if err != nil {
			t.Errorf("parsing %s: %v", p, err)
			return
		}
		all = append(all, source{p, file})
	})
	if len(all) == 0 {
		t.Fatal("no source found: the test runs in the wrong place")
	}
	return all
}

// tree returns the package under pkg that dir belongs to: "kernel" for pkg/kernel/cpu.
func tree(dir string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(dir, "pkg/")
	name, _, _ = strings.Cut(rest, "/")
	return name, ok
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range sources(t) {
		from, inPkg := tree(s.dir())
		if _, known := floor[from]; inPkg && !known {
			t.Errorf("%s: package %s has no floor: give it one here and in docs/design.md", s.path, from)
		}
		for _, imported := range s.imports() {
			if strings.HasPrefix(imported, "cmd/") {
				t.Errorf("%s imports %s: nothing imports a command", s.path, imported)
			}
			if strings.HasPrefix(imported, "internal/") && s.dir() != "pkg/cli" && !strings.HasPrefix(s.path, "internal/") {
				t.Errorf("%s imports %s: only pkg/cli builds on internal", s.path, imported)
			}
			to, toPkg := tree(imported)
			if !toPkg {
				continue
			}
			if strings.HasPrefix(s.path, "internal/") {
				t.Errorf("%s imports %s: internal is below every floor", s.path, imported)
			}
			if inPkg && to != from && floor[to] >= floor[from] {
				t.Errorf("%s (floor %d) imports %s (floor %d): only lower floors may be imported", s.path, floor[from], imported, floor[to])
			}
		}
	}
}

func TestOnlyMainExits(t *testing.T) {
	for _, s := range sources(t) {
		isMain := strings.HasPrefix(s.path, "cmd/") && path.Base(s.path) == "main.go"
		if s.file.Name.Name == "main" && !strings.HasPrefix(s.path, "cmd/") {
			continue // a generator, which is no part of the tools
		}
		if !isMain && s.uses("os", "Exit") {
			t.Errorf("%s calls os.Exit: only cmd/*/main.go may", s.path)
		}
		if strings.HasPrefix(s.path, "cmd/") && s.uses("os", "Exit") && !s.importsPath(module+"/pkg/cli") {
			t.Errorf("%s exits without pkg/cli, which decides the exit code", s.path)
		}
		for _, member := range []string{"Fatal", "Fatalf", "Fatalln"} {
			if s.uses("log", member) {
				t.Errorf("%s calls log.%s: return an error", s.path, member)
			}
		}
	}
}

// Packages report through errors, callbacks and values; only cli knows the terminal.
func TestPackagesAreSilent(t *testing.T) {
	for _, s := range sources(t) {
		if s.importsPath("github.com/rs/zerolog/log") {
			t.Errorf("%s imports zerolog's global logger: pass one", s.path)
		}
		if s.importsPath("math/rand") {
			t.Errorf("%s imports math/rand: every random choice comes from pkg/rng", s.path)
		}
		if from, ok := tree(s.dir()); !ok || from == "cli" {
			continue
		}
		for _, use := range [][2]string{
			{"fmt", "Print"}, {"fmt", "Printf"}, {"fmt", "Println"},
			{"os", "Stdin"}, {"os", "Stdout"}, {"os", "Stderr"},
			{"log", "Print"}, {"log", "Printf"}, {"log", "Println"},
		} {
			if s.uses(use[0], use[1]) {
				t.Errorf("%s uses %s.%s: the terminal belongs to pkg/cli", s.path, use[0], use[1])
			}
		}
	}
}

func TestNames(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		for _, part := range strings.Split(s.dir(), "/") {
			if slices.Contains(roomless, part) {
				t.Errorf("%s: a package named %q says nothing of what is inside", s.path, part)
			}
		}
		if strings.HasPrefix(s.path, "pkg/") {
			documented[s.dir()] = documented[s.dir()] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: write doc.go", dir)
		}
	}
}

func TestSizes(t *testing.T) {
	files(t, func(p string) {
		if !slices.Contains([]string{".go", ".c", ".h", ".cu", ".py", ".sh", ""}, path.Ext(p)) {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			t.Fatal(err)
		}
		if head, _, _ := bytes.Cut(text, []byte("\n")); bytes.Contains(head, []byte("Code generated")) {
			return
		}
		lines := bytes.Count(text, []byte("\n"))
		switch isMain := strings.HasPrefix(p, "cmd/") && path.Base(p) == "main.go"; {
		case isMain && lines > 60:
			t.Errorf("%s has %d lines: a main.go says flags, open, one call, close in about 40", p, lines)
		case lines > 700:
			t.Errorf("%s has %d lines: no file has more than 700", p, lines)
		case lines > 400:
			t.Logf("%s has %d lines: look twice whether it is one thing", p, lines)
		}
	})
}
