package ptx

import (
	"strings"
	"testing"
)

// What is not known is an error that names the line, never left out.
func TestUnknown(t *testing.T) {
	const start = heading + ".visible .entry k(\n.param .u64 p\n)\n{\n.reg .pred %p<3>;\n.reg .b16 %rs<3>;\n.reg .b32 %r<3>;\n.reg .b64 %rd<3>;\n.reg .f32 %f<3>;\n.reg .f64 %fd<3>;\n"
	const line = "k.ptx:14: " // of what is put in
	tests := []struct{ text, want string }{
		{"sin.approx.f32 %f1, %f2;", "unknown instruction sin.approx.f32"},
		{"add.f32 %f1, %f1, %f2;", "unknown instruction add.f32"}, // which may be contracted
		{"add.rn.ftz.f32 %f1, %f1, %f2;", "unknown instruction add.rn.ftz.f32"},
		{"add.rn.f16 %rs1, %rs1, %rs2;", "unknown instruction add.rn.f16"},
		{"add.s8 %rs1, %rs1, %rs2;", "unknown instruction add.s8"},
		{"shr.b32 %r1, %r1, 2;", "unknown instruction shr.b32"},
		{"mul.wide.s64 %rd1, %rd1, %rd2;", "unknown instruction mul.wide.s64"},
		{"cvt.f32.f64 %f1, %fd1;", "unknown instruction cvt.f32.f64"},
		{"cvt.rzi.s16.f32 %rs1, %f1;", "unknown instruction cvt.rzi.s16.f32"},
		{"ld.u32 %r1, [%rd1];", "unknown instruction ld.u32"},
		{"ld.local.u32 %r1, [%rd1];", "unknown instruction ld.local.u32"},
		{"ld.global.nc.u32 %r1, [%rd1];", "unknown instruction ld.global.nc.u32"},
		{"ld.global.v4.f64 {%fd1, %fd1, %fd1, %fd1}, [%rd1];", "unknown instruction"},
		{"ld.global.v2.u32 {%r1}, [%rd1];", "1 numbers, want 2"},
		{"ld.global.u32 %r1, %rd1;", "is no address"},
		{"ld.param.u64 %rd1, [p+4];", "no such parameter"},
		{"ld.param.u64 %rd1, [q];", "no such parameter"},
		{"atom.global.add.u32 %r1, [%rd1], %r2;", "unknown instruction"},
		{"bar.sync 1;", `barrier "1"`},
		{"bar.sync 0, 64;", "2 operands, want 1"},
		{"shfl.sync.bfly.b32 %r1, %r1, 1, 15, -1;", "of a part of the warp"},
		{"shfl.sync.down.b32 %r1, %r1, 1, 31, -1;", "unknown instruction"},
		{"bra.uni $nowhere;", `no label "$nowhere"`},
		{"@%r1 ret;", "%r1 is no predicate"},
		{"add.s32 %r1, %r1, %rd1;", "%rd1 is not of 32 bits"},
		{"add.s64 %rd1, %rd1, %r1;", "%r1 is not of 64 bits"},
		{"add.s32 %r1, %r1;", "2 operands, want 3"},
		{"add.s32 %r1, %r1, %r3;", `"%r3" is no register`},
		{"add.rn.f32 %f1, %f1, 1;", `"1" is no register, number`},
		{"mov.u32 %r1, %laneid;", `"%laneid" is no register`},
		{"mov.u32 5, %r1;", `"5" is no register`},
		{"and.pred %p1, %p1, %r1;", "%r1 is not of 1 bits"},
		{".local .align 4 .b8 x[4];", `unknown directive ".local"`},
		{".reg .f16 %h<2>;", `registers of type "f16"`},
		{".reg .b32 %r<9>;", "registers %r a second time"},
		{"l: ret; l: ret;", "a second label l"},
		{"{ l: ret; }", "a block with a label"},
		{"ret }", `got "}", want an operand`},
		{"add.s32 %r1, ?;", `unknown character '?'`},
	}
	for _, test := range tests {
		_, err := Translate("k.ptx", start+test.text+"\n}\n")
		if err == nil || !strings.HasPrefix(err.Error(), line) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s%s", test.text, err, line, test.want)
		}
	}
	for _, text := range []string{".visible .func f()", ".address_size 32", ".visible .entry k(.param .u32 p) {}", ".visible .entry k() .reqntid 1 {}", heading + ".visible .entry k() {"} {
		if _, err := Translate("k.ptx", text); err == nil || !strings.HasPrefix(err.Error(), "k.ptx:") {
			t.Errorf("%s: got %v, want an error", text, err)
		}
	}
}
