package ptx

import (
	"fmt"
	"slices"
	"strings"
)

// emitter writes the C++ of a kernel.
type emitter struct {
	scope
	out    *strings.Builder
	labels map[string]bool
}

// Translate returns a C++ unit for PTX. An error begins with name and the line.
func Translate(name, text string) (unit string, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case fault:
			unit, err = "", fmt.Errorf("%s:%d: %s", name, f.line, f.what)
		default:
			panic(f)
		}
	}()
	tokens, err := lex(text)
	if err != nil {
		return "", fmt.Errorf("%s:%w", name, err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "// Translated from %s.\n#include \"instructions.h\"\n", name)
	for _, e := range (&parser{tokens: tokens}).file() {
		emit(&out, e)
	}
	return out.String(), nil
}

// emit writes a kernel's function, with what makes it known to the emulated driver.
func emit(out *strings.Builder, e entry) {
	m := &emitter{scope{map[string]registers{}, map[string]int{}, map[string]bool{}}, out, map[string]bool{}}
	for i, p := range e.parameters {
		m.parameters[p] = i
	}
	m.findLabels(e.body)
	fmt.Fprintf(out, "\nnamespace of_%s { // a shared array's name is its kernel's own\n", e.name)
	var own []string
	for _, s := range e.body {
		if a := s.shared; a != nil {
			m.shared[a.name] = true
			own = append(own, a.name)
			fmt.Fprintf(out, "alignas(%d) __shared__ unsigned char %s[%d];\n", a.align, a.name, a.size)
		}
	}
	fmt.Fprintf(out, "static void thread_%s(void **parameters) {\n\tconst Own<%d> own{{", e.name, len(own))
	for _, a := range own {
		fmt.Fprintf(out, "{(uint64_t)%s, sizeof %s},", a, a)
	}
	out.WriteString("}};\n")
	m.body(e.body)
	fmt.Fprintf(out, "}\nKERNEL(%s, %d)\n}\n", e.name, len(e.parameters))
}

// findLabels collects the labels that a branch may name: all but those of inner blocks, into which none goes.
func (m *emitter) findLabels(body []statement) {
	for _, s := range body {
		if s.label == "" {
			continue
		}
		if m.labels[s.label] {
			failf(s.line, "a second label %s", s.label)
		}
		m.labels[s.label] = true
	}
}

func (m *emitter) body(body []statement) {
	var inner []string
	for _, s := range body { // before all labels: a jump passes no declaration
		if s.registers != nil {
			m.declare(s.line, *s.registers)
			inner = append(inner, s.registers.name)
		}
	}
	for _, s := range body {
		switch {
		case s.block != nil:
			if slices.ContainsFunc(s.block, func(s statement) bool { return s.label != "" || s.shared != nil }) {
				failf(s.line, "a block with a label or a shared array in it")
			}
			m.out.WriteString("\t{\n")
			m.body(s.block)
			m.out.WriteString("\t}\n")
		case s.label != "":
			fmt.Fprintf(m.out, "%s:;\n", label(s.label))
		case s.instruction != nil:
			m.instruction(s.instruction)
		}
	}
	for _, name := range inner {
		delete(m.registers, name)
	}
}

// declare declares registers. What a thread reads before it writes it is odd: no address, no small number, and NaN.
func (m *emitter) declare(line int, r registers) {
	k, ok := kinds[r.kind]
	if !ok || k.bits == 8 {
		failf(line, "registers of type %q", r.kind)
	}
	if _, ok := m.registers[r.name]; ok {
		failf(line, "registers %s a second time", r.name)
	}
	m.registers[r.name] = r
	if r.count == 0 {
		fmt.Fprintf(m.out, "\t%s %s = odd<%s>();\n", k.c(), variable(r.name), k.c())
	}
	for i := range r.count {
		name := fmt.Sprint(r.name, i)
		fmt.Fprintf(m.out, "\t%s %s = odd<%s>();\n", k.c(), variable(name), k.c())
	}
}

func (m *emitter) instruction(i *instruction) {
	m.out.WriteByte('\t')
	if i.guard != "" {
		k, name, ok := m.register(i.guard)
		if !ok || k.of != 'p' {
			failf(i.line, "%s is no predicate", i.guard)
		}
		fmt.Fprintf(m.out, "if (%s%s) ", map[bool]string{true: "!"}[i.not], name)
	}
	code, class := m.translate(i)
	fmt.Fprintf(m.out, "{ COUNT(%s); %s }\n", class, code)
}

// want holds an instruction to a number of them.
func (i *instruction) want(n int) {
	if len(i.operands) != n {
		failf(i.line, "%s: %d operands, want %d", i.opcode(), len(i.operands), n)
	}
}

// translate returns an instruction's C++ and what it is counted as.
func (m *emitter) translate(i *instruction) (code, class string) {
	if f, ok := shaped[i.words[0]]; ok {
		if code, class = f(m, i); code != "" {
			return code, class
		}
	}
	last := len(i.words) - 1
	name := strings.Join(i.words[:last], ".")
	r, ok := rules[name]
	k, typed := kinds[i.words[last]]
	if !ok || !typed || !r.fits(k) {
		failf(i.line, "unknown instruction %s", i.opcode())
	}
	if k.of == 's' && strings.Contains(r.of, "i") {
		k.of = 'u' // the same bits, which may overflow
	}
	result, wide := k, kind{k.of, 2 * k.bits}
	switch {
	case r.result == "pred":
		result = kinds["pred"]
	case r.result == "wide" && k.bits <= 32:
		result = wide
	case r.result == "wide":
		failf(i.line, "unknown instruction %s", i.opcode())
	}
	pairs := []string{"$T", k.c(), "$W", wide.c()}
	takes := r.operands()
	i.want(1 + len(takes))
	for n, of := range takes {
		if of != "T" {
			pairs = append(pairs, letters[n], m.read(i.line, i.operands[1+n], kinds[of], false))
		} else {
			pairs = append(pairs, letters[n], m.read(i.line, i.operands[1+n], k, false))
		}
	}
	return m.write(i.line, i.operands[0], result, false, strings.NewReplacer(pairs...).Replace(r.form)), r.classOf(name, k)
}
