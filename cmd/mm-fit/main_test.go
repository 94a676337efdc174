package main

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mmtools/internal/exits"
	"mmtools/pkg/kernel/cuda"
	"mmtools/pkg/network/networktest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"mm-fit": main}) }

// The condition cuda holds in a program that was built for cards.
func TestScripts(t *testing.T) {
	t.Setenv("MM_CUDA_DRIVER", "/nonexistent/libcuda.so.1")
	_, err := cuda.New(cuda.Options{})
	built := !errors.Is(err, cuda.ErrNotBuilt)
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MM_CUDA_DRIVER", "/nonexistent/libcuda.so.1")
			return networktest.WriteSamples(filepath.Join(env.WorkDir, "samples.arrows"), networktest.Modalities("a", "v"), networktest.Classes, networktest.Table())
		},
		Condition: func(string) (bool, error) { return built, nil },
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits.Command}})
}
