package machine

import (
	"slices"
	"time"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// Timing is what one operation of a program took.
type Timing struct {
	Op      op.Op
	Elapsed time.Duration
	Bytes   int64   // read and written at least: the values that it takes and gives, once each
	Flops   float64 // by the definition of what it computes; 0 where that is not its measure
}

// Profile runs the program on a whole minibatch, Rows rows, and times every operation: by the clock on a device that runs them as they
// are called, as the CPU does, else as the device tells, which runs each several times, so that the results are to be thrown away.
func (m *Machine) Profile() ([]Timing, error) {
	all := make([]Timing, len(m.program))
	for i := range m.program {
		in := &m.program[i]
		t := Timing{Op: in.op, Bytes: int64(4 * in.out.Len())}
		var unread []int
		if o, ok := in.op.(op.Orderer); ok {
			unread = o.OrderOnly()
		}
		for k, b := range in.in {
			if !slices.Contains(unread, k) {
				t.Bytes += int64(4 * b.Len())
			}
		}
		if o, ok := in.op.(op.Counter); ok {
			t.Flops = o.Flops(m.rows)
		}
		var err error
		if t.Elapsed, err = Elapsed(m.device, func() { in.op.Run(m.device, m.rows, in.out, in.in) }); err != nil {
			return nil, err
		}
		all[i] = t
	}
	return all, nil
}

// Elapsed returns how long a device takes for what f asks of it.
func Elapsed(d kernel.Device, f func()) (time.Duration, error) {
	if timer, ok := d.(kernel.Timer); ok {
		return timer.Time(f)
	}
	start := time.Now()
	f()
	return time.Since(start), nil
}
