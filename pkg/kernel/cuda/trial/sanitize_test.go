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
// With MM_TRIAL_PTX they are those of the PTX that is shipped, which takes two to three times as long.
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
	if os.Getenv("MM_TRIAL_PTX") != "" {
		translate(t)
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

// A kernel that reads numbers off a multiple of their size ends its process here, for a card fails then.
func TestOffAlignment(t *testing.T) {
	if kernels(t).OnCard() || sanitized {
		t.Skip("a card that fails so is lost")
	}
	r := newRig(t, 0)
	index, table, y := r.ints([]int64{0, 0}), r.floats([]float32{1, 2, 3, 4}), r.output(4)
	if os.Getenv("MM_TRIAL_OFF") == "" {
		r.launch("mm_gather", blocks(1, 1, 1), y, table, index, 1, 4)
		again := exec.Command(os.Args[0], "-test.run=^TestOffAlignment$")
		again.Env = append(os.Environ(), "MM_TRIAL_OFF=1")
		if text, err := again.CombinedOutput(); err == nil || !strings.Contains(string(text), "mm_gather, block 0 0 0: memory is not at a multiple of the size") {
			t.Errorf("got %v, want a kernel that is refused\n%s", err, text)
		}
		return
	}
	r.launch("mm_gather", blocks(1, 1, 1), y, table, index.Skip(4), 1, 4)
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
