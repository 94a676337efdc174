//go:build mmcuda && cgo && linux

package cuda

import "mmtools/pkg/kernel"

// shape gives a convolution to a kernel.
func shape(c kernel.Conv) []uint64 {
	return []uint64{num(c.In.C), num(c.In.H), num(c.In.W), num(c.K), num(c.KH), num(c.KW), num(c.StrideH), num(c.StrideW), num(c.PadH), num(c.PadW)}
}

func parameters(first []uint64, rest ...[]uint64) []uint64 {
	for _, r := range rest {
		first = append(first, r...)
	}
	return first
}

// flat is the width of a convolution's tiles, of pixels; they are tile high, of channels.
const flat = 2 * tile

// convolved returns the kernel of a convolution, and its grid, for a result of so many pixels and channels: in narrow tiles where
// flat ones would leave most multiprocessors idle, unless tensor cores compute it. It depends on the shape alone.
func (d *Device) convolved(name string, pixels, channels int) (string, grid) {
	if g := (grid{ceil(pixels, flat), ceil(channels, tile), 1}); d.cores() != "" || g.x*g.y >= 128 {
		return name + d.cores(), g
	}
	return name + "_narrow", grid{ceil(pixels, tile/2), ceil(channels, tile/2), 1}
}

// Conv writes y = x * w.
func (d *Device) Conv(y, x, w kernel.Buffer, n int, c kernel.Conv) {
	out := c.Out()
	if d.dnn != nil {
		d.convolve("convolving", x, w, y, kernel.ConvRun{Pass: kernel.ConvForward, N: n, Conv: c})
		return
	}
	d.convolveOwn(ptr(x, n*c.In.Size()), ptr(w, c.Weights()), ptr(y, n*out.Size()), kernel.ConvRun{Pass: kernel.ConvForward, N: n, Conv: c})
}

// convolveOwn runs this package's kernels, of maps (N,C,H,W).
func (d *Device) convolveOwn(x, w, y uint64, r kernel.ConvRun) {
	n, c, out := r.N, r.Conv, r.Conv.Out()
	switch r.Pass {
	case kernel.ConvForward:
		name, g := d.convolved("mm_conv", n*out.H*out.W, c.K)
		d.launch(name, g, parameters([]uint64{y, x, w, num(n)}, shape(c))...)
	case kernel.ConvBackInput:
		name, g := d.convolved("mm_conv_grad_input", n*c.In.H*c.In.W, c.In.C)
		d.launch(name, g, parameters([]uint64{x, y, w, num(n)}, shape(c))...)
	case kernel.ConvBackWeight:
		splits, partial := gradSplits(n, c), w
		if splits > 1 {
			partial = ptr(d.scratch, splits*c.Weights())
		}
		d.launch("mm_conv_grad_weight"+d.cores(), grid{ceil(c.In.C*c.KH*c.KW, flat), ceil(c.K, tile), splits},
			parameters([]uint64{partial, y, x, num(n)}, shape(c), []uint64{num(splits)})...)
		if splits > 1 {
			d.launch("mm_sum_splits", elements(c.Weights()), w, partial, num(c.Weights()), num(splits))
		}
	}
}

// ConvAffine writes y = scale_k (x * w) + shift_k + residual, and max(0, y) where relu is set.
func (d *Device) ConvAffine(y, x, w, scale, shift, residual kernel.Buffer, n int, c kernel.Conv, relu bool) {
	out := c.Out()
	size := n * out.Size()
	if d.dnn != nil {
		to := y
		if residual == y {
			to = d.room(&d.spare, d.taken(n, out))
		}
		d.Conv(to, x, w, n, c)
		d.Affine(y, to, scale, shift, residual, n, out, relu)
		return
	}
	name, g := d.convolved("mm_conv_affine", n*out.H*out.W, c.K)
	d.launch(name, g, parameters([]uint64{ptr(y, size), ptr(x, n*c.In.Size()), ptr(w, c.Weights()),
		ptr(scale, c.K), ptr(shift, c.K), optional(residual, size), num(n)}, shape(c), []uint64{flag(relu)})...)
}

