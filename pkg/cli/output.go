package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"mmtools/pkg/stream"
)

// Product is an output under way: a file that takes its name on Commit, or standard output. A run commits it last, when
// everything is written. Abort leaves an older file as it was; after Commit it does nothing, so it can be deferred, and
// Main aborts whatever a run leaves open.
type Product struct {
	io.Writer
	commit func() error
	abort  func()
	path   string
	old    os.FileInfo // the file that is there; nil where there is none

	mu   sync.Mutex // Main aborts an interrupted run that does not return
	done bool
}

// Create starts an output stream: a path, or standard output for "" and "-". A terminal is refused for "" (a usage
// error) and taken for "-". A path that names a device or a named pipe is written to directly. One that names an input, or another
// output, is a usage error.
func (c *Context) Create(path string) (*Product, error) {
	if path == "" && isTerminal(c.Stdout) {
		return nil, Hint(Usage("refusing to write a stream to a terminal"), "-o FILE writes a file, a pipe reads it, and -o - writes it here all the same")
	}
	return c.create(path)
}

// CreateText starts an output for people or for line tools, which a terminal may show.
func (c *Context) CreateText(path string) (*Product, error) {
	p, err := c.create(path)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewWriter(p.Writer)
	commit := p.commit
	p.Writer = buffered
	p.commit = func() error {
		if err := buffered.Flush(); err != nil {
			return err
		}
		return commit()
	}
	return p, nil
}

func (c *Context) create(path string) (*Product, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var p *Product
	if path == "" || path == "-" {
		if c.stdoutTaken {
			return nil, Hint(Usage("two outputs want standard output"), "name a FILE for all outputs but one")
		}
		c.stdoutTaken = true
		p = &Product{Writer: c.Stdout, commit: func() error { return nil }, abort: func() {}}
	} else {
		old, err := c.replacing(path, c.products)
		if err != nil {
			return nil, err
		}
		file, err := stream.Create(path)
		if err != nil {
			return nil, fmt.Errorf("creating output: %w", err)
		}
		p = &Product{Writer: file, commit: file.Commit, abort: file.Abort, path: path, old: old}
	}
	c.products = append(c.products, p)
	return p, nil
}

// Replaces reports whether the output takes the place of a file.
func (p *Product) Replaces(path string) bool {
	info, err := os.Stat(path)
	return err == nil && p.old != nil && os.SameFile(p.old, info)
}

// CheckOutput returns a usage error if Create would refuse one of the paths, of outputs that a run opens later or by itself:
// one of an input, of another output, or of another of the paths. "" and "-" are left out.
func (c *Context) CheckOutput(paths ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.products
	for _, path := range paths {
		if path == "" || path == "-" {
			continue
		}
		old, err := c.replacing(path, taken)
		if err != nil {
			return err
		}
		taken = append(taken[:len(taken):len(taken)], &Product{path: path, old: old})
	}
	return nil
}

// replacing returns the file that an output takes the place of, nil where there is none, if it may: no input is it, and none
// of the outputs taken.
func (c *Context) replacing(path string, taken []*Product) (os.FileInfo, error) {
	old, err := os.Stat(path)
	if err == nil && !old.Mode().IsRegular() {
		return nil, nil // written to as it is, by as many as like
	}
	if err != nil {
		old = nil
	}
	for _, input := range c.inputs {
		if old != nil && os.SameFile(old, input) {
			return nil, replaces(path)
		}
	}
	for _, p := range taken {
		if p.path != "" && samePath(p.path, path) || p.old != nil && old != nil && os.SameFile(p.old, old) {
			return nil, Hint(Usage("two outputs want %s", path), "name another FILE")
		}
	}
	return old, nil
}

// samePath reports whether two paths name the same place, as far as their words tell.
func samePath(a, b string) bool {
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

// Commit makes the output final. Call it once, on the success path.
func (p *Product) Commit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return errInterrupted // Main gave up on this run
	}
	p.done = true
	if err := p.commit(); err != nil {
		p.abort()
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// Abort drops the output.
func (p *Product) Abort() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.done {
		p.done = true
		p.abort()
	}
}
