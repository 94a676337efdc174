package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// sh CODE COMMAND runs a bash command line, with pipefail, and asserts its exit code. What it wrote is then there for
// stdout and stderr.
func sh(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sh CODE COMMAND")
	}
	// The trailer carries the code past Exec, which fails on any other than 0.
	if err := ts.Exec("timeout", "120", "bash", "-c", "set -o pipefail\n"+args[1]+"\necho \"exit $?\" >&2"); err != nil {
		ts.Fatalf("running bash: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stderr")), "\n")
	if got := lines[len(lines)-1]; got != "exit "+args[0] {
		ts.Fatalf("%s: got %s, want exit %s", args[1], got, args[0])
	}
}

// truncations STEP FILE COMMAND runs the command with every STEP-th prefix of FILE, and every prefix that lacks up to 16
// bytes, as the file $cut. Each must exit with 3, say something, and leave no file out.
func truncations(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: truncations STEP FILE COMMAND")
	}
	step, err := strconv.Atoi(args[0])
	ts.Check(err)
	whole := ts.ReadFile(args[1])
	cut, out := ts.MkAbs("cut"), ts.MkAbs("out")
	runs := 0
	for n := 0; n < len(whole); n++ {
		if n%step != 0 && n < len(whole)-16 {
			continue
		}
		ts.Check(os.WriteFile(cut, []byte(whole[:n]), 0o666))
		cmd := exec.Command("timeout", "60", "bash", "-c", args[2])
		cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "cut="+cut, "MM_THREADS=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if cmd.Run(); cmd.ProcessState.ExitCode() != 3 || stderr.Len() == 0 {
			ts.Fatalf("%s with %d of %d bytes: exit %d, want 3; %s", args[2], n, len(whole), cmd.ProcessState.ExitCode(), stderr.String())
		}
		if _, err := os.Stat(out); err == nil {
			ts.Fatalf("%s with %d of %d bytes left an output", args[2], n, len(whole))
		}
		runs++
	}
	ts.Check(os.Remove(cut))
	ts.Logf("%d truncations", runs)
}

// interrupt SIGNAL INPUT COMMAND starts a tool, feeds it all of the file INPUT but the last bytes, so that it waits for them
// (- feeds nothing), waits until it has opened an output (a hidden temporary file is there), sends the signal, and asserts
// exit code 130.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	if neg || len(args) < 3 || signals[args[0]] == 0 {
		ts.Fatalf("usage: interrupt INT|TERM INPUT COMMAND...")
	}
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "MM_THREADS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	ts.Check(err)
	defer stdin.Close() // only at the end: the tool waits for more
	ts.Check(cmd.Start())
	if args[1] != "-" {
		whole := ts.ReadFile(args[1])
		go io.WriteString(stdin, whole[:len(whole)-8]) // the end marker's length
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found, _ := filepath.Glob(ts.MkAbs(".*.tmp")); len(found) > 0 {
			break
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			cmd.Wait()
			ts.Fatalf("%q opened no output in 20 s: %s", args[2:], stderr.String())
		}
	}
	ts.Check(cmd.Process.Signal(signals[args[0]]))
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		ts.Fatalf("%q: exit %d after SIG%s, want 130; %s", args[1:], got, args[0], stderr.String())
	}
	if !strings.Contains(stderr.String(), "interrupted") {
		ts.Fatalf("%q: does not say that it was interrupted: %s", args[2:], stderr.String())
	}
}

// ctrlc FILE COMMAND starts a bash command line in a process group of its own, waits until FILE is there, and sends SIGINT to
// the whole group, as a terminal does for Ctrl-C. The command must then fail soon.
func ctrlc(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ctrlc FILE COMMAND")
	}
	cmd := exec.Command("bash", "-c", args[1])
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "MM_THREADS=1", "SCRIPTS="+ts.Getenv("SCRIPTS"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	limit := time.After(60 * time.Second)
	for there := false; !there; {
		select {
		case <-ended:
			ts.Fatalf("%s: ended before it could be stopped: %v", args[1], cmd.ProcessState)
		case <-limit:
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			ts.Fatalf("%s: no %s in 60 s", args[1], args[0])
		case <-time.After(2 * time.Millisecond):
			_, err := os.Stat(ts.MkAbs(args[0]))
			there = err == nil
		}
	}
	ts.Check(syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		ts.Fatalf("%s: still there 20 s after SIGINT", args[1])
	}
	if cmd.ProcessState.Success() {
		ts.Fatalf("%s: ended well in spite of SIGINT", args[1])
	}
	// A shell does not wait for all that it started, such as process substitutions, and these clean up too.
	for end := time.Now().Add(20 * time.Second); syscall.Kill(-cmd.Process.Pid, 0) == nil && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
}

// left FILE... asserts that the work folder holds these files and no other, such as a forgotten temporary one.
func left(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		if e.Name() != ".tmp" { // testscript's own
			got = append(got, e.Name())
		}
	}
	if strings.Join(got, " ") != strings.Join(args, " ") {
		ts.Fatalf("work folder holds %q, want %q", got, args)
	}
}

// number FILE KEY.KEY... LOW HIGH asserts that the number at these keys of a JSON file lies in [LOW, HIGH].
func number(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: number FILE KEY.KEY... LOW HIGH")
	}
	var at any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &at))
	for _, key := range strings.Split(args[1], ".") {
		object, ok := at.(map[string]any)
		if !ok {
			ts.Fatalf("%s: nothing at %s of %s", args[0], key, args[1])
		}
		at = object[key]
	}
	low, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	high, err := strconv.ParseFloat(args[3], 64)
	ts.Check(err)
	if got, ok := at.(float64); !ok || got < low || got > high {
		ts.Fatalf("%s: %s is %v, want a number from %g to %g", args[0], args[1], at, low, high)
	}
}
