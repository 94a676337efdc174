//go:build !(openblas && cgo && linux)

package cpu

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/dnn"
)

// Device is the host's processor.
type Device struct {
	threads int
	bf16    bool             // products and convolutions multiply what is rounded to it
	rounded [2]kernel.Buffer // the factors of a product, rounded
	closed  bool
	call    call       // the kernel being run
	engine  dnn.Engine // of the convolutions, opened on first use
	pool
}

// call is a kernel's arguments; each kernel says which it uses. They are kept in the Device, not in a closure, so that a
// kernel allocates nothing.
type call struct {
	y, a, b, c, e  []float32
	views          []view
	m, n, k        int
	from, p, total int
	relu           bool
	factor         float64
	attention      kernel.Attention
	adam           adamScalars
	sgd            sgdScalars
}

// view is one modality's feature, (M,width).
type view struct {
	x     []float32
	width int
}

// pool is the goroutines that kernels are cut over: the caller computes part 0 and worker i part i+1.
type pool struct {
	run     func(d *Device, part, parts int)
	parts   int
	start   []chan struct{} // one a worker
	done    sync.WaitGroup
	workers sync.WaitGroup
	sums    []float64 // partial sums
}

// grain is the number of elements below which a second goroutine costs more than it saves, partials the number of
// float64 partial sums held at once.
const (
	grain    = 16384
	partials = 4096
)

// Open starts a device. Close stops it.
func Open(o Options) (*Device, error) {
	n, err := o.check()
	if err != nil {
		return nil, err
	}
	d := &Device{threads: n, bf16: o.Precision == kernel.BF16}
	d.sums = make([]float64, partials)
	d.call.views = make([]view, 0, 64)
	for i := 1; i < n; i++ {
		start := make(chan struct{}, 1)
		d.start = append(d.start, start)
		d.workers.Add(1)
		go d.work(i, start)
	}
	return d, nil
}

func (d *Device) work(part int, start chan struct{}) {
	defer d.workers.Done()
	for range start {
		d.run(d, part, d.parts)
		d.done.Done()
	}
}

// split runs a kernel of the given cost in elements on as many goroutines as it is worth.
func (d *Device) split(elements int, run func(d *Device, part, parts int)) {
	parts := max(1, min(d.threads, elements/grain))
	d.run, d.parts = run, parts
	d.done.Add(parts - 1)
	for i := range parts - 1 {
		d.start[i] <- struct{}{}
	}
	run(d, 0, parts)
	d.done.Wait()
}

// share gives part's share of n items, cut at multiples of align.
func share(n, align, part, parts int) (from, to int) {
	units := (n + align - 1) / align
	return min(n, units*part/parts*align), min(n, units*(part+1)/parts*align)
}

// Engine names what computes the products, for logs and benchmarks.
func (d *Device) Engine() string { return "Go with gonum" }

// Alloc returns n zeros, aligned to 64 bytes.
func (d *Device) Alloc(n int) (kernel.Buffer, error) {
	if d.closed {
		return nil, errors.New("allocating on the cpu: the device is closed")
	}
	if n < 0 {
		return nil, fmt.Errorf("allocating on the cpu: %d elements", n)
	}
	const line = 16
	b := make([]float32, n+line)
	skip := (line - int(uintptr(unsafe.Pointer(&b[0]))/4%line)) % line
	return buffer(b[skip : skip+n : skip+n]), nil
}

// Upload copies src into the first len(src) elements of dst.
func (d *Device) Upload(dst kernel.Buffer, src []float32) { copy(at(dst, len(src)), src) }

// Download copies the first len(dst) elements of src into dst.
func (d *Device) Download(dst []float32, src kernel.Buffer) { copy(dst, at(src, len(dst))) }

// Err returns nil: the processor does not fail on its own.
func (d *Device) Err() error { return nil }

// Close ends the goroutines; the buffers must not be used again. Closing twice is no error.
func (d *Device) Close() error {
	if d.closed {
		return nil
	}
	for _, start := range d.start {
		close(start)
	}
	d.workers.Wait()
	d.closed = true
	return d.closeImages()
}

// buffer is memory of the Go heap.
type buffer []float32

// Len returns the number of elements.
func (b buffer) Len() int { return len(b) }

// Slice returns elements from to to, sharing memory.
func (b buffer) Slice(from, to int) kernel.Buffer {
	if from < 0 || to < from || to > len(b) {
		panic(fmt.Sprintf("cpu: slice [%d:%d] of a buffer of %d", from, to, len(b)))
	}
	return b[from:to:to]
}

// Host returns the buffer's elements themselves, which the host shares.
func (b buffer) Host() []float32 { return b }

// at returns the first n elements of b.
func at(b kernel.Buffer, n int) []float32 { return b.(buffer)[:n] }

// optional is at, or nil for a nil buffer.
func optional(b kernel.Buffer, n int) []float32 {
	if b == nil {
		return nil
	}
	return at(b, n)
}
