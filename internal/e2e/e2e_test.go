package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/cpu"
)

// root is the repository's.
var root string

func TestMain(m *testing.M) {
	os.Exit(withTools(m))
}

// The tests of this package run side by side: each is a chain of programs that wait for each other, with a thread apiece.

// withTools builds every tool of cmd once, puts them before the rest of PATH, and runs the tests. The go command takes the
// build tags of this run from GOFLAGS, which the Makefile exports.
func withTools(m *testing.M) int {
	fail := func(doing string, err error) int {
		fmt.Fprintf(os.Stderr, "e2e: %s: %v\n", doing, err)
		return 1
	}
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		return fail("finding the repository", err)
	}
	bin, err := os.MkdirTemp("", "mmtools-e2e-")
	if err != nil {
		return fail("making a folder for the tools", err)
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "build", "-ldflags", "-s -w -X mmtools/pkg/cli.Version=0.0.0-test", "-o", bin+"/", "./cmd/...")
	build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fail("building the tools", err)
	}
	if err := os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return fail("setting PATH", err)
	}
	return m.Run()
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		ContinueOnError:     true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"samples":     samples,
			"edit":        edit,
			"npy":         npy,
			"sh":          sh,
			"truncations": truncations,
			"interrupt":   interrupt,
			"left":        left,
			"ctrlc":       ctrlc,
			"number":      number,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("MM_THREADS", "1") // two cores are shared by all tests
			e.Setenv("SCRIPTS", filepath.Join(root, "scripts"))
			if cpu.X86.HasAVX512F {
				e.Setenv("EXACT", "yes") // a row's products do not depend on the other rows
			}
			return nil
		},
	})
}
