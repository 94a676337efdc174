//go:build dnnl && cgo && linux

package dnn

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mmtools/pkg/kernel"
)

// Processors without AVX-512 run none of the library's reference loops, which are a hundred times slower than its other code, and compute
// the same. oneDNN is held to older instructions by its own setting, which it reads once: hence processes of their own.
func TestOlderProcessors(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the tests of convolutions again")
	}
	for _, isa := range []string{"AVX2", "SSE41"} {
		t.Run(isa, func(t *testing.T) {
			command := exec.Command(os.Args[0], "-test.short", "-test.run", "^(TestConv|TestConvAffine|TestPortableStep)$/^built")
			command.Env = append(os.Environ(), "ONEDNN_MAX_CPU_ISA="+isa, "ONEDNN_VERBOSE=1")
			out, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			ran := 0
			for line := range bytes.Lines(out) {
				if f := strings.Split(string(line), ","); len(f) > 4 && f[0] == "onednn_verbose" && f[1] == "exec" && f[3] == "convolution" {
					ran++
					if strings.HasPrefix(f[4], "ref") {
						t.Errorf("runs in reference loops: %s", line)
					}
				}
			}
			if ran < 20*3 {
				t.Errorf("%d convolutions in oneDNN, want those of a ResNet-18 at least", ran)
			}
		})
	}
}

// A step of ResNet-18 without what is written for AVX-512, for TestOlderProcessors to see what it runs in.
func TestPortableStep(t *testing.T) {
	t.Run("built", func(t *testing.T) {
		e, err := Open(Options{Threads: 2, Portable: true})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		r, x := newResNet(2, kernel.Image{C: 3, H: 64, W: 48}), noise(2*3*64*48)
		r.forward(e, x)
		r.backward(e, x)
		for i, v := range r.stem.dw {
			if v != v {
				t.Fatalf("element %d of the first layer's gradient is %v", i, v)
			}
		}
	})
}
