//go:build mmcuda && cgo && linux

package trial

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// AddressSanitizer finds what reads or writes beside memory, of the card or shared. Go's linker does not know it, so that the tests
// run once more in a process that loads it first.
func TestNothingOutside(t *testing.T) {
	if sanitized {
		t.Skip("this is that process")
	}
	if kernels(t).OnCard() {
		t.Skip("compute-sanitizer is for a card")
	}
	if testing.Short() {
		t.Skip("compiling and running the kernels once more takes several times as long")
	}
	compiler := "g++"
	if c := os.Getenv("CXX"); c != "" {
		compiler = c
	}
	out, err := exec.Command(compiler, "-print-file-name=libasan.so").Output()
	library := strings.TrimSpace(string(out))
	if err != nil || !strings.Contains(library, "/") {
		t.Skipf("%s has no libasan.so", compiler)
	}
	test := exec.Command(os.Args[0], "-test.short")
	test.Env = append(os.Environ(), "MM_TRIAL_SANITIZED=1", "LD_PRELOAD="+library, "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0")
	if text, err := test.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}
