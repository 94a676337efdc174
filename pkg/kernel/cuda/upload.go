//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// stage is what minibatches pass through on their way to one buffer: slots in turns, so that one is filled and copied while the
// kernels that read the others' still run.
type stage struct {
	slots []slot // none where there was no memory for them
	next  int
}

// slot is pinned memory and, where that is large, as much on the card.
type slot struct {
	host   []float32
	card   buffer   // of no memory where the copy goes into place between the kernels: it takes less than to order it beside them
	copied cu.Event // the host's memory has been read
	taken  cu.Event // the card's has
	used   bool
}

// directSize is up to how many elements a copy goes into place between the kernels: 64 KiB take the bus some microseconds.
const directSize = 1 << 14

// The host may be as many minibatches ahead of the card as there are slots. Small ones, whose steps are short, have more.
const directSlots, stagedSlots = 4, 2

// Upload copies src into the first len(src) elements of dst, in the order of the kernels. It returns once src may be changed,
// which is not when it is there. A buffer's first upload is copied as it is; from the second on, it has a stage.
func (d *Device) Upload(dst kernel.Buffer, src []float32) {
	if len(src) == 0 {
		return
	}
	to := at(dst, len(src))
	d.do("uploading", func() error {
		if d.recording { // a card would take it, and send again whatever the host's memory holds when it is replayed
			return errors.New("within a recording")
		}
		st, known := d.stages[to]
		switch {
		case !known:
			d.stages[to] = nil
			return d.uploadNow(to, src)
		case st == nil || len(st.slots) > 0 && len(st.slots[0].host) < len(src):
			var err error
			if st, err = d.newStage(dst.Len()); err != nil {
				st = new(stage) // no memory for it: slower, and as right
			}
			d.stages[to] = st
		}
		if len(st.slots) == 0 {
			return d.uploadNow(to, src)
		}
		s := &st.slots[st.next]
		st.next = (st.next + 1) % len(st.slots)
		return d.uploadStaged(s, to, src)
	})
}

func (d *Device) uploadNow(to cu.DevicePtr, src []float32) error {
	var pinner runtime.Pinner
	pinner.Pin(&src[0])
	defer pinner.Unpin()
	if err := cu.MemcpyHtoDAsync(to, unsafe.Pointer(&src[0]), int64(4*len(src)), d.compute); err != nil {
		return err
	}
	return d.compute.Synchronize()
}

func (d *Device) newStage(n int) (*stage, error) {
	st := &stage{slots: make([]slot, stagedSlots)}
	if n <= directSize {
		st.slots = make([]slot, directSlots)
	}
	for i := range st.slots {
		s := &st.slots[i]
		var err error
		if s.host, err = d.pin(n); err != nil {
			return nil, err
		}
		if s.copied, err = d.event(); err != nil {
			return nil, err
		}
		if n <= directSize {
			continue
		}
		if s.card, err = d.alloc(n); err != nil {
			return nil, err
		}
		if s.taken, err = d.event(); err != nil {
			return nil, err
		}
		// The slot is zeroed on the compute stream: the copies must not come before.
		if err = s.taken.Record(d.compute); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// uploadStaged copies src to the slot's pinned memory, and from there into place: at once between the kernels, or to the card beside
// those that run, and then into place between them.
func (d *Device) uploadStaged(s *slot, to cu.DevicePtr, src []float32) error {
	if s.used {
		if err := s.copied.Synchronize(); err != nil {
			return err
		}
	}
	s.used = true
	copyWide(s.host, src)
	from, bytes := unsafe.Pointer(&s.host[0]), int64(4*len(src))
	if s.card.n == 0 {
		if err := cu.MemcpyHtoDAsync(to, from, bytes, d.compute); err != nil {
			return err
		}
		return s.copied.Record(d.compute)
	}
	if err := d.copies.Wait(s.taken, 0); err != nil {
		return err
	}
	if err := cu.MemcpyHtoDAsync(s.card.p, from, bytes, d.copies); err != nil {
		return err
	}
	if err := s.copied.Record(d.copies); err != nil {
		return err
	}
	if err := d.compute.Wait(s.copied, 0); err != nil {
		return err
	}
	if err := cu.MemcpyDtoDAsync(to, s.card.p, bytes, d.compute); err != nil {
		return err
	}
	return s.taken.Record(d.compute)
}

// A goroutine alone copies far less in a second than the bus does; copyShare is how many elements are worth another, 256 KiB, and more
// than mostCopying would only wait for the memory.
const (
	copyShare   = 1 << 16
	mostCopying = 8
)

// copyWide is copy, by several goroutines where there is much.
func copyWide(dst, src []float32) {
	n := min(len(src)/copyShare, runtime.GOMAXPROCS(0), mostCopying)
	if n < 2 {
		copy(dst, src)
		return
	}
	var group sync.WaitGroup
	for k := 1; k < n; k++ {
		from, to := len(src)*k/n, len(src)*(k+1)/n
		group.Go(func() { copy(dst[from:to], src[from:to]) })
	}
	copy(dst, src[:len(src)/n])
	group.Wait()
}
