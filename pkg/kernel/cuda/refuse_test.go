//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"mmtools/pkg/kernel"
)

// Convolutions that cuDNN does in no layout, as it says before one runs or then, are done by own kernels: the CPU's results, and the same
// bytes twice.
func TestConvolutionsNotDone(t *testing.T) {
	if emulated == "" {
		t.Skip("a card's cuDNN refuses what it does")
	}
	spec, state := model("concat", "cnn:3,16"), settings("sgd")
	data := samples(t, spec, 21)
	want, losses, accuracy, err := fit(t, openCPU(t), nil, spec, state, data, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, precision := range []kernel.Precision{kernel.Float32, kernel.TF32, kernel.BF16} {
		for _, how := range []string{"all", "all run"} {
			t.Run(fmt.Sprintf("%s,%s", precision, how), func(t *testing.T) {
				t.Setenv("MM_EMULATED_REFUSE", how)
				d := open(t, Options{Precision: precision}, true)
				got, gotLosses, gotAccuracy, err := fit(t, d, nil, spec, state, data, 2)
				if err != nil {
					t.Fatal(err)
				}
				if d.dnn.refusals(false) == 0 || !strings.Contains(d.Engine(), "own kernels for ") {
					t.Errorf("%s: no convolution was refused", d.Engine())
				}
				if precision == kernel.Float32 {
					hold(t, got, want, stepBound)
					holdFigures(t, gotLosses, losses, gotAccuracy, accuracy)
				} else {
					hold(t, got, want, roundedBound)
					if apart := math.Abs(gotLosses[1]-losses[1]) / losses[1]; !(apart < 4e-2 && apart > 1e-7) {
						t.Errorf("loss %v, float32 has %v", gotLosses[1], losses[1])
					}
				}
				again, _, _, err := fit(t, open(t, Options{Precision: precision}, true), nil, spec, state, data, 2)
				if err != nil {
					t.Fatal(err)
				}
				holdBits(t, again, got)
			})
		}
	}
}

// cuDNN says which algorithm it expects to be the fastest: the first is taken that repeats its results, works in what there is room for, and is done;
// the usual one where it was not done after all, or where nothing else is asked for.
func TestAlgorithms(t *testing.T) {
	if emulated == "" {
		t.Skip("a card's cuDNN says what it expects of it")
	}
	spec, state := model("concat", "cnn:3,16"), settings("sgd")
	data := samples(t, spec, 21)
	for name, test := range map[string]struct {
		algorithms, refuse string
		chosen             bool
	}{"chosen": {"", "", true}, "chosen, but not done": {"", "chosen", false}, "usual": {"usual", "", false}} {
		for _, precision := range precisions {
			t.Run(name+", "+string(precision), func(t *testing.T) {
				t.Setenv(algorithmsEnvironment, test.algorithms)
				t.Setenv("MM_EMULATED_REFUSE", test.refuse)
				d := open(t, Options{Precision: precision}, true)
				if _, _, _, err := fit(t, d, nil, spec, state, data, 3); err != nil {
					t.Fatal(err)
				}
				if n, all := d.dnn.chosen(); all == 0 || (n == all) != test.chosen || (n == 0) == test.chosen {
					t.Errorf("%d of %d algorithms were chosen", n, all)
				}
				if d.dnn.refusals(true)+d.dnn.refusals(false) > 0 || d.missed != nil {
					t.Errorf("%s", d.Engine())
				}
			})
		}
	}
	t.Setenv(algorithmsEnvironment, "fastest")
	t.Setenv(dnnEnvironment, emulated)
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "want usual, or nothing") {
		t.Errorf("got %v", err)
	}
}

// Every program is recorded, with the libraries too: on a card none of them may do in a recording what breaks it.
func TestProgramsAreRecorded(t *testing.T) {
	spec, state := model("concat", "cnn:3,16"), settings("adam")
	data := samples(t, spec, 21)
	for _, precision := range precisions {
		for _, libraries := range []bool{false, true} {
			d := open(t, Options{Precision: precision}, libraries)
			if _, _, _, err := fit(t, d, nil, spec, state, data, 3); err != nil {
				t.Fatal(err)
			}
			if d.missed != nil || len(d.graphs) < 2 { // minibatches of eight and of five
				t.Errorf("%s: %d recordings: %v", d.Engine(), len(d.graphs), d.missed)
			}
		}
	}
}

// cuDNN's kernels take it for granted that memory lies at a multiple of 16 bytes; a card would fail in the midst of one.
func TestConvolutionOffAlignment(t *testing.T) {
	if emulated == "" {
		t.Skip("a card that fails so is lost")
	}
	d := open(t, Options{}, true)
	c := kernel.Conv{In: kernel.Image{C: 1, H: 2, W: 2}, K: 1, Window: kernel.Window{KH: 1, KW: 1, StrideH: 1, StrideW: 1}}
	x, w, y := alloc(t, d, 8), alloc(t, d, 1), alloc(t, d, 4)
	d.Conv(y, x.Slice(4, 8), w, 1, c)
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	if d.Conv(y, x.Slice(1, 5), w, 1, c); d.Err() == nil {
		t.Error("a map four bytes off ran")
	}
}
