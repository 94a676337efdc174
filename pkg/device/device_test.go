package device

import (
	"errors"
	"fmt"
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

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"": "auto []", "auto": "auto []", "cpu": "cpu []", "cuda": "cuda []", "cuda:0": "cuda [0]", "cuda:3,1": "cuda [3 1]", "cuda:all": "cuda all",
	} {
		kind, o, err := parse(name)
		got := fmt.Sprint(kind, " ", o.Cards)
		if o.All {
			got = kind + " all"
		}
		if err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		"gpu": "want auto", "cpu:0": "want auto", "auto:all": "want auto", "cuda:": `card ""`, "cuda:1,": `card ""`, "cuda:-1": `card "-1"`,
		"cuda:0,1,0": "card 0 is named twice", "cuda:99999": `card "99999"`, "cuda:all,1": `card "all"`,
	} {
		if err := Check(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}
