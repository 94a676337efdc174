//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A card gets the PTX of the newest architecture that it is no older than; one that is older than all is refused.
func TestCapability(t *testing.T) {
	if emulated == "" {
		t.Skip("a card has one capability")
	}
	for capability, want := range map[int]string{80: "sm_80", 89: "sm_80", 90: "sm_90", 120: "sm_90"} {
		t.Setenv("MM_EMULATED_CAPABILITY", fmt.Sprint(capability))
		d := open(t, Options{}, false)
		for _, i := range d.images {
			if !strings.Contains(i.text, ".target "+want) {
				t.Errorf("a card of capability %d is given %s of another architecture than %s", capability, i.name, want)
			}
		}
		if len(d.images) == 0 {
			t.Errorf("a card of capability %d is given nothing", capability)
		}
	}
	t.Setenv("MM_EMULATED_CAPABILITY", "75")
	if d, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "compute capability 7.5: want 8.0 or newer") {
		t.Errorf("got %v, %v", d, err)
	}
}

// The driver compiles the sources whose kernels are asked for, and no others.
func TestCompilesWhatIsAskedFor(t *testing.T) {
	d := open(t, Options{}, false)
	compiled := func() (names []string) {
		for _, i := range d.images {
			if i.loaded {
				names = append(names, i.name)
			}
		}
		return names
	}
	if got := compiled(); len(got) > 0 {
		t.Errorf("before any kernel: %v", got)
	}
	x := alloc(t, d, 8)
	d.Add(x, x, x, 8)
	d.Mul(x, x, x, 8)
	d.SumRows(x, x, 1, 8)
	if got, want := compiled(), []string{"elementwise.ptx", "linear.ptx"}; d.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %v", got, want, d.Err())
	}
}

// A grid of more blocks along y than a driver takes is cut: its kernels stride.
func TestTallGrid(t *testing.T) {
	d := open(t, Options{}, false)
	x, w, y := alloc(t, d, 2), alloc(t, d, 1), alloc(t, d, 2)
	d.Upload(x, []float32{3, 5})
	d.Upload(w, []float32{7})
	d.launchBlocks("mm_linear", grid{1, mostY + 1, 1}, threads, ptr(y, 2), ptr(x, 2), ptr(w, 1), 0, num(2), num(1), num(1), 0)
	got := make([]float32, 2)
	d.Download(got, y)
	if want := []float32{21, 35}; d.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %v", got, want, d.Err())
	}
}
