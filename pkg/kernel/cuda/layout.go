//go:build mmcuda && cgo && linux

package cuda

import (
	"errors"
	"fmt"
	"os"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// layoutEnvironment keeps maps as (N,C,H,W) in any case, where it is "nchw".
const layoutEnvironment = "MM_CUDA_LAYOUT"

// chooseLayout lays feature maps channels last, (N,H,W,C), where cuDNN multiplies them on tensor cores, which read them so: maps that
// are Blocked, in float32 or, with --precision bf16, in bfloat16. The others are (N,C,H,W) in float32.
func (d *Device) chooseLayout() error {
	switch v := os.Getenv(layoutEnvironment); v {
	case "":
		d.last = d.dnn != nil && d.cores() != ""
	case "nchw":
	default:
		return fmt.Errorf("%s is %q: want nchw, or nothing", layoutEnvironment, v)
	}
	return nil
}

// isLast reports whether feature maps lie channels last.
func (d *Device) isLast(i kernel.Image) bool { return d.last && i.Blocked() }

// Narrow is kernel.Narrower's.
func (d *Device) Narrow() bool { return d.last && d.precision == kernel.BF16 }

// kept returns the kernel for the elements of maps channels last.
func (d *Device) kept(name string) string {
	if d.Narrow() {
		return name + "_bf16"
	}
	return name
}

// words returns the float32 that elements of maps channels last take.
func (d *Device) words(elements int) int {
	if d.Narrow() {
		return ceil(elements, 2)
	}
	return elements
}

// taken returns the float32 that n feature maps take.
func (d *Device) taken(n int, i kernel.Image) int {
	if d.isLast(i) {
		return d.words(n * i.Size())
	}
	return n * i.Size()
}

// maps gives feature maps to a kernel, and optionalMaps null for none.
func (d *Device) maps(b kernel.Buffer, n int, i kernel.Image) uint64 { return ptr(b, d.taken(n, i)) }

func (d *Device) optionalMaps(b kernel.Buffer, n int, i kernel.Image) uint64 {
	return optional(b, d.taken(n, i))
}

// across is the channels of maps channels last that a thread takes: 16 bytes of them.
func (d *Device) across() int {
	if d.Narrow() {
		return 8
	}
	return 4
}

// strips returns the runs that rows of c channels are divided into, and the grid of their blocks, where a thread takes channels of a row, and
// some rows of a run (see last.h).
func strips(rows, c, channels, each int) (int, grid) {
	wide := min(c/channels, 32)
	groups, runs := ceil(c/channels, wide), max(1, ceil(rows, threads/wide*each))
	return runs, grid{min(groups*runs, 1<<16), 1, 1}
}

// sumStrips is strips for kernels that leave sums of each run in scratch: enough blocks for a card, runs not too short, sums that fit. It
// depends on the shape alone, so the result does too.
func sumStrips(rows, c, channels int) (int, grid) {
	runs, _ := strips(rows, c, channels, 16)
	groups := ceil(c/channels, 32)
	runs = max(1, min(runs, ceil(1024, groups), (scratchSize/2-c)/(2*c)))
	return runs, grid{min(groups*runs, 1<<16), 1, 1}
}

// operand is one of a convolution's: (n,c,pixels) or, channels last, (n,pixels,c).
type operand struct {
	own          kernel.Buffer
	n, c, pixels int
	last         bool
	written      bool
}

func (o operand) size() int { return o.n * o.c * o.pixels }

// operands returns x, w and y of a run. Weights are (K,C,KH,KW).
func (d *Device) operands(x, w, y kernel.Buffer, r kernel.ConvRun) [3]operand {
	in, out := r.Conv.In, r.Conv.Out()
	return [3]operand{
		{x, r.N, in.C, in.H * in.W, d.isLast(in), r.Pass == kernel.ConvBackInput},
		{w, r.Conv.K, in.C, r.Conv.KH * r.Conv.KW, false, r.Pass == kernel.ConvBackWeight},
		{y, r.N, out.C, out.H * out.W, d.isLast(out), r.Pass == kernel.ConvForward},
	}
}

// move returns where in the room the operands begin that lie otherwise than the convolution takes them (-1 for the others), and the room's elements.
func (d *Device) move(all [3]operand, last bool) (from [3]int, n int) {
	for i, o := range all {
		if o.last == last {
			from[i] = -1
			continue
		}
		from[i] = n
		words := o.size()
		if last {
			words = d.words(words)
		}
		n += ceil(words, 16) * 16
	}
	return from, n
}

// convolve runs cuDNN, channels last where maps lie so and it does that, and own kernels where it does not at all. Operands that lie
// otherwise are laid out anew: weights and their gradients, maps of few channels.
func (d *Device) convolve(doing string, x, w, y kernel.Buffer, r kernel.ConvRun) {
	d.do(doing, func() error {
		for {
			key := d.dnn.key(r)
			err := d.convolveAs(key, x, w, y, r)
			var status statusError
			if !errors.As(err, &status) {
				return err
			}
			switch { // an algorithm that was chosen may fail in other words than that it is not supported
			case d.dnn.settle(key):
			case status.unsupported():
				d.dnn.refused[key] = true
			default:
				return err
			}
		}
	})
}

func (d *Device) convolveAs(key planKey, x, w, y kernel.Buffer, r kernel.ConvRun) error {
	all := d.operands(x, w, y, r)
	from, n := d.move(all, key.last)
	room := d.room(&d.moved, n)
	var p [3]cu.DevicePtr
	for i, o := range all {
		own := o.size()
		if o.last {
			own = d.words(own)
		}
		if p[i] = at(o.own, own); from[i] < 0 {
			continue
		}
		own64 := uint64(p[i])
		p[i] = at(room.Slice(from[i], n), 0)
		if !o.written {
			d.transpose(uint64(p[i]), own64, o.n, o.c, o.pixels, key.last)
		}
	}
	if d.err != nil {
		return nil // told already
	}
	if !d.dnn.does(key) {
		d.convolveOwn(uint64(p[0]), uint64(p[1]), uint64(p[2]), r)
	} else if err := d.dnn.run(key, p[0], p[1], p[2]); err != nil {
		return err
	}
	for i, o := range all {
		if o.written && from[i] >= 0 {
			d.transpose(ptr(o.own, 0), uint64(p[i]), o.n, o.c, o.pixels, o.last)
		}
	}
	return nil
}

// transpose lays (n,c,pixels), float32, out channels last where last is set, and back where not.
func (d *Device) transpose(y, x uint64, n, c, pixels int, last bool) {
	name, a, b := "mm_transpose", c, pixels
	if !last {
		a, b = pixels, c
	}
	if d.Narrow() {
		name += map[bool]string{true: "_narrow", false: "_wide"}[last]
	}
	blocks := n * ceil(a, 32) * ceil(b, 32)
	if a <= 8 || b <= 16 {
		blocks = ceil(n*a*b, threads)
	}
	d.launch(name, grid{min(blocks, 1<<16), 1, 1}, y, x, num(n), num(a), num(b))
}

// Arrange lays (N,C,H,W) out as maps lie here.
func (d *Device) Arrange(y, x kernel.Buffer, n int, i kernel.Image) { d.arrange(y, x, n, i, true) }

// ArrangePlain is its inverse.
func (d *Device) ArrangePlain(y, x kernel.Buffer, n int, i kernel.Image) {
	d.arrange(y, x, n, i, false)
}

func (d *Device) arrange(y, x kernel.Buffer, n int, i kernel.Image, last bool) {
	if !d.isLast(i) {
		d.Copy(y, x, n*i.Size())
		return
	}
	to, from := d.maps(y, n, i), ptr(x, n*i.Size())
	if !last {
		to, from = ptr(y, n*i.Size()), d.maps(x, n, i)
	}
	d.transpose(to, from, n, i.C, i.H*i.W, last)
}

// AddMaps is kernel.Narrower's.
func (d *Device) AddMaps(y, a, b kernel.Buffer, n int) {
	words := d.words(n)
	d.launch("mm_add_maps", elements(n/8), ptr(y, words), ptr(a, words), ptr(b, words), num(n))
}

// ReLUGradMaps is kernel.Narrower's.
func (d *Device) ReLUGradMaps(dx, dy, y kernel.Buffer, n int) {
	words := d.words(n)
	d.launch("mm_relu_grad_maps", elements(n/8), ptr(dx, words), ptr(dy, words), ptr(y, words), num(n))
}
