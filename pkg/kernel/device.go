package kernel

import (
	"fmt"
	"math"
	"time"
)

// MemoryError is why a device could not allocate.
type MemoryError struct {
	Device       string
	Wanted, Free int64 // bytes
}

// Error says how much was wanted, and how much was free.
func (m *MemoryError) Error() string {
	return fmt.Sprintf("device %s is out of memory: wanted %d bytes, %d are free", m.Device, m.Wanted, m.Free)
}

// Recorder is a Device that can take a run of kernels once and then be told to repeat it, for less than asking for each.
type Recorder interface {
	Device
	// Record calls f and records the kernels that it asks for, on the buffers that it names; they do not run. f must not
	// Alloc, Upload or Download. Kernels with the same shapes must have run once before.
	Record(f func()) (Recording, error)
}

// Laner is a Device that does in lanes, side by side, what need not be done one after the other. In a lane, things are done in the order in
// which they are asked for.
type Laner interface {
	Device
	// Lanes returns how many there are, 1 or more.
	Lanes() int
	// Lane has the kernels that are asked for from now on go to lane n, 0 at first. Nobody but who changes lanes knows of them: what is asked
	// of the others waits for a mark of lane 0, and lane 0, which is to be the last in use, for marks of the others.
	Lane(n int)
	// Mark gives what the lane in use has been asked for so far a number, from 0, that it may have had before. Wait has what the lane in use is
	// asked for from now on wait for that.
	Mark(id int)
	Wait(id int)
}

// Recording is what a Recorder has recorded. Its device's Close frees it.
type Recording interface {
	// Replay runs the kernels again, in the order of what else is asked of the device.
	Replay()
}

// Narrower is a Device that may keep feature maps in half the memory.
type Narrower interface {
	Device
	// Narrow reports whether the kernels of Convolution take and give maps that are Blocked in bfloat16, two to an element of their
	// buffer. Maps that are plain are float32 in any case.
	Narrow() bool
	// AddMaps is Add, over n values of maps in bfloat16.
	AddMaps(y, a, b Buffer, n int)
	// ReLUGradMaps is ReLUGrad, over n values of maps in bfloat16.
	ReLUGradMaps(dx, dy, y Buffer, n int)
}

// Timer is a Device that runs what it is asked for later, so that a clock around the asking tells nothing.
type Timer interface {
	Device
	// Time returns how long the device takes for the kernels that f asks for, which it runs several times. f is as for Record.
	Time(f func()) (time.Duration, error)
}

// Sender is a Device that computes beside its caller, and can send a result while it goes on.
type Sender interface {
	Device
	// NewParcel makes what results of up to n elements are sent in.
	NewParcel(n int) (Parcel, error)
}

// Parcel is a result on its way to the host. Its device's Close frees it.
type Parcel interface {
	// Send has the first n elements of src sent once what was asked of the device before is done. It does not wait; what is asked
	// for after it may change src.
	Send(src Buffer, n int)
	// Wait returns what was sent, (n), once it is there, borrowed until the next Send. It means nothing where the device's Err is not
	// nil.
	Wait() []float32
}

// Gatherer is a Device with memory of its own, that can keep samples there and put minibatches together from them.
type Gatherer interface {
	Device
	// Free returns the bytes of memory that are not taken.
	Free() int64
	// Gather writes y_r = table_index[r]. table (N,size), y (rows,size), index (2*rows) as PutIndex lays it out.
	Gather(y, table, index Buffer, rows, size int)
	// Scatter writes table_index[r] = x_r, the index being without repeats. table (N,size), x (rows,size), index as for Gather.
	Scatter(table, x, index Buffer, rows, size int)
}

// PutIndex writes row numbers to dst, two elements each, as Gather and Scatter read them from a device's memory, where they have to
// start at an even element of what Alloc returned.
func PutIndex(dst []float32, index ...int64) {
	for i, v := range index {
		dst[2*i], dst[2*i+1] = math.Float32frombits(uint32(v)), math.Float32frombits(uint32(v>>32))
	}
}
