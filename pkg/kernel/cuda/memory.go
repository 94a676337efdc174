//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"fmt"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
)

const (
	bounceSize  = 1 << 14 // float32 of pinned memory that small downloads go through
	scratchSize = 8 << 20 // float32 of scratch on the card, for partial sums
)

// buffer is memory of the card.
type buffer struct {
	p cu.DevicePtr
	n int
}

// Len returns the number of elements.
func (b buffer) Len() int { return b.n }

// Slice returns elements from to to, sharing memory.
func (b buffer) Slice(from, to int) kernel.Buffer {
	if from < 0 || to < from || to > b.n {
		panic(fmt.Sprintf("cuda: slice [%d:%d] of a buffer of %d", from, to, b.n))
	}
	return buffer{b.p + cu.DevicePtr(4*from), to - from}
}

// Alloc returns n zeros on the card. Where they do not fit the error is a *kernel.MemoryError.
func (d *Device) Alloc(n int) (kernel.Buffer, error) {
	if n < 0 {
		return nil, fmt.Errorf("cuda: allocating %d elements", n)
	}
	var b buffer
	err := d.take("allocating", func() error {
		var err error
		b, err = d.alloc(max(n, 1))
		return err
	})
	if err != nil {
		return nil, err
	}
	b.n = n
	return b, nil
}

// take is do for what may not fit: the device goes on after a *kernel.MemoryError, which is returned.
func (d *Device) take(what string, f func() error) error {
	var refused error
	d.do(what, func() error {
		err := f()
		var memory *kernel.MemoryError
		if errors.As(err, &memory) {
			refused = err
			return nil
		}
		return err
	})
	return errors.Join(refused, d.err)
}

// alloc returns n zeros.
func (d *Device) alloc(n int) (buffer, error) {
	b, err := d.allocRoom(n)
	if err != nil {
		return buffer{}, err
	}
	return b, cu.MemsetD32Async(b.p, 0, int64(n), d.compute)
}

// allocRoom is alloc for what is written before it is read.
func (d *Device) allocRoom(n int) (buffer, error) {
	p, err := cu.MemAlloc(int64(4 * n))
	if err == cu.OutOfMemory {
		free, _, err := cu.MemInfo()
		return buffer{}, errors.Join(&kernel.MemoryError{Device: d.name, Wanted: int64(4 * n), Free: free}, err)
	}
	if err != nil {
		return buffer{}, err
	}
	d.memory = append(d.memory, p)
	return buffer{p, n}, nil
}

// Free returns the bytes of the card that are not taken.
func (d *Device) Free() int64 {
	var free int64
	d.do("asking for free memory", func() error {
		var err error
		free, _, err = cu.MemInfo()
		return err
	})
	return free
}

func (d *Device) pin(n int) ([]float32, error) {
	p, err := driver.Pinned(n)
	if err == nil {
		d.pinned = append(d.pinned, p)
	}
	return p, err
}

func (d *Device) event() (cu.Event, error) {
	e, err := cu.MakeEvent(cu.DisableTiming)
	if err == nil {
		d.events = append(d.events, e)
	}
	return e, err
}

// at returns b's memory, which a kernel takes to hold at least n elements: beyond them is another's memory.
func at(b kernel.Buffer, n int) cu.DevicePtr {
	own := b.(buffer)
	if own.n < n {
		panic(fmt.Sprintf("cuda: buffer of %d, want %d", own.n, n))
	}
	return own.p
}
