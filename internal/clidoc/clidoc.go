package clidoc

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Write writes app's documentation to w; format is man, bash, zsh or fish.
func Write(w io.Writer, format string, app *kong.Application) error {
	t := describe(app)
	var text string
	switch format {
	case "man":
		text = man(t)
	case "bash":
		text = bash(t)
	case "zsh":
		text = zsh(t)
	case "fish":
		text = fish(t)
	default:
		return fmt.Errorf("documentation format %q: want man, bash, zsh or fish", format)
	}
	_, err := io.WriteString(w, text)
	return err
}

// command is a tool, or one of its subcommands, with what its documentation needs.
type command struct {
	name, help, detail string
	isDefault          bool // the subcommand that runs when none is named
	arguments          []argument
	options            []option
	commands           []command
}

type argument struct {
	name, summary, help string // summary is as in "[<file> ...]"
}

type option struct {
	short     string // without the dash, or empty
	long      string // without the dashes
	negatable bool
	value     string   // placeholder, empty for a switch
	choices   []string // the values it takes, where they are few
	help      string
	env       []string
}

func describe(app *kong.Application) command { return describeNode(app.Node) }

func describeNode(n *kong.Node) command {
	c := command{name: n.Name, help: n.Help, detail: n.Detail}
	for _, p := range n.Positional {
		c.arguments = append(c.arguments, argument{p.Name, p.Summary(), p.Help})
	}
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		o := option{long: f.Name, negatable: f.Tag.Negatable != "", help: f.Help, env: f.Envs}
		if f.Short != 0 {
			o.short = string(f.Short)
		}
		if !f.IsBool() && !f.IsCounter() {
			o.value = f.FormatPlaceHolder()
		}
		choices := f.EnumSlice()
		if some := f.Tag.Get("complete"); some != "" { // of more than can be listed
			choices = strings.Split(some, ",")
		}
		for _, e := range choices {
			if e != "" {
				o.choices = append(o.choices, e)
			}
		}
		c.options = append(c.options, o)
	}
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		sub := describeNode(child)
		sub.isDefault = child == n.DefaultCmd
		c.commands = append(c.commands, sub)
	}
	return c
}

// accepted returns the options that may follow command sub of c, or c itself for nil: its own, the tool's, and the default
// command's where none is named.
func (c command) accepted(sub *command) []option {
	options := append([]option(nil), c.options...)
	if sub != nil {
		return append(options, sub.options...)
	}
	for _, s := range c.commands {
		if s.isDefault {
			options = append(options, s.options...)
		}
	}
	return options
}

// words lists every spelling of the options: -o, --output, --no-standardize.
func words(options []option) []string {
	var all []string
	for _, o := range options {
		all = append(all, spellings(o)...)
	}
	return all
}

func spellings(o option) []string {
	var s []string
	if o.short != "" {
		s = append(s, "-"+o.short)
	}
	s = append(s, "--"+o.long)
	if o.negatable {
		s = append(s, "--no-"+o.long)
	}
	return s
}

// sentence returns the first sentence of help, without its stop.
func sentence(help string) string {
	help, _, _ = strings.Cut(strings.ReplaceAll(help, "\n", " "), ". ")
	return strings.TrimSuffix(strings.TrimSpace(help), ".")
}
