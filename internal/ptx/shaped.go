package ptx

import (
	"fmt"
	"strings"
)

// shaped are the instructions that have no rule: they have two types, or lists, or addresses, or do not give a number. They return no code
// for what they do not know.
var shaped map[string]func(m *emitter, i *instruction) (code, class string)

func init() {
	shaped = map[string]func(*emitter, *instruction) (string, string){
		"bra": (*emitter).branch, "ret": (*emitter).leave, "bar": (*emitter).barrier,
		"ld": (*emitter).load, "st": (*emitter).store,
		"cvt": (*emitter).convert, "mov": (*emitter).unpack, "shfl": (*emitter).shuffle, "mma": (*emitter).product,
	}
}

func (m *emitter) branch(i *instruction) (code, class string) {
	if op := i.opcode(); op != "bra" && op != "bra.uni" {
		return "", ""
	}
	i.want(1)
	if !m.labels[i.operands[0].text] {
		failf(i.line, "no label %q", i.operands[0].text)
	}
	return "goto " + label(i.operands[0].text) + ";", "branch"
}

func (m *emitter) leave(i *instruction) (code, class string) {
	if i.opcode() != "ret" {
		return "", ""
	}
	i.want(0)
	return "return;", "branch"
}

func (m *emitter) barrier(i *instruction) (code, class string) {
	if i.opcode() != "bar.sync" {
		return "", ""
	}
	i.want(1)
	if i.operands[0].text != "0" {
		failf(i.line, "barrier %q, want 0, for all threads", i.operands[0].text)
	}
	return "__syncthreads();", "barrier"
}

// memory takes ld and st apart: how many numbers of which type, in which memory.
func (i *instruction) memory() (space string, k kind, count int, ok bool) {
	i.want(2)
	words, count := i.words[1:], 1
	if len(words) == 3 {
		n := map[string]int{"v2": 2, "v4": 4}[words[1]]
		if n == 0 {
			return "", kind{}, 0, false
		}
		words, count = []string{words[0], words[2]}, n
	}
	if len(words) != 2 {
		return "", kind{}, 0, false
	}
	k, ok = kinds[words[1]]
	return words[0], k, count, ok && k.of != 'p' && count*k.bits <= 128
}

// place is the address of an access, which has to be a multiple of its size, in that memory.
func (m *emitter) place(i *instruction, o operand, space string, size int, writes bool) string {
	if !o.address {
		failf(i.line, "%q is no address", o.text)
	}
	base := m.read(i.line, operand{text: o.text}, kinds["u64"], false)
	return fmt.Sprintf("const uint64_t p = %s_place<%d>(%s + %d, own); TOUCH(%d, %s_memory, %t, p, %d);", space, size, base, o.offset, i.line, space, writes, size)
}

// each calls f for every number of a list, or for the one that is none.
func each(i *instruction, o operand, count int, f func(n int, o operand) string) string {
	all := o.list
	if all == nil {
		all = []operand{o}
	}
	if len(all) != count {
		failf(i.line, "%d numbers, want %d", len(all), count)
	}
	var text strings.Builder
	for n, o := range all {
		text.WriteString(" " + f(n, o))
	}
	return text.String()
}

func (m *emitter) load(i *instruction) (code, class string) {
	space, k, count, ok := i.memory()
	from := i.operands[1]
	switch {
	case ok && space == "param" && count == 1 && from.address && from.offset >= 0:
		n, known := m.parameters[from.text]
		if !known || int(from.offset)+k.bits/8 > 8 {
			failf(i.line, "no such parameter")
		}
		return m.write(i.line, i.operands[0], k, true, fmt.Sprintf("parameter<%s>(parameters[%d], %d)", k.c(), n, from.offset)), "integer"
	case !ok || space != "global" && space != "shared":
		return "", ""
	}
	return m.place(i, from, space, count*k.bits/8, false) + each(i, i.operands[0], count, func(n int, o operand) string {
		return m.write(i.line, o, k, true, fmt.Sprintf("at<%s>(p + %d)", k.c(), n*k.bits/8))
	}), "load_" + space
}

func (m *emitter) store(i *instruction) (code, class string) {
	space, k, count, ok := i.memory()
	if !ok || space != "global" && space != "shared" {
		return "", ""
	}
	return m.place(i, i.operands[0], space, count*k.bits/8, true) + each(i, i.operands[1], count, func(n int, o operand) string {
		return fmt.Sprintf("at<%s>(p + %d) = %s;", k.c(), n*k.bits/8, m.read(i.line, o, k, true))
	}), "store_" + space
}

