package clidoc

import (
	"fmt"
	"strings"
)

// zsh writes a #compdef function over _arguments.
func zsh(t command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %s\n# zsh completion of %s, made from the flag definitions by make man.\n", t.name, t.name)
	if len(t.commands) == 0 {
		b.WriteString("_arguments -s -S \\\n")
		zshOptions(&b, "    ", t.accepted(nil))
		b.WriteString("    '*:file:_files'\n")
		return b.String()
	}
	b.WriteString("local -a commands=(\n")
	for _, c := range t.commands {
		fmt.Fprintf(&b, "    '%s:%s'\n", c.name, zshText(sentence(c.help)))
	}
	b.WriteString(")\nlocal word command=\nfor word in ${words[2,CURRENT-1]}; do\n    case $word in\n")
	fmt.Fprintf(&b, "        %s) command=$word; break ;;\n    esac\ndone\ncase $command in\n", strings.Join(names(t.commands), "|"))
	for _, c := range t.commands {
		fmt.Fprintf(&b, "    %s)\n        _arguments -s -S \\\n", c.name)
		zshOptions(&b, "            ", t.accepted(&c))
		fmt.Fprintf(&b, "            '1:command:(%s)' \\\n            '*:file:_files' ;;\n", c.name)
	}
	b.WriteString("    *)\n        _arguments -s -S \\\n")
	zshOptions(&b, "            ", t.accepted(nil))
	b.WriteString("            '1:command:{ _describe command commands; _files }' \\\n            '*:file:_files' ;;\nesac\n")
	return b.String()
}

func zshOptions(b *strings.Builder, indent string, options []option) {
	for _, o := range options {
		for _, s := range spellings(o) {
			spec := s
			if o.value != "" && strings.HasPrefix(s, "--") {
				spec += "="
			}
			spec += "[" + zshText(sentence(o.help)) + "]"
			if o.value != "" {
				action := "_files"
				if len(o.choices) > 0 {
					action = "(" + strings.Join(o.choices, " ") + ")"
				}
				spec += ":" + zshText(o.value) + ":" + action
			}
			fmt.Fprintf(b, "%s'%s' \\\n", indent, spec)
		}
	}
}

// zshText escapes what _arguments and single quotes would take for their own.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
}
