package stream

import (
	"errors"
	"fmt"
)

// ErrInput is what errors.Is finds in every error that a bad input stream caused: truncated, corrupt, of the wrong kind.
// A file that cannot be opened or read is not one.
var ErrInput = errors.New("bad input stream")

// ErrNotSeekable is returned by Rewind for a pipe.
var ErrNotSeekable = errors.New("a pipe cannot be read twice: give a file")

// inputError marks an error as ErrInput without a word in its message.
type inputError struct{ err error }

func (e inputError) Error() string        { return e.err.Error() }
func (e inputError) Unwrap() error        { return e.err }
func (e inputError) Is(target error) bool { return target == ErrInput }

// Errorf formats an error, as fmt.Errorf does, that is ErrInput.
func Errorf(format string, args ...any) error {
	return inputError{fmt.Errorf(format, args...)}
}
