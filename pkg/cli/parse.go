package cli

import (
	"fmt"
	"strings"

	"mmtools/internal/clidoc"

	"github.com/alecthomas/kong"
)

// printDocs is the hidden first argument that prints the man page or a shell's completions; make man uses it.
const printDocs = "--print-docs"

// parsed is a command line that kong understood.
type parsed struct {
	logging Logging
	run     func(*Context) error
}

// exited is what kong's --help and --version leave parsing with.
type exited struct{}

// parse fills the command's flags from args and the environment. It reports done when there is nothing to run.
func (t *tool) parse(args []string) (p parsed, done bool, err error) {
	defer func() {
		if e := recover(); e != nil {
			if _, ok := e.(exited); !ok {
				panic(e)
			}
			done = true
		}
	}()
	k, err := kong.New(t.command,
		kong.Name(t.name),
		kong.Description(t.description),
		kong.Vars{"version": t.name + " " + Version},
		kong.Writers(t.stdout, t.stderr),
		kong.Exit(func(int) { panic(exited{}) }),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.ValueFormatter(func(v *kong.Value) string { return v.Help }),
		environment(t.name),
	)
	if err != nil {
		panic(fmt.Sprintf("cli: flags of %s: %v", t.name, err))
	}
	k.Model.HelpFlag.Help = "Show this help and exit."
	if len(args) == 2 && args[0] == printDocs {
		err := clidoc.Write(t.stdout, args[1], k.Model)
		return parsed{}, err == nil, err
	}
	context, err := k.Parse(args)
	if err != nil {
		return parsed{}, false, usageError{err}
	}
	for _, step := range context.Path {
		if node := step.Node(); node != nil && node.Target.CanAddr() {
			if l, ok := node.Target.Addr().Interface().(interface{ logging() *Logging }); ok {
				p.logging = *l.logging()
			}
		}
	}
	p.run = func(ctx *Context) error { return context.Run(ctx) }
	return p, false, nil
}

// environment names each flag's variable: the one in its env tag (env:"-" for none), else MM_, the tool and the flag, as
// MM_FIT_EPOCHS. One variable for the --model of every tool would surprise more often than it helped.
func environment(tool string) kong.Option {
	prefix := strings.ToUpper(strings.ReplaceAll(tool, "-", "_"))
	return kong.PostBuild(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
			flag, ok := n.(*kong.Flag)
			if !ok || flag.Name == "help" {
				return next(nil)
			}
			switch {
			case len(flag.Tag.Envs) == 1 && flag.Tag.Envs[0] == "-":
				flag.Tag.Envs = nil
			case len(flag.Tag.Envs) == 0:
				flag.Tag.Envs = []string{prefix + "_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}
			}
			flag.Envs = flag.Tag.Envs
			return next(nil)
		})
	})
}
