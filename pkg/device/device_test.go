package device

import (
	"errors"
	"strings"
	"testing"

	"mmtools/pkg/kernel/cuda"
)

// Where there is no driver, auto says so and takes the CPU, and cuda is an error. A driver is opened once a process: both are one
// test.
func TestNoDriver(t *testing.T) {
	t.Setenv("MM_CUDA_DRIVER", "/nonexistent/libcuda.so.1")
	_, err := Open(Options{Name: "cuda"})
	if err == nil || !strings.HasPrefix(err.Error(), "opening device cuda: ") {
		t.Fatalf("device cuda: got %v", err)
	}
	want := "device cuda: no driver, using cpu"
	if errors.Is(err, cuda.ErrNotBuilt) {
		want = "" // there is nothing to tell of a card that the program could not use
	}
	var note string
	d, err := Open(Options{Name: "auto", Threads: 1, Note: func(why string) { note = why }})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Name() != "cpu" || note != want {
		t.Errorf("auto: device %s, note %q, want cpu, %q", d.Name(), note, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, o := range []Options{{Name: "tpu"}, {Name: "cpu", Precision: "tf32"}, {Name: "cpu", Threads: -1}} {
		if d, err := Open(o); err == nil {
			d.Close()
			t.Errorf("%+v was opened", o)
		}
	}
}
