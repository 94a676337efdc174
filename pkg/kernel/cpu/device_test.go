package cpu

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"mmtools/pkg/kernel"
)

// step is one training step of late fusion with every kernel in it: two modalities of K inputs, N hidden, C classes.
type step struct {
	d                                        *Device
	m, n, k, c                               int
	x, w, b, h, dw, db, dh                   [2]kernel.Buffer
	features                                 []kernel.Buffer
	widths                                   []int
	mean, scale, keep, z, dz, hw, hb, dhw    kernel.Buffer
	dhb, logits, dlogits, label, weight      kernel.Buffer
	loss, one, clip, moment1, moment2, total kernel.Buffer
	adam, sgd                                kernel.Buffer // rates
}

func newStep(tb testing.TB, d *Device, m, n, k, c int) *step {
	s := &step{d: d, m: m, n: n, k: k, c: c, widths: []int{n, n}}
	for p := range 2 {
		s.x[p], s.w[p], s.b[p], s.h[p] = fill(tb, d, m*k), fill(tb, d, n*k), fill(tb, d, n), zeros(tb, d, m*n)
		s.dw[p], s.db[p], s.dh[p] = zeros(tb, d, n*k), zeros(tb, d, n), zeros(tb, d, m*n)
	}
	s.features = s.h[:]
	s.mean, s.scale, s.z, s.dz = fill(tb, d, k), fill(tb, d, k), zeros(tb, d, 2*m*n), zeros(tb, d, 2*m*n)
	s.hw, s.hb, s.dhw, s.dhb = fill(tb, d, c*2*n), fill(tb, d, c), zeros(tb, d, c*2*n), zeros(tb, d, c)
	s.logits, s.dlogits, s.label, s.weight = zeros(tb, d, m*c), zeros(tb, d, m*c), zeros(tb, d, m), zeros(tb, d, m)
	keep := make([]float32, 2*m)
	label, weight := make([]float32, m), make([]float32, m)
	for i := range m {
		keep[2*i], keep[2*i+1], label[i], weight[i] = 1, float32(i%2), float32(i%c), 0.5+float32(i%3)
	}
	s.keep = upload(tb, d, keep)
	d.Upload(s.label, label)
	d.Upload(s.weight, weight)
	s.loss, s.one, s.clip = zeros(tb, d, 1), upload(tb, d, []float32{1}), zeros(tb, d, 1)
	s.moment1, s.moment2, s.total = zeros(tb, d, n*k), zeros(tb, d, n*k), zeros(tb, d, m*n)
	s.adam, s.sgd = rates(tb, d, adamSettings.Rates(1, 1e-3)), rates(tb, d, kernel.SGD{Momentum: 0.9}.Rates(2, 1e-3))
	return s
}

func (s *step) run() {
	d, m, n, k, c := s.d, s.m, s.n, s.k, s.c
	for p := range 2 {
		d.Standardize(s.x[p], s.x[p], s.mean, s.scale, m, k, 1)
		d.Linear(s.h[p], s.x[p], s.w[p], s.b[p], m, n, k, true)
	}
	d.MaskedConcat(s.z, s.features, s.widths, s.keep, m)
	d.MaskedSum(s.total, s.features, s.keep, m, n)
	d.Linear(s.logits, s.z, s.hw, s.hb, m, c, 2*n, false)
	d.SoftmaxCrossEntropy(s.loss, s.logits, s.label, s.weight, m, c)
	d.SoftmaxCrossEntropyGrad(s.dlogits, s.logits, s.label, s.weight, s.one, m, c)
	d.LinearGradWeight(s.dhw, s.dlogits, s.z, m, c, 2*n)
	d.SumRows(s.dhb, s.dlogits, m, c)
	d.LinearGradInput(s.dz, s.dlogits, s.hw, m, c, 2*n)
	for p := range 2 {
		d.MaskedSlice(s.dh[p], s.dz, s.keep, s.h[p], m, 2*n, p*n, n, p, 2)
		d.Add(s.dh[p], s.dh[p], s.total, m*n)
		d.ReLUGrad(s.dh[p], s.dh[p], s.h[p], m*n)
		d.LinearGradWeight(s.dw[p], s.dh[p], s.x[p], m, n, k)
		d.SumRows(s.db[p], s.dh[p], m, n)
		d.ClipScale(s.clip, s.dw[p], n*k, 0.5)
	}
	d.Adam(s.w[0], s.dw[0], s.moment1, s.moment2, s.clip, s.adam, n*k, adamSettings)
	d.SGD(s.w[1], s.dw[1], s.moment2, nil, s.sgd, n*k, kernel.SGD{Momentum: 0.9})
	d.SGD(s.hw, s.dhw, nil, s.clip, s.sgd, c*2*n, kernel.SGD{})
}

// results is everything that training keeps.
func (s *step) results() []float32 {
	var all []float32
	for _, b := range []kernel.Buffer{s.loss, s.logits, s.w[0], s.w[1], s.hw, s.db[0], s.db[1], s.dhb, s.moment1, s.moment2, s.clip} {
		all = append(all, download(s.d, b)...)
	}
	return all
}

func train(tb testing.TB, d *Device) []float32 {
	s := newStep(tb, d, 70, 96, 200, 7)
	for range 5 {
		s.run()
	}
	return s.results()
}

