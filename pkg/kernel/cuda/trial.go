//go:build mmcuda && cgo && linux

package cuda

// What package trial needs, which runs kernels by their names.

// Trial runs one kernel and waits for it.
func (d *Device) Trial(kernel string, x, y, z int, parameters ...uint64) error {
	d.launch(kernel, grid{x, y, z}, parameters...)
	d.do(kernel, d.compute.Synchronize)
	return d.err
}

// Pinned returns n float32 of host memory that kernels can read and write at the same address. Close frees it.
func (d *Device) Pinned(n int) (p []float32, err error) {
	d.do("allocating", func() error {
		p, err = d.pin(n)
		return err
	})
	return p, d.err
}
