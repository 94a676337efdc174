package ptx

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is a PTX type: what its bits are for, and how many they are.
type kind struct {
	of   byte // 'b' bits, 'u' unsigned, 's' signed, 'f' float, 'p' predicate
	bits int
}

// kinds are the types by their names, and c the C++ that they become.
var kinds = map[string]kind{
	"pred": {'p', 1},
	"b16":  {'b', 16}, "b32": {'b', 32}, "b64": {'b', 64},
	"u8": {'u', 8}, "u16": {'u', 16}, "u32": {'u', 32}, "u64": {'u', 64},
	"s8": {'s', 8}, "s16": {'s', 16}, "s32": {'s', 32}, "s64": {'s', 64},
	"f32": {'f', 32}, "f64": {'f', 64},
}

func (k kind) c() string {
	switch {
	case k.of == 'p':
		return "bool"
	case k.of == 'f' && k.bits == 32:
		return "float"
	case k.of == 'f':
		return "double"
	case k.of == 's':
		return fmt.Sprintf("int%d_t", k.bits)
	}
	return fmt.Sprintf("uint%d_t", k.bits)
}

// special are registers that the card sets.
var special = map[string]string{
	"%tid": "threadIdx", "%ctaid": "blockIdx", "%ntid": "blockDim", "%nctaid": "gridDim",
}

// scope is what names mean in a kernel: families of registers ("%rd", of which there are so many), parameters and shared arrays.
type scope struct {
	registers  map[string]registers
	parameters map[string]int
	shared     map[string]bool
}

// register finds a register's kind and its name in C++.
func (s *scope) register(name string) (kind, string, bool) {
	if r, ok := s.registers[name]; ok && r.count == 0 {
		return kinds[r.kind], variable(name), true
	}
	family := strings.TrimRight(name, "0123456789")
	r, ok := s.registers[family]
	n, err := strconv.Atoi(name[len(family):])
	if !ok || err != nil || n >= r.count {
		return kind{}, "", false
	}
	return kinds[r.kind], variable(name), true
}

// variable and label are C++ names that nothing else has.
func variable(name string) string { return "v_" + strings.TrimPrefix(name, "%") }
func label(name string) string    { return "l_" + strings.TrimLeft(name, "$") }

// read is an operand as a number of type k. A wider register gives its lower bits where the instruction may say so.
func (s *scope) read(line int, o operand, k kind, narrower bool) string {
	if o.list != nil || o.address {
		failf(line, "got a list or an address, want a number")
	}
	if has, name, ok := s.register(o.text); ok {
		switch {
		case has.bits < k.bits || has.bits > k.bits && !narrower || (has.of == 'p') != (k.of == 'p'):
			failf(line, "%s is not of %d bits", o.text, k.bits)
		case has.of == 'f' && k.of != 'f':
			name = fmt.Sprintf("bits_of(%s)", name)
		case has.of != 'f' && k.of == 'f':
			return fmt.Sprintf("from_bits<%s>(%s)", k.c(), name)
		}
		if k.of == 'f' || k.of == 'p' || has.bits == k.bits && k.of != 's' {
			return name
		}
		return fmt.Sprintf("(%s)%s", k.c(), name)
	}
	if text, ok := s.constant(o.text, k); ok {
		return text
	}
	failf(line, "%q is no register, number or name", o.text)
	return ""
}

// constant is a number, a special register or where a shared array begins.
func (s *scope) constant(text string, k kind) (string, bool) {
	name, axis, _ := strings.Cut(text, ".")
	switch {
	case special[name] != "" && k.bits == 32 && k.of != 'f' && (axis == "x" || axis == "y" || axis == "z"):
		return special[name] + "." + axis, true
	case s.shared[text] && k.bits == 64 && k.of != 'f':
		return "(uint64_t)" + text, true
	case k.of == 'f':
		prefix := map[int]string{32: "0f", 64: "0d"}[k.bits]
		digits, ok := strings.CutPrefix(text, prefix)
		n, err := strconv.ParseUint(digits, 16, k.bits)
		return fmt.Sprintf("from_bits<%s>(uint%d_t(0x%xu%s))", k.c(), k.bits, n, strings.Repeat("l", k.bits/64)), ok && err == nil && len(digits) == k.bits/4
	}
	n, ok := integer(text, k.bits)
	if k.of == 'p' {
		return strconv.FormatBool(n != 0), ok
	}
	return fmt.Sprintf("(%s)0x%xu%s", k.c(), n, strings.Repeat("l", k.bits/64)), ok
}

// write gives a register a number of type k. A wider register takes it with its sign, or with zeros, where the instruction may say so.
func (s *scope) write(line int, o operand, k kind, wider bool, value string) string {
	has, name, ok := s.register(o.text)
	switch {
	case !ok || o.address:
		failf(line, "%q is no register", o.text)
	case has.bits < k.bits || has.bits > k.bits && !wider || (has.of == 'p') != (k.of == 'p') || has.of == 'f' && has.bits != k.bits:
		failf(line, "%s is not of %d bits", o.text, k.bits)
	case has.of == 'f' && k.of != 'f':
		value = fmt.Sprintf("from_bits<%s>((uint%d_t)(%s))", has.c(), has.bits, value)
	case has.of != 'f' && k.of == 'f':
		value = fmt.Sprintf("bits_of(%s)", value)
	case has.bits > k.bits || k.of != 'p' && k.of != 'f':
		value = fmt.Sprintf("(%s)(%s)", k.c(), value)
	}
	return fmt.Sprintf("%s = %s;", name, value)
}
