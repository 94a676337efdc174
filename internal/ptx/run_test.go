package ptx

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kernelText is a kernel whose threads store the registers of out, each "u32 %r1", to 8 bytes each of their own.
func kernelText(name, body string, out []string) string {
	var stores strings.Builder
	for i, o := range out {
		kind, register, _ := strings.Cut(o, " ")
		fmt.Fprintf(&stores, "st.global.%s [%%rd10+%d], %s;\n", kind, 8*i, register)
	}
	return fmt.Sprintf(`.visible .entry %s(
.param .u64 out
)
.maxntid 32, 1, 1
{
.reg .pred %%p<12>;
.reg .b16 %%rs<12>;
.reg .b32 %%r<12>;
.reg .b64 %%rd<12>;
.reg .f32 %%f<12>;
.reg .f64 %%fd<12>;
.shared .align 16 .b8 words[256];
ld.param.u64 %%rd9, [out];
cvta.to.global.u64 %%rd9, %%rd9;
mov.u32 %%r10, %%tid.x;
mul.wide.u32 %%rd10, %%r10, 64;
add.s64 %%rd10, %%rd9, %%rd10;
mov.u64 %%rd11, words;
%s
%s
ret;
}
`, name, body, stores.String())
}

const heading = ".version 7.0\n.target sm_80\n.address_size 64\n"

// program runs each kernel that it is given the name of, in a block of 32 threads, and prints what thread 0 and thread 5 stored.
const program = `
#include "shim.h"
#include <map>
#include <string>
static std::map<std::string, void (*)(void **)> &kernels() {
	static std::map<std::string, void (*)(void **)> all;
	return all;
}
void emulate_register(const char *name, void (*thread)(void **), int) { kernels()[name] = thread; }
int main(int n, char **names) {
	for (int i = 1; i < n; i++) {
		alignas(256) unsigned long long out[8 * 32] = {}, *p = out;
		void *parameters[] = {&p};
		emulate_launch(names[i], kernels().at(names[i]), parameters, {1, 1, 1}, {32, 1, 1});
		for (int w = 0; w < 16; w++) printf("%llx%c", out[w % 8 + w / 8 * 40], w == 15 ? '\n' : ' ');
	}
}
`

// build translates and compiles kernels to a program.
func build(t *testing.T, text string, flags ...string) string {
	t.Helper()
	compiler := os.Getenv("CXX")
	if compiler == "" {
		compiler = "g++"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skipf("no %s to compile with", compiler)
	}
	unit, err := Translate("test.ptx", heading+text)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	emulate := "../../pkg/kernel/cuda/emulate"
	for name, text := range map[string]string{"unit.cc": unit, "main.cc": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "program")
	arguments := append(flags, "-std=c++17", "-O1", "-Wall", "-Werror", "-Wno-maybe-uninitialized", "-ffp-contract=off", "-I", emulate, "-o", binary,
		filepath.Join(dir, "unit.cc"), filepath.Join(dir, "main.cc"), filepath.Join(emulate, "shim.cc"), filepath.Join(emulate, "profile.cc"))
	out, err := exec.Command(compiler, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// launch runs a kernel and returns the words of thread 0 and of thread 5.
func launch(binary, name string) (words []string, err error) {
	out, err := exec.Command(binary, name).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return strings.Fields(string(out)), nil
}
