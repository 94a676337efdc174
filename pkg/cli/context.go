package cli

import (
	"context"
	"os"
	"sync"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// Context is what a command runs with. It is cancelled by SIGINT, SIGTERM and SIGHUP.
type Context struct {
	context.Context
	Log                   zerolog.Logger
	Tool                  string // name and version, as streams carry them: "mm-value 0.1.0"
	Stdin, Stdout, Stderr *os.File

	name   string
	quiet  bool
	screen *screen

	mu          sync.Mutex
	stdinTaken  bool
	products    []*Product
	stdoutTaken bool
	inputs      []os.FileInfo // files that no output may take the place of
}

func (t *tool) newContext(c context.Context, l Logging) *Context {
	ctx := &Context{
		Context: c, Tool: t.name + " " + Version, Stdin: t.stdin, Stdout: t.stdout, Stderr: t.stderr,
		name: t.name, quiet: l.Quiet, screen: newScreen(t.stderr),
	}
	ctx.Log = newLogger(ctx.screen, t.name, l)
	return ctx
}

// close ends what a run left behind: a progress bar, and outputs that were never committed.
func (c *Context) close() {
	c.screen.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.products {
		p.Abort()
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