// room returns n elements of a buffer that is made larger where it is too small. What was too small stays: recordings may name it.
func (d *Device) room(b *buffer, n int) kernel.Buffer {
	if b.n < n {
		d.do("allocating", func() error {
			larger, err := d.allocRoom(n)
			*b = larger
			return err
		})
	}
	return *b
}

// Workspace returns the bytes that cuDNN works in, that results take that may not be written in their place yet, and operands that are
// laid out anew, by lane. Own kernels need none.
func (d *Device) Workspace(runs []kernel.ConvRun) ([]int64, error) {
	if d.dnn == nil {
		return nil, nil
	}
	var all []int64
	d.do("asking for workspaces", func() error {
		for lane := range d.lanes {
			own := inLane(runs, lane)
			spare, moved := d.rooms(own)
			all = append(all, d.dnn.needs(own)+4*int64(spare+moved))
		}
		return nil
	})
	return all, d.err
}

// inLane returns the runs of a lane.
func inLane(runs []kernel.ConvRun, lane int) (own []kernel.ConvRun) {
	for _, r := range runs {
		if r.Lane == lane {
			own = append(own, r)
		}
	}
	return own
}

// rooms returns the elements that runs take of the room for a result, and of that for operands.
func (d *Device) rooms(runs []kernel.ConvRun) (spare, moved int) {
	for _, r := range runs {
		if r.Residual {
			spare = max(spare, d.taken(r.N, r.Conv.Out()))
		}
		_, n := d.move(d.operands(nil, nil, nil, r), d.dnn.key(r).last)
		moved = max(moved, n)
	}
	return spare, moved
}

// Reserve takes as much as Workspace says.
func (d *Device) Reserve(runs []kernel.ConvRun) error {
	if d.dnn == nil {
		return nil
	}
	return d.take("reserving", func() error {
		for i, l := range d.lanes {
			own := inLane(runs, i)
			err := d.dnn.room(l, d.dnn.needs(own))
			spare, moved := d.rooms(own)
			if err == nil && spare > l.spare.n {
				l.spare, err = d.allocRoom(spare)
			}
			if err == nil && moved > l.moved.n {
				l.moved, err = d.allocRoom(moved)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ConvGradInput writes the gradient of x.
func (d *Device) ConvGradInput(dx, dy, w kernel.Buffer, n int, c kernel.Conv) {
	out := c.Out()
	if d.dnn != nil {
		d.convolve("convolving back", dx, w, dy, kernel.ConvRun{Pass: kernel.ConvBackInput, N: n, Conv: c})
		return
	}
	d.convolveOwn(ptr(dx, n*c.In.Size()), ptr(w, c.Weights()), ptr(dy, n*out.Size()), kernel.ConvRun{Pass: kernel.ConvBackInput, N: n, Conv: c})
}

// gradSplits is the number of runs that a weight's gradient, a sum over the pixels of all images, is divided into: enough
// blocks for a card, runs not too short, partial sums that fit. It depends on the shape alone, so the result does too.
func gradSplits(n int, c kernel.Conv) int {
	out := c.Out()
	blocks := ceil(c.In.C*c.KH*c.KW, flat) * ceil(c.K, tile)
	splits := min(ceil(512, blocks), ceil(n*out.H*out.W, 1024), scratchSize/c.Weights())
	return max(1, min(splits, 1<<15))
}

// ConvGradWeight writes the gradient of w.
func (d *Device) ConvGradWeight(dw, dy, x kernel.Buffer, n int, c kernel.Conv) {
	out := c.Out()
	if d.dnn != nil {
		d.convolve("convolving back", x, dw, dy, kernel.ConvRun{Pass: kernel.ConvBackWeight, N: n, Conv: c})
		return
	}
	d.convolveOwn(ptr(x, n*c.In.Size()), ptr(dw, c.Weights()), ptr(dy, n*out.Size()), kernel.ConvRun{Pass: kernel.ConvBackWeight, N: n, Conv: c})
}
