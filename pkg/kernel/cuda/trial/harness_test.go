//go:build mmcuda && cgo && linux

package trial

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/kernel/cuda/driver"
	"mmtools/pkg/rng"
)

// What TestNothingOutside, TestNoRaces and TestShippedPTX start their processes with: a sanitizer, the kernels compiled with it or from
// elsewhere, and those to whose results theirs are held, to the bit.
var (
	sanitizer = os.Getenv("MM_TRIAL_SANITIZER")
	compiled  = os.Getenv("MM_TRIAL_KERNELS")
	against   = os.Getenv("MM_TRIAL_AGAINST")
	sanitized = sanitizer != ""
)

var built struct {
	sync.Once
	Kernels
	against *Kernels // null where there are none
	library string   // the file, where this process compiled it
	err     error
}

// TestMain removes what was compiled.
func TestMain(m *testing.M) {
	code := m.Run()
	if built.library != "" {
		os.RemoveAll(filepath.Dir(built.library))
	}
	os.Exit(code)
}

func kernels(tb testing.TB) Kernels {
	tb.Helper()
	built.Do(func() {
		if os.Getenv(driver.Environment) != "" {
			built.Kernels, built.err = OpenCard()
			return
		}
		if compiled != "" {
			built.Kernels, built.err = Open(compiled)
			if built.err == nil && against != "" {
				var k Kernels
				k, built.err = Open(against)
				built.against = &k
			}
			return
		}
		dir, err := os.MkdirTemp("", "kernels")
		if err != nil {
			built.err = err
			return
		}
		built.library = filepath.Join(dir, "kernels.so")
		if built.err = compile(built.library); built.err == nil {
			built.Kernels, built.err = Open(built.library)
		}
	})
	if built.err != nil {
		if _, err := exec.LookPath("g++"); err != nil && os.Getenv("CXX") == "" {
			tb.Skip("no g++ to compile the kernels with")
		}
		tb.Fatal(built.err)
	}
	return built.Kernels
}