func (m *emitter) convert(i *instruction) (code, class string) {
	switch i.opcode() {
	case "cvt.rna.tf32.f32":
		i.want(2)
		return m.write(i.line, i.operands[0], kinds["b32"], false, "emulate_round10("+m.read(i.line, i.operands[1], kinds["f32"], false)+")"), "convert"
	case "cvt.rn.bf16x2.f32": // the first of the two is the upper one
		i.want(3)
		upper, lower := m.read(i.line, i.operands[1], kinds["f32"], false), m.read(i.line, i.operands[2], kinds["f32"], false)
		return m.write(i.line, i.operands[0], kinds["b32"], false, "emulate_round7("+upper+") << 16 | emulate_round7("+lower+")"), "convert"
	}
	last := len(i.words) - 1
	if last < 2 {
		return "", ""
	}
	to, known := kinds[i.words[last-1]]
	from, typed := kinds[i.words[last]]
	form, ok := conversion(strings.Join(i.words[1:last-1], "."), to, from)
	if !known || !typed || !ok {
		return "", ""
	}
	i.want(2)
	whole := from.of != 'f'
	value := m.read(i.line, i.operands[1], from, whole)
	class = "convert"
	if whole && to.of != 'f' {
		class = "integer"
	}
	return m.write(i.line, i.operands[0], to, to.of != 'f', strings.ReplaceAll(form, "$a", value)), class
}

// unpack is a mov of one register to several, or of several to one, the first in the lowest bits; others have a rule.
func (m *emitter) unpack(i *instruction) (code, class string) {
	k, ok := kinds[i.words[len(i.words)-1]]
	if len(i.words) != 2 || !ok || k.of != 'b' || len(i.operands) != 2 {
		return "", ""
	}
	to, from := i.operands[0], i.operands[1]
	part := func(list []operand) kind {
		if len(list) != 2 || k.bits < 32 {
			failf(i.line, "%s: %d parts, want 2", i.opcode(), len(list))
		}
		return kind{'b', k.bits / 2}
	}
	switch {
	case to.list != nil:
		p := part(to.list)
		return fmt.Sprintf("const %s whole = %s; ", k.c(), m.read(i.line, from, k, false)) + m.write(i.line, to.list[0], p, false, "whole") + " " +
			m.write(i.line, to.list[1], p, false, fmt.Sprintf("whole >> %d", p.bits)), "integer"
	case from.list != nil:
		p := part(from.list)
		return m.write(i.line, to, k, false, fmt.Sprintf("%s | (%s)%s << %d", m.read(i.line, from.list[0], p, false), k.c(), m.read(i.line, from.list[1], p, false), p.bits)), "integer"
	}
	return "", ""
}

// shuffle is shfl.sync.bfly of a whole warp, in which all lanes have a partner.
func (m *emitter) shuffle(i *instruction) (code, class string) {
	if i.opcode() != "shfl.sync.bfly.b32" {
		return "", ""
	}
	i.want(5)
	if o := i.operands; o[3].text != "31" || o[4].text != "-1" {
		failf(i.line, "%s of a part of the warp", i.opcode())
	}
	b32 := kinds["b32"]
	return m.write(i.line, i.operands[0], b32, false, "emulate_swap_bits("+m.read(i.line, i.operands[1], b32, false)+", "+m.read(i.line, i.operands[2], b32, false)+" & 31)"), "shuffle"
}

// product is mma.sync: d = a b + c.
func (m *emitter) product(i *instruction) (code, class string) {
	terms := map[string]int{
		"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32":  1,
		"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32": 2,
	}[i.opcode()]
	if terms == 0 {
		return "", ""
	}
	i.want(4)
	f32, b32 := kinds["f32"], kinds["b32"]
	list := func(n, count int, k kind) string {
		text := each(i, i.operands[n], count, func(_ int, o operand) string { return m.read(i.line, o, k, false) + "," })
		return "{" + text + "}"
	}
	code = fmt.Sprintf("float d[4] = %s; const unsigned a[4] = %s, b[2] = %s; emulate_add_product(%d, d, a, b);", list(3, 4, f32), list(1, 4, b32), list(2, 2, b32), terms)
	return code + each(i, i.operands[0], 4, func(n int, o operand) string {
		return m.write(i.line, o, f32, false, fmt.Sprintf("d[%d]", n))
	}), "tensor"
}
