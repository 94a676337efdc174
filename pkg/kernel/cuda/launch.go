//go:build mmcuda && cgo && linux

package cuda

import (
	"embed"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda/driver"
)

//go:embed ptx
var ptx embed.FS

// image is the PTX of one source, which the driver compiles when a kernel of it is first asked for: it takes a while, and cuBLAS and
// cuDNN do without most of them.
type image struct {
	name, text string
	module     cu.Module
	loaded     bool
}

// load finds the PTX of the newest architecture that the card is no older than.
func (d *Device) load() error {
	major, minor, err := d.card.ComputeCapability()
	if err != nil {
		return err
	}
	d.folder = "ptx/sm_90"
	switch {
	case major < 8:
		return fmt.Errorf("a card of compute capability %d.%d: want 8.0 or newer", major, minor)
	case major == 8:
		d.folder = "ptx/sm_80"
	}
	files, err := ptx.ReadDir(d.folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := ptx.ReadFile(path.Join(d.folder, f.Name()))
		if err != nil {
			return err
		}
		d.images = append(d.images, &image{name: f.Name(), text: string(text)})
	}
	return nil
}

// function finds a kernel by name. A program runs once before it is recorded, so that nothing is compiled during a recording, which would
// break it.
func (d *Device) function(name string) (cu.Function, error) {
	if f, ok := d.functions[name]; ok {
		return f, nil
	}
	for _, i := range d.images {
		if !strings.Contains(i.text, ".entry "+name+"(") {
			continue
		}
		if !i.loaded {
			m, err := cu.LoadData(i.text)
			if err != nil {
				return cu.Function{}, fmt.Errorf("loading %s: %w: %s", i.name, err, driver.Explain(i.text))
			}
			i.module, i.loaded = m, true
		}
		f, err := i.module.Function(name)
		if err == nil {
			d.functions[name] = f
		}
		return f, err
	}
	return cu.Function{}, fmt.Errorf("no kernel %s", name)
}

// threads is the size of every block but those of kernels that sum a channel in one: they are few, and wide.
const threads, wide = 256, 1024

// grid is the number of blocks of a launch. Kernels stride over what there is, so that a driver's limit of y is no limit of theirs.
type grid struct{ x, y, z int }

// mostY is the largest number of blocks along y, and along z, that a driver takes.
const mostY = 1<<16 - 1

// elements is the grid for kernels that stride over n elements.
func elements(n int) grid { return grid{min(ceil(n, threads), 1<<16), 1, 1} }

func ceil(n, by int) int { return (n + by - 1) / by }

// A parameter of a kernel takes 8 bytes: cu.Function.Launch copies as many.

func ptr(b kernel.Buffer, n int) uint64 { return uint64(at(b, n)) }
func num(n int) uint64                  { return uint64(n) }
func real(v float64) uint64             { return math.Float64bits(v) }

// optional is ptr, or null for a nil buffer.
func optional(b kernel.Buffer, n int) uint64 {
	if b == nil {
		return 0
	}
	return ptr(b, n)
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// launch queues a kernel. A grid of no blocks is nothing to do.
func (d *Device) launch(name string, g grid, parameters ...uint64) {
	d.launchBlocks(name, g, threads, parameters...)
}

func (d *Device) launchBlocks(name string, g grid, size int, parameters ...uint64) {
	if g.x == 0 || g.y == 0 || g.z == 0 {
		return
	}
	d.do(name, func() error {
		f, err := d.function(name)
		if err != nil {
			return err
		}
		pointers := make([]unsafe.Pointer, len(parameters))
		for i := range parameters {
			pointers[i] = unsafe.Pointer(&parameters[i])
		}
		return f.Launch(g.x, min(g.y, mostY), g.z, size, 1, 1, 0, d.stream, pointers)
	})
}

// recording is a captured run of kernels.
type recording struct {
	d     *Device
	graph driver.Graph
}

// Record captures the kernels that f asks for, which do not run, as one graph. Where that fails the device goes on, and Engine says so.
func (d *Device) Record(f func()) (kernel.Recording, error) {
	if d.err != nil {
		return nil, d.err
	}
	var r recording
	d.do("recording", func() error {
		if err := driver.BeginCapture(pointer(d.compute)); err != nil {
			return err
		}
		d.recording = true
		f()
		d.recording = false
		graph, err := driver.EndCapture(pointer(d.compute))
		if d.err != nil {
			return d.err // of a kernel in f, which is why the capture failed too
		}
		if err != nil {
			return err
		}
		d.graphs = append(d.graphs, graph)
		r = recording{d, graph}
		return nil
	})
	err := d.err
	d.err = nil
	if err != nil {
		d.missed, d.recording = err, false
		// It may have failed in any lane, where the libraries are still at work.
		d.lane = d.lanes[0]
		d.do("going on", func() error { return errors.Join(d.blas.use(d.lane), d.dnn.use(d.lane)) })
	}
	return r, errors.Join(err, d.err)
}

// Replay queues the recording.
func (r recording) Replay() {
	r.d.do("replaying", func() error { return r.graph.Launch(pointer(r.d.compute)) })
}
