package ptx

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Counts that follow from what a card moves: 32-byte sectors of global memory, and words of 32 banks of shared memory. A tile of 32 x 32
// float32 is read along a column: all in one bank, or, with rows of 33, in all of them.
func TestProfile(t *testing.T) {
	tests := []struct{ name, body, want string }{
		// Neighbours: 32 lanes x 4 bytes are 4 sectors.
		{"coalesced", `mul.wide.u32 %rd1, %r10, 4; add.s64 %rd1, %rd9, %rd1; ld.global.f32 %f1, [%rd1]; st.global.f32 [%rd1+128], %f1;`,
			"global 0 4: 1 4 4; global 1 4: 1 4 4"},
		{"stride two", `mul.wide.u32 %rd1, %r10, 8; add.s64 %rd1, %rd9, %rd1; ld.global.f32 %f1, [%rd1];`, "global 0 4: 1 8 4"},
		{"off by a word", `mul.wide.u32 %rd1, %r10, 4; add.s64 %rd1, %rd9, %rd1; ld.global.f32 %f1, [%rd1+4];`, "global 0 4: 1 5 4"},
		{"one word", `ld.global.f32 %f1, [%rd9];`, "global 0 4: 1 1 1"},
		{"quads", `mul.wide.u32 %rd1, %r10, 16; add.s64 %rd1, %rd9, %rd1; ld.global.v4.f32 {%f1,%f2,%f3,%f4}, [%rd1];`, "global 0 16: 1 16 16"},
		{"column of 32", `mul.wide.u32 %rd1, %r10, 128; add.s64 %rd1, %rd11, %rd1; ld.shared.f32 %f1, [%rd1];`, "shared 0 4: 1 32 1"},
		{"column of 33", `mul.wide.u32 %rd1, %r10, 132; add.s64 %rd1, %rd11, %rd1; ld.shared.f32 %f1, [%rd1];`, "shared 0 4: 1 1 1"},
		{"broadcast", `ld.shared.f32 %f1, [%rd11];`, "shared 0 4: 1 1 1"},
		{"shared quads", `mul.wide.u32 %rd1, %r10, 16; add.s64 %rd1, %rd11, %rd1; st.shared.v4.f32 [%rd1], {%f1,%f2,%f3,%f4};`, "shared 1 16: 1 4 4"},
		{"shared pairs, every other one", `mul.wide.u32 %rd1, %r10, 16; add.s64 %rd1, %rd11, %rd1; st.shared.v2.f32 [%rd1], {%f1,%f2};`, "shared 1 8: 1 4 2"},
		// Twice the same instruction is two requests; a lane that stays away is none.
		{"a loop", `mov.b32 %r1, 0; $again: mul.wide.u32 %rd1, %r10, 4; add.s64 %rd1, %rd9, %rd1; setp.lt.u32 %p2, %r10, 8; @%p2 ld.global.f32 %f1, [%rd1];
			add.s32 %r1, %r1, 1; setp.lt.u32 %p1, %r1, 3; @%p1 bra $again;`, "global 0 4: 3 3 3"},
	}
	var text strings.Builder
	for i, test := range tests {
		text.WriteString(strings.Replace(kernelText(fmt.Sprintf("test_%d", i), strings.ReplaceAll(test.body, "; ", ";\n"), nil), "words[256]", "words[4224]", 1))
	}
	binary := build(t, text.String(), "-DMM_COUNTS")
	access := regexp.MustCompile(`access line \d+ space (\w+) writes (\d) size (\d+) requests (\d+) cost (\d+) least (\d+)`)
	for i, test := range tests {
		path := filepath.Join(t.TempDir(), "profile")
		t.Setenv("MM_EMULATED_PROFILE", path)
		if _, err := launch(binary, fmt.Sprintf("test_%d", i)); err != nil {
			t.Fatal(err)
		}
		profile, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range access.FindAllStringSubmatch(string(profile), -1) {
			got = append(got, fmt.Sprintf("%s %s %s: %s %s %s", m[1], m[2], m[3], m[4], m[5], m[6]))
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: got %s, want %s", test.name, strings.Join(got, "; "), test.want)
		}
		// All kernels take their parameter and the thread's number and make addresses of them, by six instructions; this one makes one more by two.
		if i == 0 && !strings.Contains(string(profile), "launch test_0 blocks 1 of 1 threads 32 fma 0 float32 0 float64 0 tensor 0 convert 0 integer 256 multiply64 0 divide 0 divide64 0 load_global 32 store_global 32") {
			t.Errorf("got %s", profile)
		}
	}
}
