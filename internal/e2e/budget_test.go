package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Starting a tool costs under 20 ms: a pipe of five starts them for every epoch. The quickest of many starts is taken,
// since the machine does other things too.
func TestTheToolsStartFast(t *testing.T) {
	tools, err := filepath.Glob(filepath.Join(root, "cmd", "mm-*"))
	if err != nil || len(tools) == 0 {
		t.Fatalf("listing the tools: %v, %d found", err, len(tools))
	}
	for _, tool := range tools {
		name := filepath.Base(tool)
		best := time.Hour
		for range 20 {
			start := time.Now()
			if err := exec.Command(name, "--version").Run(); err != nil {
				t.Fatalf("%s --version: %v", name, err)
			}
			best = min(best, time.Since(start))
		}
		if best > 20*time.Millisecond {
			t.Errorf("%s starts in %v, want under 20ms", name, best)
		}
	}
}

// Valuing and planning a stream of any length takes the same memory: twenty times the samples may cost 16 MiB more, less
// than the samples themselves.
func TestMemoryDoesNotGrow(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes and values 200,000 samples")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc here to read a process's memory from")
	}
	var dir string
	script := filepath.Join(t.TempDir(), "streams.txtar")
	text := "samples train.arrows rows=500\nexec mm-fit --quiet --backbone mlp:8 -o model.arrow train.arrows\n" +
		"samples few.arrows rows=10000\nsamples many.arrows rows=200000\n" +
		"exec mm-value --quiet --model model.arrow -o few.values few.arrows\nexec mm-value --quiet --model model.arrow -o many.values many.arrows\nhere\n"
	if err := os.WriteFile(script, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	measure := func() {
		for _, c := range []struct {
			name      string
			few, many []string // the last is standard input
		}{
			{"mm-value", []string{"mm-value", "--model", "model.arrow", "few.arrows"}, []string{"mm-value", "--model", "model.arrow", "many.arrows"}},
			{"mm-resample sample", []string{"mm-resample", "few.values"}, []string{"mm-resample", "many.values"}},
			{"mm-resample modality", []string{"mm-resample", "--method", "modality", "few.values"}, []string{"mm-resample", "--method", "modality", "many.values"}},
		} {
			few, many := peak(t, dir, c.few), peak(t, dir, c.many)
			t.Logf("%s: %d MiB for 10,000 samples, %d MiB for 200,000", c.name, few>>20, many>>20)
			if many-few > 16<<20 {
				t.Errorf("%s: %d MiB for 10,000 samples and %d MiB for 200,000: memory grows with the stream", c.name, few>>20, many>>20)
			}
		}
	}
	testscript.Run(t, testscript.Params{Files: []string{script}, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"samples": samples,
		"here": func(ts *testscript.TestScript, _ bool, _ []string) {
			dir = ts.MkAbs(".")
			measure()
		},
	}})
}

// peak runs a tool that reads its last argument through a pipe, and returns the most memory it had, in bytes. The kernel's
// own account of a process that has ended (ru_maxrss) begins with this test's memory, which the child had before it became
// the tool; so /proc is read while it runs.
func peak(t *testing.T, dir string, args []string) int64 {
	t.Helper()
	in, err := os.Open(filepath.Join(dir, args[len(args)-1]))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.Command(args[0], append(args[1:len(args)-1:len(args)-1], "--quiet", "-o", "/dev/null")...)
	cmd.Dir = dir
	cmd.Stdin = struct{ io.Reader }{in} // no *os.File, which the tool would map
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	most := int64(0)
	for {
		most = max(most, resident(cmd.Process.Pid))
		select {
		case err := <-ended:
			if err != nil || most == 0 {
				t.Fatalf("%q: %v, %d bytes: %s", args, err, most, stderr.String())
			}
			return most
		case <-time.After(time.Millisecond):
		}
	}
}

// resident returns the most memory a process has had so far, 0 when it has ended.
func resident(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	fmt.Sscanf(rest, "%d", &kib)
	return kib << 10
}
