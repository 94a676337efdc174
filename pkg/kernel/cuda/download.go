//go:build mmcuda && cgo && linux

package cuda

import (
	"runtime"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// Download copies the first len(dst) elements of src into dst, once what was queued before is done.
func (d *Device) Download(dst []float32, src kernel.Buffer) {
	if len(dst) == 0 {
		return
	}
	from := at(src, len(dst))
	d.do("downloading", func() error {
		to := dst
		if len(dst) <= len(d.bounce) {
			to = d.bounce[:len(dst)]
		} else {
			var pinner runtime.Pinner
			pinner.Pin(&dst[0])
			defer pinner.Unpin()
		}
		if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&to[0]), from, int64(4*len(dst)), d.compute); err != nil {
			return err
		}
		if err := d.compute.Synchronize(); err != nil {
			return err
		}
		if len(dst) <= len(d.bounce) {
			copy(dst, to)
		}
		return nil
	})
}

// parcel is pinned memory that a result is sent to.
type parcel struct {
	d    *Device
	host []float32
	n    int      // elements sent
	sent cu.Event // they are there
}

// NewParcel makes what results of up to n elements are sent in.
func (d *Device) NewParcel(n int) (kernel.Parcel, error) {
	p := &parcel{d: d}
	err := d.take("allocating pinned memory", func() error {
		var err error
		if p.host, err = d.pin(max(n, 1)); err != nil {
			return err
		}
		p.sent, err = d.event()
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Send has the first n elements of src sent, after the kernels asked for so far and before those to come.
func (p *parcel) Send(src kernel.Buffer, n int) {
	if p.n = n; n == 0 {
		return
	}
	from := at(src, n)
	p.d.do("sending", func() error {
		if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&p.host[:n][0]), from, int64(4*n), p.d.compute); err != nil {
			return err
		}
		return p.sent.Record(p.d.compute)
	})
}

// Wait returns what was sent.
func (p *parcel) Wait() []float32 {
	if p.n > 0 {
		p.d.do("waiting for what was sent", p.sent.Synchronize)
	}
	return p.host[:p.n]
}
