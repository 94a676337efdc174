package ptx

import (
	"fmt"
	"strings"
	"testing"
)

// The numbers follow from the sections of the manual (PTX ISA 7.8, 9.7.1 to 9.7.14) on each instruction, and from IEEE 754.
var semantics = []struct {
	name, body string
	out        []string // what thread 0 stores
	want       string   // as hexadecimal words
}{
	{"integers", `add.s32 %r1, 2147483647, 1; sub.s64 %rd1, 0, 1; neg.s64 %rd2, 5; mul.lo.s32 %r2, -3, 5; mad.lo.s64 %rd3, -2, 3, 1;
		add.s16 %rs1, 32767, 2; cvt.u32.u16 %r3, %rs1;`,
		[]string{"u32 %r1", "u64 %rd1", "u64 %rd2", "u32 %r2", "u64 %rd3", "u32 %r3"}, "80000000 ffffffffffffffff fffffffffffffffb fffffff1 fffffffffffffffb 8001"},
	{"the sign of mul.wide", `mov.b32 %r1, -2; mul.wide.s32 %rd1, %r1, 3; mul.wide.u32 %rd2, %r1, 3; mov.b32 %r2, 65535; cvt.u16.u32 %rs1, %r2;
		mul.wide.u16 %r3, %rs1, 65535;`, []string{"u64 %rd1", "u64 %rd2", "u32 %r3"}, "fffffffffffffffa 2fffffffa fffe0001"},
	{"division towards zero", `mov.b32 %r1, -7; div.s32 %r2, %r1, 2; rem.s32 %r3, %r1, 2; div.u32 %r4, %r1, 2; rem.u32 %r5, %r1, 4;
		mov.b64 %rd1, -9223372036854775808; div.s64 %rd2, %rd1, -1; rem.s64 %rd3, %rd1, -1;`,
		[]string{"u32 %r2", "u32 %r3", "u32 %r4", "u32 %r5", "u64 %rd2", "u64 %rd3"}, "fffffffd ffffffff 7ffffffc 1 8000000000000000 0"},
	{"min and max by sign", `mov.b32 %r1, -1; min.s64 %rd1, -1, 1; max.s32 %r2, %r1, 1; max.u32 %r3, %r1, 1; max.s64 %rd2, -5, -6;`,
		[]string{"u64 %rd1", "u32 %r2", "u32 %r3", "u64 %rd2"}, "ffffffffffffffff 1 ffffffff fffffffffffffffb"},
	{"shifts by more than all bits", `mov.b32 %r1, -8; mov.b32 %r9, 40; shr.s32 %r2, %r1, %r9; shr.u32 %r3, %r1, %r9; shl.b32 %r4, %r1, %r9; shr.s32 %r5, %r1, 1;
		mov.b64 %rd1, -8; shr.s64 %rd2, %rd1, 64; shl.b64 %rd3, %rd1, 63; shr.u32 %r6, 64, 40;`,
		[]string{"u32 %r2", "u32 %r3", "u32 %r4", "u32 %r5", "u64 %rd2", "u64 %rd3", "u32 %r6"}, "ffffffff 0 0 fffffffc ffffffffffffffff 0 0"},
	{"fields of bits", `mov.b32 %r1, 305419896; bfe.u32 %r2, %r1, 8, 12; bfe.u32 %r3, %r1, 28, 12; bfe.u32 %r4, %r1, 4, 0; bfe.u32 %r5, %r1, 40, 8;
		mov.b64 %rd1, -1; bfe.u64 %rd2, %rd1, 32, 31;`, []string{"u32 %r2", "u32 %r3", "u32 %r4", "u32 %r5", "u64 %rd2"}, "456 1 0 0 7fffffff"},
	{"bits", `and.b32 %r1, 12, 10; or.b32 %r2, 12, 10; xor.b32 %r3, 12, 10; not.b32 %r4, 0; not.b64 %rd1, 1; mov.pred %p1, -1; setp.eq.s32 %p2, 1, 2;
		and.pred %p3, %p1, %p2; or.pred %p4, %p1, %p2; selp.u32 %r5, 7, 8, %p3; selp.b64 %rd2, -7, -8, %p4;`,
		[]string{"u32 %r1", "u32 %r2", "u32 %r3", "u32 %r4", "u64 %rd1", "u32 %r5", "u64 %rd2"}, "8 e 6 ffffffff fffffffffffffffe 8 fffffffffffffff9"},
	{"integers of other widths", `mov.b32 %r1, 65408; cvt.s8.s32 %rs1, %r1; cvt.s64.s8 %rd1, %rs1; cvt.s16.s8 %rs2, %rs1; cvt.u32.u16 %r2, %rs1; cvt.s32.s16 %r3, %rs2;
		mov.b64 %rd2, -4294967295; cvt.u32.u64 %r4, %rd2; cvt.s64.s32 %rd3, -1; cvt.u64.u32 %rd4, -1;`,
		[]string{"u64 %rd1", "u32 %r2", "u32 %r3", "u32 %r4", "u64 %rd3", "u64 %rd4"}, "ffffffffffffff80 ff80 ffffff80 1 ffffffffffffffff ffffffff"},
	{"to integers, which end", `mov.f64 %fd1, 0dC004000000000000; cvt.rzi.s64.f64 %rd1, %fd1; mov.f64 %fd2, 0d7FF0000000000000; cvt.rzi.s64.f64 %rd2, %fd2;
		mov.f32 %f1, 0fFF800000; cvt.rzi.s64.f32 %rd3, %f1; mov.f32 %f2, 0f7FC00000; cvt.rzi.s32.f32 %r1, %f2; cvt.rzi.s64.f32 %rd4, %f2; cvt.rzi.u32.f32 %r2, 0fBF800000;`,
		[]string{"u64 %rd1", "u64 %rd2", "u64 %rd3", "u32 %r1", "u64 %rd4", "u32 %r2"}, "fffffffffffffffe 7fffffffffffffff 8000000000000000 0 8000000000000000 0"},
	{"from integers, to even", `cvt.rn.f32.u32 %f1, 16777217; cvt.rn.f32.s64 %f2, -16777219; cvt.rn.f64.s64 %fd1, 9007199254740993; cvt.rn.f64.u64 %fd2, -1; cvt.f64.f32 %fd3, 0f3F800001;
		cvt.rn.f32.f64 %f3, 0d3FF0000010000000;`,
		[]string{"f32 %f1", "f32 %f2", "f64 %fd1", "f64 %fd2", "f64 %fd3", "f32 %f3"}, "4b800000 cb800002 4340000000000000 43f0000000000000 3ff0000020000000 3f800000"},
	{"floats are not contracted", `mov.f32 %f1, 0f3F800001; mul.rn.f32 %f2, %f1, %f1; sub.rn.f32 %f3, %f2, 0f3F800002; fma.rn.f32 %f4, %f1, %f1, 0fBF800002;
		add.rn.f32 %f5, 0f00000001, 0f00000001; rcp.rn.f32 %f6, 0f40400000; div.rn.f64 %fd1, 0d3FF0000000000000, 0d4008000000000000; sqrt.rn.f64 %fd2, 0d4000000000000000;`,
		[]string{"f32 %f3", "f32 %f4", "f32 %f5", "f32 %f6", "f64 %fd1", "f64 %fd2"}, "0 28800000 2 3eaaaaab 3fd5555555555555 3ff6a09e667f3bcd"},
	{"bits of floats", `mov.f32 %f1, 0fFF812345; mov.b32 %r1, %f1; neg.f64 %fd1, 0d7FF8000000000000; mov.b64 {%r2, %r3}, %fd1; mov.b64 %rd1, {%r3, %r1}; selp.f32 %f2, %f1, %f1, %p1;`,
		[]string{"u32 %r1", "u32 %r2", "u32 %r3", "u64 %rd1", "f32 %f2"}, "ff812345 0 fff80000 ff812345fff80000 ff812345"},
	{"to TF32, away from zero", `cvt.rna.tf32.f32 %r1, 0f3F801000; cvt.rna.tf32.f32 %r2, 0fBF801000; cvt.rna.tf32.f32 %r3, 0f3F800FFF; cvt.rna.tf32.f32 %r4, 0f3F803000;
		cvt.rna.tf32.f32 %r5, 0fFF800000;`, []string{"u32 %r1", "u32 %r2", "u32 %r3", "u32 %r4", "u32 %r5"}, "3f802000 bf802000 3f800000 3f804000 ff800000"},
	{"to bfloat16, to even, the first above", `cvt.rn.bf16x2.f32 %r1, 0f3F808000, 0f3F818000; cvt.rn.bf16x2.f32 %r2, 0f3F808001, 0fC0000000;`,
		[]string{"u32 %r1", "u32 %r2"}, "3f803f82 3f81c000"},
	{"a register that nobody wrote", `add.s32 %r1, %r2, 0;`, []string{"u32 %r1", "f32 %f1"}, "a5a5a5a5 7fa5a5a5"},
	{"a block with registers of its own", `mov.b64 %rd1, 4294967298; { .reg .b32 tmp; mov.b64 {tmp, %r1}, %rd1; } { .reg .b32 tmp; mov.b64 {%r2, tmp}, %rd1; }`,
		[]string{"u32 %r1", "u32 %r2"}, "1 2"},
	{"guards and branches", `mov.b32 %r1, 0; $again: add.s32 %r1, %r1, 3; setp.lt.s32 %p1, %r1, 10; @%p1 bra $again; @!%p1 bra.uni $out; mov.b32 %r1, -1;
		$out: @%p1 add.s32 %r1, %r1, 100; @!%p1 add.s32 %r1, %r1, 1000;`, []string{"u32 %r1"}, "3f4"},
	{"numbers of 1 to 16 bytes", `cvt.u64.u32 %rd1, %r10; shl.b64 %rd1, %rd1, 3; add.s64 %rd1, %rd11, %rd1; st.shared.u16 [%rd1+2], -1; st.shared.u8 [%rd1], -2;
		ld.shared.u32 %r1, [%rd1]; ld.shared.u16 %rs1, [%rd1+2]; cvt.u32.u16 %r2, %rs1; st.global.v2.u32 [%rd10+48], {%r2, %r1}; ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd10+48];
		ld.global.s8 %r3, [%rd10+52]; ld.shared.f64 %fd1, [%rd11+-0]; bar.sync 0; ld.shared.u64 %rd2, [words+8];`,
		[]string{"u32 %r1", "u32 %r2", "f32 %f2", "u32 %r3", "u64 %rd2"}, "fffffffe ffff fffffffe fffffffe fffffffffffffffe"},
	{"registers of the card", `mov.u32 %r1, %ntid.x; mov.u32 %r2, %nctaid.y; mov.u32 %r3, %ctaid.x; mov.u32 %r4, %tid.z; ld.param.u32 %r5, [out]; cvt.u32.u64 %r6, %rd9; sub.s32 %r7, %r5, %r6;`,
		[]string{"u32 %r1", "u32 %r2", "u32 %r3", "u32 %r4", "u32 %r7"}, "20 1 0 0 0"},
}

