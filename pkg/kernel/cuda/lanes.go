//go:build mmcuda && cgo && linux

package cuda

import (
	"fmt"
	"os"
	"strconv"

	"gorgonia.org/cu"
)

// lane is a stream that kernels are queued on, with the memory that they work in there: what runs side by side must not share it.
type lane struct {
	stream    cu.Stream
	scratch   buffer
	spare     buffer // room for one result
	moved     buffer // room for operands of a convolution that are laid out anew
	products  buffer // the workspace of cuBLAS and cuBLASLt
	workspace buffer // of cuDNN
}

// lanesEnvironment is the variable that names the number of lanes, from 1, which is to do one thing after the other, to mostLanes.
const lanesEnvironment = "MM_CUDA_LANES"

// A step of two modalities has seldom more than so many kernels that could run; of more modalities, each takes memory.
const usualLanes, mostLanes = 4, 8

// openLanes makes the streams. What they work in comes with the libraries that are there.
func (d *Device) openLanes() error {
	n := usualLanes
	if v := os.Getenv(lanesEnvironment); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 || n > mostLanes {
			return fmt.Errorf("%s is %q: want a number from 1 to %d", lanesEnvironment, v, mostLanes)
		}
	}
	for i := range n {
		l := &lane{stream: d.compute}
		d.lanes = append(d.lanes, l)
		var err error
		if i > 0 {
			if l.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
				return err
			}
		}
		if l.scratch, err = d.allocRoom(scratchSize); err != nil {
			return err
		}
	}
	d.lane = d.lanes[0]
	return nil
}

// Lanes is kernel.Laner's.
func (d *Device) Lanes() int { return len(d.lanes) }

// Lane has what is asked for next go to a lane.
func (d *Device) Lane(n int) {
	if d.lane == d.lanes[n] {
		return
	}
	d.lane = d.lanes[n]
	d.do("changing lanes", func() error {
		if err := d.blas.use(d.lane); err != nil {
			return err
		}
		return d.dnn.use(d.lane)
	})
}

// Mark makes a point that other lanes can wait for: what the lane in use has been asked for so far is done.
func (d *Device) Mark(id int) {
	d.do("marking", func() error {
		for len(d.marks) <= id {
			e, err := d.event()
			if err != nil {
				return err
			}
			d.marks = append(d.marks, e)
		}
		return d.marks[id].Record(d.stream)
	})
}

// Wait has what the lane in use is asked for next wait for a mark.
func (d *Device) Wait(id int) {
	d.do("waiting for a mark", func() error { return d.stream.Wait(d.marks[id], 0) })
}
