//go:build mmcuda && cgo && linux

package trial

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// AddressSanitizer finds what reads or writes beside memory, of the card or shared. Go's linker does not know it, so that the tests
// run once more in a process that loads it first.
func TestNothingOutside(t *testing.T) {
	out, err := exec.Command(compiler(), "-print-file-name=libasan.so").Output()
	library := strings.TrimSpace(string(out))
	if err != nil || !strings.Contains(library, "/") {
		t.Skipf("%s has no libasan.so", compiler())
	}
	again := sanitize(t, "address")
	if text, err := again("", "LD_PRELOAD="+library, "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0"); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// No thread of a kernel reads or writes what another one writes, but for a barrier between them: as they are run one after the other here,
// a wrong result would show only in some order.
func TestNoRaces(t *testing.T) {
	again := sanitize(t, "thread")
	if text, err := again(""); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for name, want := range map[string]string{"Threads": "writes shared memory", "Blocks": "writes the card's memory"} {
		if text, err := again("TestRacy" + name); err == nil || !strings.Contains(text, want) {
			t.Errorf("%s: got %v, want a race that %s\n%s", name, err, want, text)
		}
	}
}

// sanitize compiles the kernels with a sanitizer, and returns what runs the tests once more in a process that uses them, or those of a name.
func sanitize(t *testing.T, with string) func(name string, environment ...string) (text string, err error) {
	t.Helper()
	if sanitized {
		t.Skip("this is that process")
	}
	if kernels(t).OnCard() {
		t.Skip("compute-sanitizer is for a card")
	}
	if testing.Short() {
		t.Skip("compiling and running the kernels once more takes several times as long")
	}
	library := filepath.Join(t.TempDir(), "kernels.so")
	if err := compile(library, "-fsanitize="+with, "-g", "-O1"); err != nil {
		t.Fatal(err)
	}
	return func(name string, environment ...string) (string, error) {
		test := exec.Command(os.Args[0], "-test.short", "-test.run="+name)
		test.Env = append(os.Environ(), append(environment, "MM_TRIAL_SANITIZER="+with, "MM_TRIAL_KERNELS="+library, "MM_TRIAL_RACY="+name)...)
		text, err := test.CombinedOutput()
		return string(text), err
	}
}

func compiler() string {
	if c := os.Getenv("CXX"); c != "" {
		return c
	}
	return "g++"
}

// The two tests below end their process where TestNoRaces asks for them. racy, in ../emulate, is right with a barrier and memory of its own
// for each block.
func TestRacyThreads(t *testing.T) { racy(t, 0) }
func TestRacyBlocks(t *testing.T)  { racy(t, 2) }

func racy(t *testing.T, how int) {
	if sanitizer != "thread" {
		t.Skip("races are looked for in a process of its own")
	}
	r := newRig(t, 0)
	y := r.output(512)
	r.launch("mm_racy", blocks(2, 1, 1), y, 1)
	if os.Getenv("MM_TRIAL_RACY") != "" {
		r.launch("mm_racy", blocks(2, 1, 1), y, how)
	}
}
