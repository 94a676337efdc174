//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/kernel/cuda/driver"
)

// emulated is the emulated driver, which has cuBLAS and cuDNN in it too; empty where none could be built.
var emulated string

// TestMain builds the emulated driver, unless MM_CUDA_DRIVER names one: "libcuda.so.1" runs the tests on the machine's card.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(driver.Environment) == "" {
		dir, err := os.MkdirTemp("", "mmcuda")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if _, err := exec.LookPath("g++"); err == nil {
			emulated = filepath.Join(dir, "libcuda.so.1")
			if out, err := exec.Command("emulate/build", emulated).CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "building the emulated driver: %v\n%s", err, out)
				return 1
			}
			os.Setenv(driver.Environment, emulated)
		}
	}
	return m.Run()
}

// ownEnvironment is set where the kernels of this package are to do what is asked of cuBLAS and cuDNN too.
const ownEnvironment = "MM_TEST_OWN_KERNELS"

// open opens the card, with cuBLAS and cuDNN or with the kernels of this package alone.
func open(t testing.TB, o Options, libraries bool) *Device {
	t.Helper()
	if os.Getenv(driver.Environment) == "" {
		t.Skip("g++ is not here, and builds the emulated driver")
	}
	path := "none"
	if libraries && os.Getenv(ownEnvironment) == "" {
		path = emulated // on a card: what is there
	}
	t.Setenv(blasEnvironment, path)
	t.Setenv(ltEnvironment, path)
	t.Setenv(dnnEnvironment, path)
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d.(*Device)
}

func openCPU(t testing.TB) kernel.Device {
	t.Helper()
	d, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
