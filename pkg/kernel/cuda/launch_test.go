//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gorgonia.org/cu"
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

// The driver takes every kernel, for blocks of the size that they are launched with and in the shared memory that a block has without
// asking. On a card the output tells how long the driver compiles, and what the kernels take.
func TestKernelsLoad(t *testing.T) {
	d := open(t, Options{}, false)
	for _, folder := range []string{"sm_80", "sm_90"} {
		if emulated == "" && folder != path.Base(d.folder) {
			continue // the card's own
		}
		files, err := ptx.ReadDir("ptx/" + folder)
		if err != nil {
			t.Fatal(err)
		}
		kernels, slowest, spilled := 0, time.Duration(0), 0
		start := time.Now()
		for _, f := range files {
			text, err := ptx.ReadFile(path.Join("ptx", folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			d.images, d.functions = []*image{{name: f.Name(), text: string(text)}}, map[string]cu.Function{}
			began := time.Now()
			for _, entry := range regexp.MustCompile(`\.entry (\w+)\(`).FindAllStringSubmatch(string(text), -1) {
				kernels++
				d.do("loading", func() error { return loads(t, d, entry[1], &spilled) })
			}
			slowest = max(slowest, time.Since(began))
		}
		if d.Err() != nil {
			t.Fatal(d.Err())
		}
		fmt.Printf("kernels: %d of %s were compiled in %.1f s, the slowest source in %.1f s; %d bytes are spilled at most\n", kernels, folder,
			time.Since(start).Seconds(), slowest.Seconds(), spilled)
	}
}

func loads(t *testing.T, d *Device, name string, spilled *int) error {
	f, err := d.function(name)
	if err != nil {
		return err
	}
	var took [4]int // threads, shared memory, registers, local memory
	for i, a := range []cu.FunctionAttribute{cu.FnMaxThreadsPerBlock, cu.SharedSizeBytes, cu.NumRegs, cu.LocalSizeBytes} {
		if took[i], err = f.Attribute(a); err != nil {
			return err
		}
	}
	size := threads
	if strings.HasPrefix(name, "mm_batch_norm_stats") || strings.HasPrefix(name, "mm_batch_norm_grad_sums") {
		size = wide
	}
	if took[0] < size || took[1] > 48<<10 {
		t.Errorf("%s takes %d threads, want %d, and %d bytes of shared memory, want 49152 at most", name, took[0], size, took[1])
	}
	*spilled = max(*spilled, took[3])
	t.Logf("%s: %d registers, %d bytes of shared memory, %d bytes spilled", name, took[2], took[1], took[3])
	return nil
}

// What the driver's compiler says is in the error.
func TestSaysWhatDoesNotCompile(t *testing.T) {
	d := open(t, Options{}, false)
	d.images = []*image{{name: "wrong.ptx", text: ".version 7.0\n.target sm_80\n.visible .entry mm_wrong("}}
	d.launch("mm_wrong", grid{1, 1, 1})
	if err := d.Err(); err == nil || !regexp.MustCompile(`loading wrong\.ptx: .+: \S`).MatchString(err.Error()) {
		t.Errorf("got %v, want what the compiler says of wrong.ptx", err)
	}
}

// Blocks larger than a kernel was compiled for are refused.
func TestWideBlock(t *testing.T) {
	d := open(t, Options{}, false)
	x := alloc(t, d, 1)
	d.launchBlocks("mm_sum_splits", grid{1, 1, 1}, wide, ptr(x, 1), ptr(x, 1), 1, 1)
	if d.Err() == nil {
		t.Error("a block of 1024 threads of a kernel for 256 ran")
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
