package cli

import (
	"io"
	"os"

	"mmtools/pkg/stream"
)

// OpenStream opens an input stream: a path, or standard input for "" and "-". A regular file, named or redirected, is
// mapped and can be rewound; anything else is read as a pipe. A terminal is refused, and so is a second input that
// wants standard input, and a file that an output would take the place of; all are usage errors. The caller closes the reader.
func (c *Context) OpenStream(path string) (*stream.Reader, error) {
	if err := c.Keep(path); err != nil {
		return nil, err
	}
	return c.OpenPrevious(path)
}

// OpenPrevious is OpenStream for an input that an output may take the place of: the model that training goes on from.
func (c *Context) OpenPrevious(path string) (*stream.Reader, error) {
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
// standard input is a usage error, and so is one that an output would take the place of.
func (c *Context) ReadText(path string) (text []byte, name string, err error) {
	if err := c.Keep(path); err != nil {
		return nil, path, err
	}
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

// Keep says that files are inputs, "" and "-" standing for standard input: one that an output would take the place of is a usage error,
// whichever is opened first. Files that are not there are left to whoever opens them. OpenStream and ReadText keep what they read.
func (c *Context) Keep(paths ...string) error {
	for _, path := range paths {
		info, err := c.Stdin.Stat()
		if path != "" && path != "-" {
			info, err = os.Stat(path)
		}
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := c.keep(info); err != nil {
			return err
		}
	}
	return nil
}

func (c *Context) keep(input os.FileInfo) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs = append(c.inputs, input)
	for _, p := range c.products {
		if p.old != nil && os.SameFile(p.old, input) {
			return replaces(p.path)
		}
	}
	return nil
}

// replaces is the error of an output that would take an input's place.
func replaces(path string) error {
	return Hint(Usage("output %s is an input too, which would be lost", path), "name another FILE")
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
