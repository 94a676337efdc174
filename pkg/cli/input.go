package cli

import (
	"io"
	"os"

	"mmtools/pkg/stream"
)

// OpenStream opens an input stream: a path, or standard input for "" and "-". A regular file, named or redirected, is
// mapped and can be rewound; anything else is read as a pipe. A terminal is refused, and so is a second input that
// wants standard input; both are usage errors. The caller closes the reader.
func (c *Context) OpenStream(path string) (*stream.Reader, error) {
	if path != "" && path != "-" {
		return stream.OpenFile(path)
	}
	if err := c.takeStdin(); err != nil {
		return nil, err
	}
	if isTerminal(c.Stdin) {
		err := Usage("refusing to read a stream from a terminal")
		return nil, Hint(err, "name a FILE, or pipe a stream in: ... | %s", c.name)
	}
	return stream.FromFile(c.Stdin, stream.WithName("stdin"))
}

// ReadText reads a small input whole: a path, or standard input for "-", and says what to call it in errors. A second input that wants
// standard input is a usage error.
func (c *Context) ReadText(path string) (text []byte, name string, err error) {
	if path != "-" {
		text, err = os.ReadFile(path)
		return text, path, err
	}
	if err := c.takeStdin(); err != nil {
		return nil, "", err
	}
	text, err = io.ReadAll(c.Stdin)
	return text, "stdin", err
}

// takeStdin lets one input have standard input.
func (c *Context) takeStdin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stdinTaken {
		return Hint(Usage("two inputs want standard input"), "name a FILE for all inputs but one")
	}
	c.stdinTaken = true
	return nil
}
