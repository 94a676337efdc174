package ffmpeg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// child is one run of a program over some files.
type child struct {
	program string
	files   []*os.File
	args    func(names, outs []string) []string // what it calls the files, and the pipes that it writes to
	reads   []func(io.Reader) error             // a pipe each: the first is its standard output
}

// run starts a child, hands the reads its outputs, and waits for it. An error has the last lines that the program said.
func (t *Tools) run(ctx context.Context, c child) error {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	names, extra, err := descriptors(c.files)
	if err != nil {
		return err
	}
	pipes, err := openPipes(len(c.reads))
	defer pipes.close()
	if err != nil {
		return err
	}
	outs := []string{"pipe:1"}
	for _, in := range pipes.ins[1:] {
		outs = append(outs, fmt.Sprintf("pipe:%d", firstDescriptor+len(extra)))
		extra = append(extra, in)
	}
	var said tail
	cmd := exec.CommandContext(inner, c.program, c.args(names, outs)...)
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1") // which Debian's ffmpeg is linked with: its idle threads spin
	cmd.Stdout, cmd.ExtraFiles, cmd.Stderr = pipes.ins[0], extra, &said
	cmd.WaitDelay = 2 * time.Second
	ownGroup(cmd)
	err = cmd.Start()
	pipes.closeIns() // the child has its own
	if err != nil {
		return fmt.Errorf("starting %s: %w", filepath.Base(c.program), err)
	}
	boundMemory(cmd.Process.Pid, cmp.Or(t.Memory, DefaultMemory))
	stop := context.AfterFunc(inner, pipes.closeOuts) // a grandchild that outlives the group must not hold the readers up
	defer stop()
	readErr := pipes.read(c.reads, cancel)
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inner.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s was %w after %v%s", filepath.Base(c.program), ErrStopped, timeout, said.suffix())
	case readErr != nil && !isShort(readErr):
		return readErr
	case waitErr != nil:
		return failure(c.program, waitErr, &said)
	case readErr != nil:
		return fmt.Errorf("%s wrote less than it announced%s: %w", filepath.Base(c.program), said.suffix(), readErr)
	}
	return nil
}

func isShort(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed)
}

// failure describes how a child ended.
func failure(program string, err error, said *tail) error {
	if strings.Contains(said.String(), "matches no streams") {
		return ErrNoStream
	}
	return fmt.Errorf("%s: %w%s", filepath.Base(program), err, said.suffix())
}

// firstDescriptor is what a child calls the first file that it is given beside the standard ones.
const firstDescriptor = 3

// descriptors returns what a child calls the files that it gets as descriptors. Elsewhere than on Linux, where such a name opens the
// file anew, the child gets the files' names, from the root on, so that they cannot look like options.
func descriptors(files []*os.File) (names []string, extra []*os.File, err error) {
	if runtime.GOOS == "linux" {
		for i := range files {
			names = append(names, fmt.Sprintf("file:/proc/self/fd/%d", firstDescriptor+i))
		}
		return names, slices.Clone(files), nil
	}
	for _, file := range files {
		path, err := filepath.Abs(file.Name())
		if err != nil {
			return nil, nil, err
		}
		names = append(names, "file:"+path)
	}
	return names, nil, nil
}

// tail keeps the last bytes written to it.
type tail struct {
	mu    sync.Mutex
	bytes []byte
}

const tailBytes = 2048

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, b[max(0, len(b)-tailBytes):]...)
	t.bytes = t.bytes[max(0, len(t.bytes)-tailBytes):]
	return len(b), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.bytes)
}

// suffix returns the last three lines, for an error, without what no terminal should see.
func (t *tail) suffix() string {
	var lines []string
	for _, line := range strings.Split(t.String(), "\n") {
		line = strings.TrimSpace(strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r == '\uFFFD' {
				return ' '
			}
			return r
		}, line))
		if line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines[max(0, len(lines)-3):], "; ")
}
