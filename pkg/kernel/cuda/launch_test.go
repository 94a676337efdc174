//go:build mmcuda && cgo && linux

package cuda

import (
	"slices"
	"testing"
)

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
