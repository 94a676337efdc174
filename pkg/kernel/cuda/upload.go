//go:build mmcuda && cgo && linux

package cuda

import (
	"runtime"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// stage is what minibatches pass through on their way to one buffer: two slots in turns, so that one is filled and copied
// while the kernels that read the other's still run.
type stage struct {
	slots [2]slot
	next  int
}

// slot is pinned memory and as much on the card.
type slot struct {
	host   []float32
	card   buffer
	copied cu.Event // the host's memory has been read
	taken  cu.Event // the card's has
	used   bool
}

// Upload copies src into the first len(src) elements of dst, in the order of the kernels. It returns once src may be changed,
// which is not when it is there. A buffer's first upload is copied as it is; from the second on, it has a stage.
func (d *Device) Upload(dst kernel.Buffer, src []float32) {
	if len(src) == 0 {
		return
	}
	to := at(dst, len(src))
	d.do("uploading", func() error {
		st, known := d.stages[to]
		switch {
		case !known:
			d.stages[to] = nil
			return d.uploadNow(to, src)
		case st == nil || len(st.slots[0].host) < len(src):
			var err error
			if st, err = d.newStage(dst.Len()); err != nil {
				return d.uploadNow(to, src) // no memory for it: slower, and as right
			}
			d.stages[to] = st
		}
		s := &st.slots[st.next]
		st.next ^= 1
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
	st := new(stage)
	for i := range st.slots {
		s := &st.slots[i]
		var err error
		if s.host, err = d.pin(n); err != nil {
			return nil, err
		}
		if s.card, err = d.alloc(n); err != nil {
			return nil, err
		}
		if s.copied, err = d.event(); err != nil {
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

// uploadStaged copies src to the slot's pinned memory, from there to the card beside the kernels that run, and into place
// between them.
func (d *Device) uploadStaged(s *slot, to cu.DevicePtr, src []float32) error {
	if s.used {
		if err := s.copied.Synchronize(); err != nil {
			return err
		}
	}
	s.used = true
	copy(s.host, src)
	bytes := int64(4 * len(src))
	if err := d.copies.Wait(s.taken, 0); err != nil {
		return err
	}
	if err := cu.MemcpyHtoDAsync(s.card.p, unsafe.Pointer(&s.host[0]), bytes, d.copies); err != nil {
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
