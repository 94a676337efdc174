//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
)

// Device is a card. Kernels are queued on the stream of the lane in use, and copies from the host on another beside it.
type Device struct {
	*lane
	name      string // as --device takes it
	card      cu.Device
	context   cu.CUContext
	precision kernel.Precision
	compute   cu.Stream // of the first lane
	copies    cu.Stream
	lanes     []*lane
	marks     []cu.Event // of Mark, by their numbers
	functions map[string]cu.Function
	folder    string // of the PTX for the card
	images    []*image
	memory    []cu.DevicePtr // what Close frees
	pinned    [][]float32    // likewise
	events    []cu.Event     // likewise
	graphs    []driver.Graph // likewise
	stages    map[cu.DevicePtr]*stage
	bounce    []float32 // pinned, for small downloads
	last      bool      // feature maps lie channels last, where isLast says so
	blas      *blas     // nil where cuBLAS is missing
	lt        *lt       // nil where cuBLASLt is missing
	dnn       *dnn      // nil where cuDNN is missing
	err       error     // the first failure
	missed    error     // why a program could not be recorded, the last that could not
	recording bool
	closed    bool
}

var _ interface {
	kernel.Device
	kernel.Laner
	kernel.Recorder
	kernel.Gatherer
	kernel.Sender
	kernel.Workspacer
	kernel.Narrower
} = (*Device)(nil)

// New opens a card, or several as a kernel.Group. The error is ErrNoDriver or ErrNoCard where there is none.
func New(o Options) (kernel.Device, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	switch err := driver.Open(); {
	case errors.Is(err, driver.ErrMissing):
		return nil, fmt.Errorf("%w: %w", ErrNoDriver, err)
	case errors.Is(err, driver.ErrNoCard):
		return nil, ErrNoCard
	case err != nil:
		return nil, err
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("counting the cards: %w", err)
	}
	cards := o.Cards
	switch {
	case n == 0:
		return nil, ErrNoCard
	case o.All:
		cards = nil
		for i := range n {
			cards = append(cards, i)
		}
	case len(cards) == 0:
		cards = []int{0}
	}
	for _, card := range cards {
		if card >= n {
			return nil, fmt.Errorf("%w: number %d, the driver finds %d, counted from 0", ErrNoCard, card, n)
		}
	}
	if len(cards) > 1 {
		return newGroup(cards, o)
	}
	d, err := newDevice(cards[0], o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// kept is the numbers of the cards whose primary context this process holds until it ends, beside those that are open: whoever gives the last
// hold back destroys the context, and the libraries, which stay loaded, would still know it.
var kept sync.Map

// newDevice opens the card of a number.
func newDevice(card int, o Options) (*Device, error) {
	d := &Device{name: "cuda", precision: o.Precision, functions: map[string]cu.Function{}, stages: map[cu.DevicePtr]*stage{}}
	if card > 0 {
		d.name = groupName([]int{card})
	}
	var err error
	if d.card, err = cu.GetDevice(card); err != nil {
		return nil, fmt.Errorf("opening card %d: %w", card, err)
	}
	// The card's primary context is the one that cuBLAS and cuDNN take.
	if d.context, err = d.card.RetainPrimaryCtx(); err != nil {
		return nil, fmt.Errorf("opening card %d: %w", card, err)
	}
	if _, held := kept.LoadOrStore(card, true); !held {
		if _, err = d.card.RetainPrimaryCtx(); err != nil {
			return nil, fmt.Errorf("opening card %d: %w", card, err)
		}
	}
	d.do("starting", d.start)
	if d.err != nil {
		return nil, errors.Join(d.err, d.Close())
	}
	return d, nil
}

func (d *Device) start() error {
	var err error
	if d.compute, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return err
	}
	if d.copies, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return err
	}
	if d.bounce, err = d.pin(bounceSize); err != nil {
		return err
	}
	if err = d.openLanes(); err != nil {
		return err
	}
	if err = d.load(); err != nil {
		return err
	}
	if d.blas, err = openBLAS(d); err != nil {
		return err
	}
	if d.lt, err = openLT(d); err != nil {
		return err
	}
	if d.dnn, err = openDNN(d); err != nil {
		return err
	}
	return d.chooseLayout()
}

// do runs f with the card's context current; after the first failure it does nothing.
func (d *Device) do(doing string, f func() error) {
	if d.err != nil {
		return
	}
	// A context is a thread's, and a goroutine may change threads between any two calls.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cu.SetCurrentContext(d.context)
	if err == nil {
		err = f()
	}
	if err != nil {
		d.err = fmt.Errorf("%s: %s: %w", d.name, doing, err)
	}
}

// Name returns "cuda", or "cuda:" and numbers for other cards than the first alone.
func (d *Device) Name() string { return d.name }

// Engine names the card and what computes on it, for logs and benchmarks.
func (d *Device) Engine() string {
	name, err := d.card.Name()
	if err != nil {
		name = "card"
	}
	if d.blas != nil {
		name += ", " + d.blas.name
	}
	if d.lt != nil {
		name += ", " + d.lt.name
	}
	if d.dnn != nil {
		name += ", " + d.dnn.name
	}
	if d.last {
		name += ", channels last"
		if n := d.dnn.refusals(true); n > 0 {
			name += fmt.Sprintf(" but for %d convolutions so far", n)
		}
	}
	if d.dnn != nil {
		if n, all := d.dnn.chosen(); all > 0 {
			name += fmt.Sprintf(", chosen algorithms for %d of %d convolutions so far", n, all)
		}
		if n := d.dnn.refusals(false); n > 0 {
			name += fmt.Sprintf(", own kernels for %d convolutions so far", n)
		}
	}
	if d.missed != nil {
		name += ", not recorded: " + d.missed.Error()
	}
	return name
}

// Err returns the first failure of anything that was asked of the device. What it computed after that is not to be used.
func (d *Device) Err() error { return d.err }

// Close frees the card's memory.
func (d *Device) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	failure := d.err
	d.err = nil
	var errs []error
	d.do("closing", func() error {
		streams := []*cu.Stream{&d.compute, &d.copies}
		for i := 1; i < len(d.lanes); i++ {
			streams = append(streams, &d.lanes[i].stream)
		}
		for _, s := range streams {
			if *s != (cu.Stream{}) {
				errs = append(errs, s.Synchronize())
			}
		}
		for _, g := range d.graphs {
			errs = append(errs, g.Close())
		}
		d.lt.close()
		d.blas.close()
		d.dnn.close()
		for _, i := range d.images {
			if i.loaded {
				errs = append(errs, i.module.Unload())
			}
		}
		for i := range d.events {
			errs = append(errs, cu.DestroyEvent(&d.events[i]))
		}
		for _, p := range d.memory {
			errs = append(errs, cu.MemFree(p))
		}
		for _, p := range d.pinned {
			errs = append(errs, driver.Unpin(p))
		}
		for _, s := range streams {
			if *s != (cu.Stream{}) {
				errs = append(errs, s.Destroy())
			}
		}
		return errors.Join(errs...)
	})
	err := errors.Join(d.err, d.card.ReleasePrimaryCtx())
	if failure != nil {
		d.err = failure
		return nil // it was told; closing after it may fail for the same reason
	}
	d.err = errors.New("cuda: the device is closed")
	return err
}

// pointer gives a stream to the driver package.
func pointer(s cu.Stream) unsafe.Pointer { return unsafe.Pointer(s.C()) }
