package clidoc

import (
	"fmt"
	"strings"
)

// man writes a roff page for the man macros. It carries no date and no version: the page of a build must not differ from
// the committed one for that.
func man(t command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" Made from the flag definitions by make man: change those.\n")
	fmt.Fprintf(&b, ".TH %s 1 \"\" mmtools \"mmtools manual\"\n.ad l\n.nh\n", roff(strings.ToUpper(t.name)))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(t.name), roff(lower(sentence(t.help))))

	b.WriteString(".SH SYNOPSIS\n")
	if len(t.commands) == 0 {
		synopsis(&b, t.name, t)
	}
	for _, c := range t.commands {
		name := t.name + " " + c.name
		if c.isDefault {
			name = t.name + " [" + c.name + "]"
		}
		synopsis(&b, name, c)
	}

	b.WriteString(".SH DESCRIPTION\n")
	prose(&b, t.help)
	prose(&b, t.detail)
	arguments(&b, t.arguments)
	if len(t.commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, c := range t.commands {
			fmt.Fprintf(&b, ".SS %s %s\n", roff(t.name), roff(c.name))
			prose(&b, c.help)
			prose(&b, c.detail)
			arguments(&b, c.arguments)
			options(&b, c.options)
		}
	}
	b.WriteString(".SH OPTIONS\n")
	options(&b, t.options)
	environment(&b, t)

	b.WriteString(`.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed
.TP
.B 2
wrong usage
.TP
.B 3
bad input: a stream, a list or media
.TP
.B 130
interrupted
.SH SEE ALSO
`)
	var others []string
	for _, name := range []string{"mm-encode", "mm-eval", "mm-fit", "mm-resample", "mm-value"} {
		if name != t.name {
			others = append(others, fmt.Sprintf(".BR %s (1)", roff(name)))
		}
	}
	b.WriteString(strings.Join(others, " ,\n") + "\n")
	return b.String()
}

func synopsis(b *strings.Builder, name string, c command) {
	fmt.Fprintf(b, ".B %s\n[\\fIoption\\fR ...]", roff(name))
	for _, a := range c.arguments {
		fmt.Fprintf(b, " %s", roff(a.summary))
	}
	b.WriteString("\n.br\n")
}

func arguments(b *strings.Builder, as []argument) {
	for _, a := range as {
		fmt.Fprintf(b, ".TP\n.I %s\n%s\n", roff(a.summary), roff(a.help))
	}
}

func options(b *strings.Builder, os []option) {
	for _, o := range os {
		b.WriteString(".TP\n")
		name := "--" + o.long
		if o.negatable {
			name = "--[no-]" + o.long
		}
		if o.short != "" {
			name = "-" + o.short + ", " + name
		}
		fmt.Fprintf(b, "\\fB%s\\fR", roff(name))
		if o.value != "" {
			fmt.Fprintf(b, "=\\fI%s\\fR", roff(o.value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(o.help))
	}
}

// environment lists the variables that stand for flags.
func environment(b *strings.Builder, t command) {
	b.WriteString(".SH ENVIRONMENT\nA variable gives a flag's value where the command line does not.\n")
	seen := map[string]bool{}
	all := t.options
	for _, c := range t.commands {
		all = append(all[:len(all):len(all)], c.options...)
	}
	for _, o := range all {
		for _, e := range o.env {
			if !seen[e] {
				seen[e] = true
				fmt.Fprintf(b, ".TP\n.B %s\n\\-\\-%s\n", roff(e), roff(o.long))
			}
		}
	}
}

// prose writes paragraphs, which blank lines separate; indented lines keep their breaks.
func prose(b *strings.Builder, text string) {
	const paragraph, example = ".PP\n", ".PP\n.RS 4\n.EX\n"
	open := "" // what the lines before have begun
	end := func() {
		if open == example {
			b.WriteString(".EE\n.RE\n")
		}
		open = ""
	}
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		kind := paragraph
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			kind = example
		}
		line = strings.TrimSpace(line)
		if line == "" {
			end()
			continue
		}
		if kind != open {
			end()
			b.WriteString(kind)
			open = kind
		}
		b.WriteString(roff(line) + "\n")
	}
	end()
}

// roff escapes what roff would take for its own: backslashes, dashes, and a dot or quote at a line's start.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// lower starts a sentence in lower case, as NAME sections do, unless its first word is a name such as JSON.
func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
