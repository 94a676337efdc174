package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// run starts a program on the file, hands read its output, and waits for it. An error has the last lines that the program said.
func (t *Tools) run(ctx context.Context, program string, file *os.File, args func(name string) []string, read func(io.Reader) error) error {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	name, extra, err := descriptor(file)
	if err != nil {
		return err
	}
	var said tail
	cmd := exec.CommandContext(inner, program, args(name)...)
	cmd.ExtraFiles = extra
	cmd.Stderr = &said
	cmd.WaitDelay = 2 * time.Second
	ownGroup(cmd)
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = in
	err = cmd.Start()
	in.Close() // the child has its own
	if err != nil {
		return fmt.Errorf("starting %s: %w", filepath.Base(program), err)
	}
	stop := context.AfterFunc(inner, func() { out.Close() }) // a grandchild that outlives the group must not hold the reader up
	defer stop()
	readErr := read(out)
	if readErr != nil && !isShort(readErr) {
		cancel() // it may still want to write
	}
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inner.Err() == context.DeadlineExceeded:
		return fmt.Errorf("%s was stopped after %v%s", filepath.Base(program), timeout, said.suffix())
	case readErr != nil && !isShort(readErr):
		return readErr
	case waitErr != nil:
		return t.failure(program, waitErr, &said)
	case readErr != nil:
		return fmt.Errorf("%s wrote less than it announced%s: %w", filepath.Base(program), said.suffix(), readErr)
	}
	return nil
}

func isShort(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed)
}

// failure describes how a child ended.
func (t *Tools) failure(program string, err error, said *tail) error {
	if strings.Contains(said.String(), "matches no streams") {
		return ErrNoStream
	}
	return fmt.Errorf("%s: %w%s", filepath.Base(program), err, said.suffix())
}

// descriptor returns what a child calls the file that it gets as descriptor 3. Elsewhere than on Linux, where that name opens the file
// anew, the child gets the name, from the root on, so that it cannot look like an option.
func descriptor(file *os.File) (string, []*os.File, error) {
	if runtime.GOOS == "linux" {
		return "file:/proc/self/fd/3", []*os.File{file}, nil
	}
	path, err := filepath.Abs(file.Name())
	return "file:" + path, nil, err
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
