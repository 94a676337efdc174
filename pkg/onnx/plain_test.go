package onnx

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestHalf goes through all float16: each widens to itself rounded, and every float32 between two goes to the nearer.
func TestHalf(t *testing.T) {
	for h := half(0); h < 0x7c00; h++ {
		v := h.float32()
		if got := toHalf(v); got != h {
			t.Fatalf("%#x is %v, and back %#x", h, v, got)
		}
		if got := toHalf(-v); got != h|0x8000 {
			t.Fatalf("-%#x came back as %#x", h, got)
		}
		if h == 0x7bff {
			break
		}
		next := (h + 1).float32()
		middle := v + (next-v)/2 // exact in float32
		if got, want := toHalf(middle), h+h&1; got != want {
			t.Fatalf("between %#x and its next: %#x, want the even %#x", h, got, want)
		}
		if got := toHalf(math.Nextafter32(middle, 0)); got != h && middle > 0 {
			t.Fatalf("below the middle above %#x: %#x", h, got)
		}
		if got := toHalf(math.Nextafter32(middle, 2*next)); got != h+1 {
			t.Fatalf("above the middle above %#x: %#x", h, got)
		}
	}
	for v, want := range map[float32]half{65519.99: 0x7bff, 65520: 0x7c00, 1e9: 0x7c00, float32(math.Inf(-1)): 0xfc00, 1: 0x3c00} {
		if got := toHalf(v); got != want {
			t.Errorf("%v: %#x, want %#x", v, got, want)
		}
	}
	if nan := half(0x7e01).float32(); nan == nan || toHalf(nan)&0x7fff <= 0x7c00 {
		t.Error("a NaN is lost")
	}
}

func TestPortTakes(t *testing.T) {
	for _, c := range []struct {
		axes, sample, want []int // want nil: refused
	}{
		{[]int{-1, 4}, []int{4}, []int{-1, 4}},
		{[]int{8, 4}, []int{4}, []int{-1, 4}},
		{[]int{-1, 3, -1, -1}, []int{3, 5, 6}, []int{-1, 3, 5, 6}},
		{[]int{-1, 1, 16000}, []int{16000}, []int{-1, 1, 16000}},
		{[]int{-1, 16000}, []int{1, 16000}, []int{-1, 16000}},
		{[]int{-1, 1, -1, 1}, []int{1, 7}, []int{-1, 1, 7, 1}},
		{[]int{-1, 4}, []int{5}, nil}, {[]int{-1, -1}, []int{3, 5}, nil}, {[]int{-1, 3, -1}, []int{5}, nil}, {nil, []int{4}, nil},
	} {
		got, err := Port{Name: "x", Type: Float32, Shape: c.axes}.take(c.sample)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%v takes %v as %v, %v; want %v", c.axes, c.sample, got, err, c.want)
		}
	}
}

func TestLibraryLookedFor(t *testing.T) {
	t.Setenv(LibraryVariable, "")
	if names, err := Library(""); err != nil || !slices.Equal(names, libraryNames()) {
		t.Errorf("by default: %v, %v", names, err)
	}
	_, err := Library(filepath.Join(t.TempDir(), "absent"))
	var hinted interface{ Hint() string }
	if !errors.Is(err, ErrLibrary) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "onnxruntime-node") {
		t.Errorf("absent: %v", err)
	}
	folder := t.TempDir()
	if _, err := Library(folder); !errors.Is(err, ErrLibrary) {
		t.Errorf("empty folder: %v", err)
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return
	}
	for _, inside := range []string{"bin/napi-v6/linux/x64/libonnxruntime.so.1", "capi/libonnxruntime.so.1.24.3", "lib/libonnxruntime.so"} {
		path := filepath.Join(folder, "a[b]", inside)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Setenv(LibraryVariable, filepath.Join(folder, "a[b]"))
		if got, err := Library(""); err != nil || !slices.Contains(got, path) {
			t.Errorf("%s: got %v, %v", inside, got, err)
		}
	}
}
