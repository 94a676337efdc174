package clidoc

import (
	"fmt"
	"strings"
)

// bash writes a completion function: subcommands, flags, the values of flags that name them; files elsewhere.
func bash(t command) string {
	function := "_" + strings.ReplaceAll(t.name, "-", "_")
	var b strings.Builder
	fmt.Fprintf(&b, "# bash completion of %s, made from the flag definitions by make man.\n", t.name)
	fmt.Fprintf(&b, "%s() {\n", function)
	b.WriteString(`    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word
    COMPREPLY=()
    # bash splits words at "=": --device=cpu comes as --device, =, cpu.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
`)
	if len(t.commands) > 0 {
		fmt.Fprintf(&b, "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $word in\n        %s) command=$word; break ;;\n        esac\n    done\n",
			strings.Join(names(t.commands), "|"))
	}
	b.WriteString("    case $command:$prev in\n")
	bashChoices(&b, "", t.accepted(nil))
	for _, c := range t.commands {
		bashChoices(&b, c.name, t.accepted(&c))
	}
	b.WriteString("    esac\n    case $command:$cur in\n")
	fmt.Fprintf(&b, "    :-*) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", strings.Join(words(t.accepted(nil)), " "))
	for _, c := range t.commands {
		fmt.Fprintf(&b, "    %s:-*) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", c.name, strings.Join(words(t.accepted(&c)), " "))
	}
	if len(t.commands) > 0 {
		fmt.Fprintf(&b, "    :*) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", strings.Join(names(t.commands), " "))
	}
	fmt.Fprintf(&b, "    esac\n}\ncomplete -o default -F %s %s\n", function, t.name)
	return b.String()
}

func bashChoices(b *strings.Builder, command string, options []option) {
	for _, o := range options {
		if o.value == "" || len(o.choices) == 0 {
			continue
		}
		var at []string
		for _, s := range spellings(o) {
			at = append(at, command+":"+s)
		}
		fmt.Fprintf(b, "    %s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n", strings.Join(at, "|"), strings.Join(o.choices, " "))
	}
}

func names(commands []command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.name)
	}
	return all
}
