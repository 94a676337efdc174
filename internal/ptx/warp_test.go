package ptx

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A lane takes its partner's bits, those of a signalling NaN too.
func TestShuffle(t *testing.T) {
	binary := build(t, kernelText("swap", `or.b32 %r1, %r10, -8388608; mov.b32 %f1, %r1; shfl.sync.bfly.b32 %f2, %f1, 16, 31, -1;
		shfl.sync.bfly.b32 %r2, %r10, 34, 31, -1;`, []string{"f32 %f2", "u32 %r2"}))
	words, err := launch(binary, "swap")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(words[:2], words[8:10]); got != "[ff800010 2] [ff800015 7]" {
		t.Errorf("got %s, want lanes 16 and 21 as NaN, 2 and 7", got)
	}
}

// The manual's layouts (PTX ISA 7.8, matrix fragments for mma.m16n8k8 and mma.m16n8k16): with g = lane / 4 and t = lane % 4, words
// (g,t), (g+8,t), (g,t+4), (g+8,t+4) of a, (t,g), (t+4,g) of b, a word being one number of TF32 or two of bfloat16, and (g,2t), (g,2t+1),
// (g+8,2t), (g+8,2t+1) of c. Whole numbers of 7 bits, so that all is exact.
func TestTensorCores(t *testing.T) {
	const load = `cvt.rn.f32.u32 %f1, %r10; add.rn.f32 %f2, %f1, 0f42000000; add.rn.f32 %f3, %f1, 0f3F800000; neg.f32 %f4, %f1;` // l, l+32, l+1, -l
	kernels := kernelText("tf32", load+`cvt.rna.tf32.f32 %r1, %f1; cvt.rna.tf32.f32 %r2, %f2; cvt.rna.tf32.f32 %r3, %f3; cvt.rna.tf32.f32 %r4, %f4;
		mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f5,%f6,%f7,%f8}, {%r1,%r2,%r3,%r4}, {%r3,%r2}, {%f1,%f2,%f3,%f4};`,
		[]string{"f32 %f5", "f32 %f6", "f32 %f7", "f32 %f8"}) +
		kernelText("bf16", load+`cvt.rn.bf16x2.f32 %r1, %f2, %f1; cvt.rn.bf16x2.f32 %r2, %f1, %f2; cvt.rn.bf16x2.f32 %r3, %f4, %f3; cvt.rn.bf16x2.f32 %r4, %f1, %f4;
		mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f5,%f6,%f7,%f8}, {%r1,%r2,%r3,%r4}, {%r3,%r2}, {%f1,%f2,%f3,%f4};`,
			[]string{"f32 %f5", "f32 %f6", "f32 %f7", "f32 %f8"})
	numbers := func(lane int) (n [5]float64) {
		l := float64(lane)
		return [5]float64{0, l, l + 32, l + 1, -l}
	}
	binary := build(t, kernels)
	for name, words := range map[string][5][]int{"tf32": {{}, {1}, {2}, {3}, {4}}, "bf16": {{}, {1, 2}, {2, 1}, {3, 4}, {4, 1}}} {
		word := func(lane, r int) (terms []float64) {
			for _, f := range words[r] {
				terms = append(terms, numbers(lane)[f])
			}
			return terms
		}
		got, err := launch(binary, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, lane := range []int{0, 5} {
			for c := range 4 {
				g, in := lane/4, lane%4
				sum := numbers(lane)[c+1]
				for k := range 8 {
					a := word(4*g+k%4, 1+c/2+k/4*2)
					b := word(4*(2*in+c%2)+k%4, []int{3, 2}[k/4])
					for i := range a {
						sum += a[i] * b[i]
					}
				}
				want := fmt.Sprintf("%x", math.Float32bits(float32(sum)))
				if at := lane/5*8 + c; got[at] != want {
					t.Errorf("%s: sum %d of lane %d is %s, want %s", name, c, lane, got[at], want)
				}
			}
		}
	}
}

// What a card fails at ends the process, and names the kernel.
func TestFails(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"alignment", `ld.global.v2.f32 {%f1, %f2}, [%rd10+4];`, "memory is not at a multiple"},
		{"alignment_shared", `st.shared.u32 [%rd11+2], %r1;`, "memory is not at a multiple"},
		{"global_shared", `ld.global.u32 %r1, [%rd11];`, "of shared memory"},
		{"shared_global", `ld.shared.u32 %r1, [%rd10];`, "outside of the kernel's arrays"},
		{"shared_after", `ld.shared.u64 %rd1, [words+256];`, "outside of the kernel's arrays"},
		{"unwritten", `ld.global.u32 %r1, [%rd1];`, "memory is not at a multiple"},
		{"zero", `mov.b32 %r1, 0; div.u32 %r2, 1, %r1;`, "a division by 0"},
		{"some_wait", `setp.lt.u32 %p1, %r10, 5; @%p1 bra $out; bar.sync 0; $out:`, "some threads ended"},
	}
	var text strings.Builder
	for _, f := range tests {
		text.WriteString(kernelText(f.name, f.body, nil))
	}
	binary := build(t, text.String())
	for _, f := range tests {
		if _, err := launch(binary, f.name); err == nil || !strings.Contains(err.Error(), "kernel "+f.name+", block 0 0 0: ") || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: got %v, want a failure with %q", f.name, err, f.want)
		}
	}
}
