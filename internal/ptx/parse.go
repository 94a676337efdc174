package ptx

import (
	"fmt"
	"strconv"
	"strings"
)

// entry is a kernel.
type entry struct {
	name       string
	parameters []string
	body       []statement
}

// statement is a label, an instruction, a declaration or a block, and only one of them.
type statement struct {
	line        int
	label       string
	instruction *instruction
	registers   *registers
	shared      *shared
	block       []statement
}

// registers are %r0 to %r(count-1), or one of that name where count is 0.
type registers struct {
	name, kind string
	count      int
}

type shared struct {
	name        string
	align, size int
}

// instruction is "@!%p1 ld.global.v2.f32 ...": its guard, its words and its operands.
type instruction struct {
	line     int
	guard    string
	not      bool
	words    []string
	operands []operand
}

func (i *instruction) opcode() string { return strings.Join(i.words, ".") }

// operand is a register, a number or a name; a list of them in braces; or, with address, a place in memory.
type operand struct {
	text    string
	list    []operand
	address bool
	offset  int64
}

type parser struct {
	tokens []token
	at     int
}

// fault is what a parser and a translator panic with, and Translate returns.
type fault struct {
	line int
	what string
}

func failf(line int, format string, arguments ...any) {
	panic(fault{line, fmt.Sprintf(format, arguments...)})
}

func (p *parser) peek() string {
	if p.at == len(p.tokens) {
		return ""
	}
	return p.tokens[p.at].text
}

func (p *parser) line() int {
	if len(p.tokens) == 0 {
		return 1
	}
	return p.tokens[min(p.at, len(p.tokens)-1)].line
}

func (p *parser) next() string {
	text := p.peek()
	if text == "" {
		failf(p.line(), "the text ends early")
	}
	p.at++
	return text
}

func (p *parser) accept(text string) bool {
	if p.peek() != text {
		return false
	}
	p.at++
	return true
}

func (p *parser) want(texts ...string) {
	for _, text := range texts {
		if !p.accept(text) {
			failf(p.line(), "got %q, want %q", p.peek(), text)
		}
	}
}

func (p *parser) number() int64 {
	line, text := p.line(), p.next()
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		failf(line, "%q is not a number", text)
	}
	return n
}

// file is a whole text: three lines that say for what it is, and its kernels.
func (p *parser) file() []entry {
	var all []entry
	for p.at < len(p.tokens) {
		line := p.line()
		switch word := p.next(); word {
		case ".version", ".target":
			p.next()
		case ".address_size":
			p.want("64")
		case ".visible":
			p.want(".entry")
			all = append(all, p.entry())
		default:
			failf(line, "unknown directive %q", word)
		}
	}
	return all
}

func (p *parser) entry() entry {
	e := entry{name: p.next()}
	p.want("(")
	for !p.accept(")") {
		p.want(".param")
		line := p.line()
		if kind := p.next(); kind != ".u64" && kind != ".f64" {
			failf(line, "%s: a parameter of type %q does not take 8 bytes", e.name, kind)
		}
		e.parameters = append(e.parameters, p.next())
		if p.peek() != ")" {
			p.want(",")
		}
	}
	for !p.accept("{") {
		line := p.line()
		switch word := p.next(); word { // the driver reads the first itself
		case ".maxntid":
			for p.number(); p.accept(","); p.number() {
			}
		case ".minnctapersm":
			p.number()
		default:
			failf(line, "unknown directive %q", word)
		}
	}
	e.body = p.block()
	return e
}
