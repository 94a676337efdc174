package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mmtools/pkg/stream"
)

// Exit codes of every tool.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInput       = 3
	exitInterrupted = 130 // as a shell reports a process that SIGINT ended
)

// errInterrupted replaces whatever a cancelled run returns: the cause is the signal, not what it broke.
var errInterrupted = errors.New("interrupted")

type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// Usage returns an error for a command line that asks for something impossible; the tool exits with 2.
func Usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

type hintError struct {
	err  error
	hint string
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }
func (e hintError) Hint() string  { return e.hint }

// Hint adds to err what the user can do about it, printed on a line of its own. Any error with a method Hint() string
// is printed so: packages that may not import this one can have their own.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return hintError{err, fmt.Sprintf(format, args...)}
}

// exitCode maps a run's error to the exit code of the process.
func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, stream.ErrInput):
		return exitInput
	}
	return exitFailed
}

// report prints err under the tool's name, and its hint.
func report(w io.Writer, name string, err error) {
	fmt.Fprintf(w, "%s: %v\n", name, err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(w, "%s: hint: %s\n", name, hinted.Hint())
	} else if exitCode(err) == exitUsage {
		fmt.Fprintf(w, "%s: hint: %s --help lists every flag\n", name, name)
	}
}