// compile builds the emulated driver.
func compile(library string, flags ...string) error {
	arguments := append([]string{filepath.Join("..", "emulate", "build"), library}, flags...)
	if text, err := exec.Command("bash", arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// guard is the bytes watched on each side of a kernel's memory, and canary what is in each.
const (
	guard  = 256
	canary = 0xfe // four of them are a large negative float32
)

// rig runs one kernel in many orders.
type rig struct {
	*testing.T
	kernels Kernels
	shift   int  // bytes by which memory is off its alignment
	coarse  bool // numbers have 7 bits, which tensor cores keep
	random  *rand.Rand
	memory  []Memory
}

// newRig is a rig whose memory begins shift elements of float32 after a multiple of 16 bytes.
func newRig(tb *testing.T, shift int, stream ...any) *rig {
	tb.Helper()
	r := &rig{T: tb, kernels: kernels(tb), shift: 4 * shift, random: rng.Stream(1, append([]any{"trial"}, stream...)...)}
	tb.Cleanup(func() {
		for _, m := range r.memory {
			r.kernels.Free(m)
		}
	})
	return r
}

// bytes returns n bytes, with canaries around them, or with the sanitizer's guards.
func (r *rig) bytes(n int) Memory {
	before, after := r.shift+guard, guard
	if sanitized {
		before, after = r.shift, 0
	}
	all, err := r.kernels.Alloc(before + n + after)
	if err != nil {
		r.Fatal(err)
	}
	r.memory = append(r.memory, all)
	for i := range all.Bytes() {
		all.Bytes()[i] = canary
	}
	m := all.Skip(before)
	m.n = n
	return m
}

// floats returns memory that holds x.
func (r *rig) floats(x []float32) Memory {
	m := r.bytes(4 * len(x))
	copy(m.Floats(), x)
	return m
}

// ints returns memory that holds x, which has to lie at a multiple of 8.
func (r *rig) ints(x []int64) Memory {
	shift := r.shift
	r.shift = 0
	m := r.bytes(8 * len(x))
	r.shift = shift
	copy(m.Ints(), x)
	return m
}

// doubles returns n float64 to be written.
func (r *rig) doubles(n int) Memory { return r.ints(make([]int64, n)) }

// uniform returns n numbers in [-1,1).
func (r *rig) uniform(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*r.random.Float32() - 1
		if r.coarse {
			x[i] = float32(math.Round(float64(x[i])*64) / 64)
		}
	}
	return x
}

// output returns n float32 to be written: what a kernel leaves shows as NaN.
func (r *rig) output(n int) Memory {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return r.floats(x)
}

// elements is the grids of a kernel that strides over elements with every number of blocks, tiles of one whose blocks do over tiles.
var (
	elements = []Grid{{1, 1, 1}, {3, 1, 1}}
	tiles    = []Grid{{1, 1, 1}, {2, 3, 1}}
)

func blocks(x, y, z int) []Grid { return []Grid{{x, y, z}} }

// launch runs a kernel in the natural order and in drawn ones (a card: in its own), on each grid, each time from the memory as it is now, and fails
// where a result differs in a bit from the first, or from those of the other build where there is one, or anything is written outside of it.
func (r *rig) launch(name string, grids []Grid, arguments ...any) {
	r.Helper()
	var before, first [][]byte
	for _, m := range r.memory {
		before = append(before, bytes.Clone(m.Bytes()))
	}
	want := r.against(name, grids[0], arguments)
	for i, g := range grids {
		seeds := [][]string{{"0", "1", "2"}, {"3"}}[min(i, 1)]
		if sanitized { // what lies outside is so in any order, and so are races
			seeds = seeds[:1-min(i, 1)]
		}
		for _, seed := range seeds {
			for j, m := range r.memory {
				copy(m.Bytes(), before[j])
			}
			r.Setenv("MM_EMULATED_ORDER", seed)
			if err := r.kernels.Run(name, g, arguments...); err != nil {
				r.Fatal(err)
			}
			for j, m := range r.memory {
				if len(first) < len(r.memory) {
					first = append(first, bytes.Clone(m.Bytes()))
					r.watch(name, m)
					if want != nil {
						equal(r, fmt.Sprintf("%s: memory %d", name, j), m.Bytes(), want[j])
					}
				} else if !bytes.Equal(m.Bytes(), first[j]) {
					r.Fatalf("%s: memory %d differs on grid %v in order %s", name, j, g, seed)
				}
			}
		}
	}
}

// against returns what the other build leaves in memory, if there is one, and the memory as it was.
func (r *rig) against(name string, g Grid, arguments []any) (after [][]byte) {
	r.Helper()
	if built.against == nil {
		return nil
	}
	r.Setenv("MM_EMULATED_ORDER", "0")
	var before [][]byte
	for _, m := range r.memory {
		before = append(before, bytes.Clone(m.Bytes()))
	}
	if err := built.against.Run(name, g, arguments...); err != nil {
		r.Fatal(err)
	}
	for j, m := range r.memory {
		after = append(after, bytes.Clone(m.Bytes()))
		copy(m.Bytes(), before[j])
	}
	return after
}

func (r *rig) watch(name string, m Memory) {
	r.Helper()
	if sanitized {
		return
	}
	all := m.Bytes()
	for _, part := range [][]byte{all[:guard], all[len(all)-guard:]} {
		for _, b := range part {
			if b != canary {
				r.Fatalf("%s wrote outside of memory", name)
			}
		}
	}
}

// near fails where got is further from want than tolerance times the magnitude of want or, where given, size.
func near(tb testing.TB, what string, got, want []float32, size []float64, tolerance float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		bound := tolerance * math.Abs(float64(w))
		if size != nil {
			bound = tolerance * size[i]
		}
		if w != w && got[i] != got[i] {
			continue
		}
		if !(math.Abs(float64(got[i])-float64(w)) <= bound+1e-37) && got[i] != w {
			tb.Fatalf("%s: element %d is %v, want %v within %.2g", what, i, got[i], w, bound)
		}
	}
}

// same fails where got and want differ in a bit, NaN apart.
func same(tb testing.TB, what string, got, want []float32) {
	tb.Helper()
	near(tb, what, got, want, nil, 0)
}

// host is the CPU's device, to which the kernels are held.
func host(tb testing.TB) *cpu.Device {
	tb.Helper()
	d, err := cpu.New(1)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { d.Close() })
	return d
}

// on returns x on the CPU's device.
func on(tb testing.TB, d *cpu.Device, x []float32) kernel.Buffer {
	tb.Helper()
	b, err := d.Alloc(len(x))
	if err != nil {
		tb.Fatal(err)
	}
	d.Upload(b, x)
	return b
}

func values(b kernel.Buffer) []float32 { return b.(kernel.Shared).Host() }

// shifts runs a test on memory that is aligned and on memory that is not.
func shifts(t *testing.T, test func(t *testing.T, shift int)) {
	t.Helper()
	for _, shift := range []int{0, 1} {
		if sanitized && shift == 1 {
			continue
		}
		t.Run(fmt.Sprintf("shift=%d", shift), func(t *testing.T) { test(t, shift) })
	}
}
