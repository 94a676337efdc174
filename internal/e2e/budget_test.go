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

// BenchmarkStart measures how long a tool takes to start and end: a pipe of three starts them for every epoch. The aim is
// under 20 ms; a busy machine takes longer, so no test asserts it.
func BenchmarkStart(b *testing.B) {
	tools, err := filepath.Glob(filepath.Join(root, "cmd", "mm-*"))
	if err != nil || len(tools) == 0 {
		b.Fatalf("listing the tools: %v, %d found", err, len(tools))
	}
	for _, tool := range tools {
		name := filepath.Base(tool)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := exec.Command(name, "--version").Run(); err != nil {
					b.Fatalf("%s --version: %v", name, err)
				}
			}
		})
	}
}

// Valuing and planning a stream of any length takes the same memory: 400 MB more of it may cost 96 MiB, the windows that
// stay in memory of a mapped temporary file and a garbage collector's swing.
func TestMemoryDoesNotGrow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it values and plans millions of samples")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc here to read a process's memory from")
	}
	script := filepath.Join(t.TempDir(), "streams.txtar")
	text := "samples samples.arrows rows=10000 audio=64 image=64\nexec mm-fit --quiet --backbone mlp:8 -o model.arrow samples.arrows\n" +
		"exec mm-value --quiet --model model.arrow -o values.arrows samples.arrows\nmeasure\n"
	if err := os.WriteFile(script, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	measure := func(ts *testscript.TestScript, _ bool, _ []string) {
		for _, c := range []struct {
			name, stream string
			args         []string
		}{
			{"mm-value", "samples.arrows", []string{"mm-value", "--model", "model.arrow"}},
			{"mm-resample, sample level", "values.arrows", []string{"mm-resample"}},
			{"mm-resample, modality level", "values.arrows", []string{"mm-resample", "--method", "modality"}},
		} {
			in := ts.MkAbs(c.stream)
			info, err := os.Stat(in)
			ts.Check(err)
			times := int(400e6/info.Size()) + 1
			once, many := peak(t, ts.MkAbs("."), c.args, in, 1), peak(t, ts.MkAbs("."), c.args, in, times)
			t.Logf("%s: %d MiB for %d MB, %d MiB for %d MB", c.name, once>>20, info.Size()/1e6, many>>20, int64(times)*info.Size()/1e6)
			if many-once > 96<<20 {
				t.Errorf("%s: %d MiB for the stream once and %d MiB for %d times: memory grows with the stream", c.name, once>>20, many>>20, times)
			}
		}
	}
	testscript.Run(t, testscript.Params{Files: []string{script}, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"samples": samples, "measure": measure,
	}})
}

// peak pipes a stream into a tool, a number of times over, and returns the most memory the tool had, in bytes. The kernel's
// own account of a process that has ended (ru_maxrss) begins with this test's memory, which the child had before it became
// the tool; so /proc is read while it runs.
func peak(t *testing.T, dir string, args []string, stream string, times int) int64 {
	t.Helper()
	var in []io.Reader
	for range times {
		f, err := os.Open(stream)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in = append(in, f)
	}
	cmd := exec.Command(args[0], append(args[1:len(args):len(args)], "--quiet", "-o", "/dev/null")...)
	cmd.Dir = dir
	cmd.Stdin = io.MultiReader(in...)
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