func TestSemantics(t *testing.T) {
	var text strings.Builder
	for i, s := range semantics {
		text.WriteString(kernelText(fmt.Sprintf("test_%d", i), s.body, s.out))
	}
	binary := build(t, text.String())
	for i, s := range semantics {
		words, err := launch(binary, fmt.Sprintf("test_%d", i))
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if got := strings.Join(words[:len(s.out)], " "); got != s.want {
			t.Errorf("%s: got %s, want %s", s.name, got, s.want)
		}
	}
}

// Each comparison of 1 with 2, 2 with 2, 2 with 1 and NaN with 1, as a bit from the lowest on: for integers, 1 with -1 is the fourth. The
// ordered ones are false of NaN, ne too; those with a u are true of it.
func TestComparisons(t *testing.T) {
	tests := map[string]string{
		"eq.f32": "2", "ne.f32": "5", "lt.f32": "1", "le.f32": "3", "gt.f32": "4", "ge.f32": "6", "num.f32": "7",
		"equ.f32": "a", "neu.f32": "d", "ltu.f32": "9", "leu.f32": "b", "gtu.f32": "c", "geu.f32": "e", "nan.f32": "8",
		"eq.s32": "2", "ne.s32": "d", "lt.s32": "1", "le.s32": "3", "gt.s32": "c", "ge.s32": "e",
		"eq.u32": "2", "ne.u32": "d", "lt.u32": "9", "le.u32": "b", "gt.u32": "4", "ge.u32": "6",
	}
	var text strings.Builder
	for op := range tests {
		one, two, other, against := "1", "2", "1", "-1"
		if strings.HasSuffix(op, "f32") {
			one, two, other, against = "0f3F800000", "0f40000000", "0f7FC00000", "0f3F800000"
		}
		body := "mov.b32 %r1, 0;"
		for i, pair := range [][2]string{{one, two}, {two, two}, {two, one}, {other, against}} {
			body += fmt.Sprintf("setp.%s %%p1, %s, %s; @%%p1 or.b32 %%r1, %%r1, %d;\n", op, pair[0], pair[1], 1<<i)
		}
		text.WriteString(kernelText("test_"+strings.ReplaceAll(op, ".", "_"), body, []string{"u32 %r1"}))
	}
	binary := build(t, text.String())
	for op, want := range tests {
		if words, err := launch(binary, "test_"+strings.ReplaceAll(op, ".", "_")); err != nil || words[0] != want {
			t.Errorf("setp.%s: got %v, %v, want %s", op, words, err, want)
		}
	}
}
