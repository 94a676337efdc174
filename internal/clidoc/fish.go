package clidoc

import (
	"fmt"
	"strings"
)

// fish writes one complete command a flag.
func fish(t command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion of %s, made from the flag definitions by make man.\n", t.name)
	for _, o := range t.options {
		fishOption(&b, t.name, "", o)
	}
	all := strings.Join(names(t.commands), " ")
	for _, c := range t.commands {
		fmt.Fprintf(&b, "complete -c %s -n 'not __fish_seen_subcommand_from %s' -a %s -d '%s'\n", t.name, all, c.name, fishText(sentence(c.help)))
		when := "__fish_seen_subcommand_from " + c.name
		if c.isDefault {
			when += "; or not __fish_seen_subcommand_from " + all
		}
		for _, o := range c.options {
			fishOption(&b, t.name, when, o)
		}
	}
	return b.String()
}

func fishOption(b *strings.Builder, tool, when string, o option) {
	line := "complete -c " + tool
	if when != "" {
		line += " -n '" + when + "'"
	}
	if o.short != "" {
		line += " -s " + o.short
	}
	line += " -l " + o.long
	if o.value != "" {
		line += " -r"
	}
	if len(o.choices) > 0 {
		line += " -f -a '" + fishText(strings.Join(o.choices, " ")) + "'"
	}
	fmt.Fprintf(b, "%s -d '%s'\n", line, fishText(sentence(o.help)))
	if o.negatable {
		fishOption(b, tool, when, option{long: "no-" + o.long, help: "Not --" + o.long})
	}
}

func fishText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s)
}
