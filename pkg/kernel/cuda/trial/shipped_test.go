//go:build mmcuda && cgo && linux

package trial

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/internal/ptx"
)

// translate writes the PTX that is shipped as C++, for ../emulate/build. Both architectures have the same (internal/ptx holds it).
func translate(tb testing.TB) {
	tb.Helper()
	dir := tb.TempDir()
	if err := ptx.Folder("../ptx/sm_80", dir); err != nil {
		tb.Fatal(err)
	}
	tb.Setenv("MM_PTX", dir)
}

// The PTX that a card is given passes the tests that its sources pass, and leaves the same bits in memory: neither compiler may have
// rounded anything in another way.
func TestShippedPTX(t *testing.T) {
	if compiled != "" {
		t.Skip("this is a process of its own")
	}
	if kernels(t).OnCard() {
		t.Skip("a card runs it in all tests")
	}
	if testing.Short() {
		t.Skip("compiling and running the kernels once more takes twice as long")
	}
	library := filepath.Join(t.TempDir(), "ptx.so")
	translate(t)
	if err := compile(library); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(library); err != nil || !bytes.Contains(text, []byte("of_mm_linear_narrow")) {
		t.Fatalf("the library is not of the translated PTX, %v", err)
	}
	again := exec.Command(os.Args[0], "-test.short", "-test.v")
	again.Env = append(os.Environ(), "MM_TRIAL_KERNELS="+library, "MM_TRIAL_AGAINST="+built.library)
	text, err := again.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if n := strings.Count(string(text), "\n--- PASS: "); n < 30 {
		t.Errorf("%d tests ran on the PTX\n%s", n, text)
	}
}

// equal fails at the first word in which got and want differ.
func equal(tb testing.TB, what string, got, want []byte) {
	tb.Helper()
	if bytes.Equal(got, want) {
		return
	}
	for i := 0; i+4 <= len(got); i += 4 {
		if g, w := binary.LittleEndian.Uint32(got[i:]), binary.LittleEndian.Uint32(want[i:]); g != w {
			tb.Fatalf("%s differs between the builds: %08x, want %08x, from byte %d on", what, g, w, i)
		}
	}
	tb.Fatalf("%s differs between the builds in its last bytes", what)
}
