package ptx

import (
	"strconv"
	"strings"
)

// block is what follows a brace, up to the one that closes it.
func (p *parser) block() []statement {
	all := []statement{} // not nil: a block of nothing is one
	for !p.accept("}") {
		if p.accept(".pragma") { // how a loop is to be compiled
			p.next()
			p.want(";")
			continue
		}
		all = append(all, p.statement())
	}
	return all
}

func (p *parser) statement() statement {
	s := statement{line: p.line()}
	switch word := p.peek(); {
	case p.accept("{"):
		s.block = p.block()
	case p.accept(".reg"):
		s.registers = p.registers()
	case p.accept(".shared"):
		s.shared = p.shared()
	case word == "@":
		s.instruction = p.instruction()
	case strings.HasPrefix(word, "."):
		failf(s.line, "unknown directive %q", word)
	default:
		p.next()
		if p.accept(":") {
			s.label = word
			break
		}
		p.at--
		s.instruction = p.instruction()
	}
	return s
}

func (p *parser) registers() *registers {
	r := &registers{kind: strings.TrimPrefix(p.next(), "."), name: p.next()}
	if p.accept("<") {
		r.count = int(p.number())
		p.want(">")
	}
	p.want(";")
	return r
}

func (p *parser) shared() *shared {
	p.want(".align")
	s := &shared{align: int(p.number())}
	p.want(".b8")
	s.name = p.next()
	p.want("[")
	s.size = int(p.number())
	p.want("]", ";")
	return s
}

func (p *parser) instruction() *instruction {
	i := &instruction{line: p.line()}
	if p.accept("@") {
		i.not = p.accept("!")
		i.guard = p.next()
	}
	i.words = strings.Split(p.next(), ".")
	for !p.accept(";") {
		i.operands = append(i.operands, p.operand())
		if p.peek() != ";" {
			p.want(",")
		}
	}
	return i
}

func (p *parser) operand() operand {
	switch {
	case p.accept("{"):
		o := operand{list: []operand{}}
		for !p.accept("}") {
			o.list = append(o.list, p.operand())
			if p.peek() != "}" {
				p.want(",")
			}
		}
		return o
	case p.accept("["):
		o := operand{text: p.word(), address: true}
		if p.accept("+") {
			o.offset = p.number()
		}
		p.want("]")
		return o
	}
	return operand{text: p.word()}
}

// word is a name or a number; what else there is would be taken for one.
func (p *parser) word() string {
	line, text := p.line(), p.next()
	if !inWord(text[0]) && text[0] != '-' {
		failf(line, "got %q, want an operand", text)
	}
	return text
}

// integer is an immediate of so many bits.
func integer(text string, bits int) (uint64, bool) {
	mask := ^uint64(0) >> (64 - bits)
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return uint64(n) & mask, true
	}
	n, err := strconv.ParseUint(text, 0, 64)
	return n & mask, err == nil
}
