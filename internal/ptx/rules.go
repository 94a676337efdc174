package ptx

import "strings"

// rule is what an instruction does: an expression of its operands, $a, $b and $c, in types $T.
type rule struct {
	of     string // kinds of its type: i integers of 16 to 64 bits whatever their sign, and those of kind
	form   string
	result string // the type of what it gives where that is not the operands': "pred", or "wide", of twice the bits
	takes  string // the types of the operands, "T" being its own, where they are not all that
	class  string // what profiles count it as; see classOf
}

// rules are the instructions that have one type, which is their last word, and give one number.
//
// An integer's sign decides how it is read; sums and products keep the lower bits, which are the same. std::fma rounds once. What a
// division by 0 gives is open, and it is an error.
var rules = map[string]rule{
	"mov": {of: "ifp", form: "$a"},

	"add":      {of: "i", form: "$a + $b"},
	"sub":      {of: "i", form: "$a - $b"},
	"neg":      {of: "sf", form: "negative($a)"},
	"mul.lo":   {of: "i", form: "(uint64_t)$a * $b", class: "multiply"},
	"mad.lo":   {of: "i", form: "(uint64_t)$a * $b + $c", class: "multiply"},
	"mul.wide": {of: "us", form: "($W)$a * ($W)$b", result: "wide", class: "multiply"},
	"div":      {of: "us", form: "quotient<$T>($a, $b)", class: "divide"},
	"rem":      {of: "us", form: "remainder_of<$T>($a, $b)", class: "divide"},
	"min":      {of: "us", form: "$b < $a ? $b : $a"},
	"max":      {of: "us", form: "$a < $b ? $b : $a"},

	"and": {of: "bp", form: "$a & $b"},
	"or":  {of: "bp", form: "$a | $b"},
	"xor": {of: "bp", form: "$a ^ $b"},
	"not": {of: "b", form: "~$a"},
	"shl": {of: "b", form: "shift_left<$T>($a, $b)", takes: "T u32"},
	"shr": {of: "us", form: "shift_right<$T>($a, $b)", takes: "T u32"},
	"bfe": {of: "u", form: "extract<$T>($a, $b, $c)", takes: "T u32 u32"},

	"add.rn":  {of: "f", form: "$a + $b"},
	"sub.rn":  {of: "f", form: "$a - $b"},
	"mul.rn":  {of: "f", form: "$a * $b"},
	"div.rn":  {of: "f", form: "$a / $b"},
	"rcp.rn":  {of: "f", form: "1 / $a"},
	"sqrt.rn": {of: "f", form: "std::sqrt($a)"},
	"fma.rn":  {of: "f", form: "std::fma($a, $b, $c)"},

	"selp": {of: "if", form: "$c ? $a : $b", takes: "T T pred"},

	"cvta.global":    {of: "u", form: "$a"}, // all addresses are generic here
	"cvta.to.global": {of: "u", form: "$a"},

	"setp.eq": {of: "if", form: "$a == $b", result: "pred"},
	"setp.ne": {of: "if", form: "differ($a, $b)", result: "pred"}, // of floats: and neither is NaN
	"setp.lt": {of: "usf", form: "$a < $b", result: "pred"},
	"setp.le": {of: "usf", form: "$a <= $b", result: "pred"},
	"setp.gt": {of: "usf", form: "$a > $b", result: "pred"},
	"setp.ge": {of: "usf", form: "$a >= $b", result: "pred"},

	// These hold too where one of the operands is NaN.
	"setp.equ": {of: "f", form: "!differ($a, $b)", result: "pred"},
	"setp.neu": {of: "f", form: "!($a == $b)", result: "pred"},
	"setp.ltu": {of: "f", form: "!($a >= $b)", result: "pred"},
	"setp.leu": {of: "f", form: "!($a > $b)", result: "pred"},
	"setp.gtu": {of: "f", form: "!($a <= $b)", result: "pred"},
	"setp.geu": {of: "f", form: "!($a < $b)", result: "pred"},
	"setp.num": {of: "f", form: "$a == $a && $b == $b", result: "pred"},
	"setp.nan": {of: "f", form: "$a != $a || $b != $b", result: "pred"},
}

// fits tells whether a rule is for a type.
func (r rule) fits(k kind) bool {
	for _, of := range []byte(r.of) {
		if of == k.of || of == 'i' && k.of != 'f' && k.of != 'p' && k.bits >= 16 {
			return k.bits >= 16 || k.of == 'p'
		}
	}
	return false
}

// letters are the operands in a form.
var letters = []string{"$a", "$b", "$c"}

// operands are the types of what a rule takes, "T" being the instruction's.
func (r rule) operands() []string {
	if r.takes != "" {
		return strings.Fields(r.takes)
	}
	var all []string
	for _, letter := range letters {
		if strings.Contains(r.form, letter) {
			all = append(all, "T")
		}
	}
	return all
}

// classOf is what a profile counts an instruction as: what a card has different units for, or takes longer over.
func (r rule) classOf(name string, k kind) string {
	switch {
	case name == "fma.rn" && k.bits == 32:
		return "fma"
	case k.of == 'f' && name != "mov" && name != "selp":
		return map[int]string{32: "float32", 64: "float64"}[k.bits]
	case r.class == "divide", r.class == "multiply" && k.bits == 64:
		return r.class + map[bool]string{true: "64"}[k.bits == 64]
	}
	return "integer"
}

// conversion is cvt: the expression, of $a, for what it is given and gives; how is what stands between, and rounds.
func conversion(how string, to, from kind) (form string, ok bool) {
	whole := func(k kind) bool { return k.of == 'u' || k.of == 's' }
	switch {
	case how == "" && whole(to) && whole(from):
		return "$a", true
	case how == "" && to.of == 'f' && from.of == 'f' && to.bits > from.bits:
		return "$a", true
	case how == "rn" && to.of == 'f' && (whole(from) || from.of == 'f' && from.bits > to.bits):
		return "(" + to.c() + ")$a", true
	case how == "rzi" && whole(to) && from.of == 'f' && to.bits >= 32:
		return "towards_zero<" + to.c() + ">($a)", true
	}
	return "", false
}
