//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/network/networktest"
)

// A step of late fusion is as many kernels as docs/gpu.md says, as many of them in a row, and gives the same bits in any number of lanes.
func TestLanes(t *testing.T) {
	if emulated == "" {
		t.Skip("a driver that is not emulated tells no size of a recording")
	}
	spec, state := networktest.LateFusion("mlp:16", 16), settings("adam")
	state.Optimizer.ClipNorm = 0
	data, err := networktest.Noise(spec, 40)
	if err != nil {
		t.Fatal(err)
	}
	var want []float64
	for lanes, recorded := range map[int]string{1: "recorded 20 nodes, 20 in a row", 2: "recorded 20 nodes, 11 in a row", usualLanes: "recorded 20 nodes, 10 in a row",
		mostLanes: "recorded 20 nodes, 10 in a row"} {
		trace := filepath.Join(t.TempDir(), "trace")
		t.Setenv(lanesEnvironment, fmt.Sprint(lanes))
		t.Setenv("MM_EMULATED_TRACE", trace)
		_, losses, _, err := fit(t, open(t, Options{}, true), nil, spec, state, data, 3)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("MM_EMULATED_TRACE", "")
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), recorded) {
			t.Errorf("%d lanes: %s was not traced", lanes, recorded)
		}
		if want == nil {
			want = losses
		}
		for i := range want {
			if math.IsNaN(losses[i]) || losses[i] != want[i] {
				t.Errorf("%d lanes: the loss of epoch %d is %v, of other lanes %v", lanes, i, losses[i], want[i])
			}
		}
	}
}

func TestNumberOfLanes(t *testing.T) {
	if emulated == "" {
		t.Skip("asked of the emulated driver")
	}
	for _, v := range []string{"0", "9", "many"} {
		t.Setenv(lanesEnvironment, v)
		if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "want a number from 1 to 8") {
			t.Errorf("%s=%s: got %v", lanesEnvironment, v, err)
		}
	}
}

// Two lanes that work in the same memory, or that are not joined, are no recording.
func TestLanesAreWatched(t *testing.T) {
	if emulated == "" {
		t.Skip("a driver that is not emulated does not watch")
	}
	d := open(t, Options{}, true)
	x, w, y, z := alloc(t, d, 4), alloc(t, d, 4), alloc(t, d, 4), alloc(t, d, 4)
	step := func(join bool) {
		d.Mark(0)
		d.Lane(1)
		d.Wait(0)
		d.LinearGradInput(y, x, w, 2, 2, 2)
		d.Mark(1)
		d.Lane(0)
		d.LinearGradInput(z, x, w, 2, 2, 2)
		if join {
			d.Wait(1)
		}
	}
	step(true)
	if _, err := d.Record(func() { step(true) }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Record(func() { step(false) }); err == nil {
		t.Error("a lane that is not joined was recorded")
	}
	d.lanes[1].products = d.lanes[0].products
	if _, err := d.Record(func() { step(true) }); err == nil {
		t.Error("two products in one workspace at the same time were recorded")
	}
}

// After a recording that failed in another lane, the libraries work in the first again.
func TestRecordingFailsInALane(t *testing.T) {
	d := open(t, Options{}, true)
	x, w, y := alloc(t, d, 4), alloc(t, d, 4), alloc(t, d, 4)
	d.Upload(x, []float32{1, 2, 3, 4})
	d.Upload(w, []float32{1, 0, 0, 1})
	d.Mark(0) // its event is made before a recording
	if _, err := d.Record(func() {
		d.Mark(0)
		d.Lane(1)
		d.Wait(0)
		d.launch("mm_no_such_kernel", grid{1, 1, 1})
		d.Lane(0)
	}); err == nil {
		t.Fatal("a kernel that is not there was recorded")
	}
	d.LinearGradInput(y, x, w, 2, 2, 2)
	got := make([]float32, 4)
	d.Download(got, y)
	if want := []float32{1, 2, 3, 4}; d.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %v", got, want, d.Err())
	}
}