// The same command on the same machine gives the same bytes: here, five steps, again and again.
func TestRepeats(t *testing.T) {
	for _, threads := range threadCounts {
		for _, d := range engines(t, threads) {
			first := train(t, d)
			for range 5 {
				same(t, fmt.Sprintf("threads %d, %s", threads, d.Engine()), train(t, d), first)
			}
		}
	}
}

func TestThreadsChangeNothing(t *testing.T) {
	if strings.Contains(open(t, 1).Engine(), "OpenBLAS") {
		t.Skip("OpenBLAS sums in an order that follows the shape")
	}
	want := train(t, open(t, 1))
	for _, threads := range []int{2, 3, 4, 7} {
		same(t, fmt.Sprintf("threads %d", threads), train(t, open(t, threads)), want)
	}
}

func TestDevicesRunAtOnce(t *testing.T) {
	want := train(t, open(t, 2))
	devices := []*Device{open(t, 2), open(t, 2), open(t, 2), open(t, 2)}
	got := make([][]float32, len(devices))
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i] = train(t, devices[i]) })
	}
	group.Wait()
	for i, x := range got {
		same(t, fmt.Sprintf("device %d", i), x, want)
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	for _, threads := range threadCounts {
		for _, d := range engines(t, threads) {
			s := newStep(t, d, 70, 96, 200, 7)
			if n := testing.AllocsPerRun(20, s.run); n != 0 {
				t.Errorf("threads %d, %s: a step allocates %v times, want 0", threads, d.Engine(), n)
			}
		}
	}
}

func TestNew(t *testing.T) {
	for _, test := range []struct {
		threads int
		ok      bool
	}{{-1, false}, {1025, false}, {0, true}, {1, true}, {64, true}} {
		d, err := New(test.threads)
		if (err == nil) != test.ok {
			t.Fatalf("%d threads: error %v", test.threads, err)
		}
		if err != nil {
			continue
		}
		if want := test.threads; want != 0 && d.Threads() != want {
			t.Errorf("%d threads: got %d", want, d.Threads())
		}
		if d.Name() != "cpu" {
			t.Errorf("name %q", d.Name())
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
		}
		if _, err := d.Alloc(1); err == nil {
			t.Error("a closed device allocates")
		}
	}
}

func TestAlloc(t *testing.T) {
	d := open(t, 1)
	for _, n := range []int{0, 1, 17, 1 << 20} {
		b := zeros(t, d, n)
		if b.Len() != n {
			t.Errorf("%d elements: got %d", n, b.Len())
		}
		if n == 0 {
			continue
		}
		if address := uintptr(unsafe.Pointer(&memory(b)[0])); address%64 != 0 {
			t.Errorf("%d elements at %#x, want a multiple of 64", n, address)
		}
		for i, x := range download(d, b) {
			if x != 0 {
				t.Fatalf("%d elements: element %d is %v, want 0", n, i, x)
			}
		}
	}
	if _, err := d.Alloc(-1); err == nil {
		t.Error("-1 elements are allocated")
	}
}

func TestSlice(t *testing.T) {
	d := open(t, 1)
	b := upload(t, d, []float32{0, 1, 2, 3, 4})
	part := b.Slice(1, 4).Slice(1, 3)
	same(t, "slice", download(d, part), []float32{2, 3})
	d.Upload(part, []float32{7})
	same(t, "shared", download(d, b), []float32{0, 1, 7, 3, 4})
	for _, bad := range [][2]int{{-1, 2}, {3, 2}, {0, 3}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("slice %v of 2 elements does not panic", bad)
				}
			}()
			part.Slice(bad[0], bad[1])
		}()
	}
}

// A kernel given a buffer that is too short must not touch what lies behind it.
func TestShortBufferPanics(t *testing.T) {
	d := open(t, 1)
	defer func() {
		if recover() == nil {
			t.Error("a short buffer does not panic")
		}
	}()
	d.Add(zeros(t, d, 3), zeros(t, d, 4), zeros(t, d, 4), 4)
}

// Kernels take denormal numbers for zero; what calls them must not.
func TestDenormalsStay(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, threads := range threadCounts {
		for _, d := range engines(t, threads) {
			newStep(t, d, 70, 96, 200, 7).run()
			tiny := float32(math.SmallestNonzeroFloat32)
			if product := tiny * float32(d.Threads()); product == 0 {
				t.Errorf("threads %d, %s: %g times %d is 0", threads, d.Engine(), tiny, d.Threads())
			}
		}
	}
}

// TestUpload: large copies, which threads share, give what was copied and touch nothing beyond.
func TestUpload(t *testing.T) {
	for _, threads := range []int{1, 3} {
		d, err := Open(Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, n := range []int{0, 1, 1<<16 - 1, 1 << 16, 1<<17 + 5} {
			src := make([]float32, n)
			for i := range src {
				src[i] = float32(i + 1)
			}
			b := zeros(t, d, n+1)
			d.Upload(b, src)
			got := make([]float32, n+1)
			d.Download(got, b)
			if !slices.Equal(got[:n], src) || got[n] != 0 {
				t.Errorf("%d threads, %d elements: the buffer holds something else", threads, n)
			}
		}
	}
}
