package kernel

import (
	"errors"
	"fmt"
)

// Meter is a Device that computes nothing and holds nothing: it counts the memory that is asked of it. Only what sets a model
// up runs on it: Alloc, Upload, FoldNorm, Reserve.
type Meter struct {
	Device            // nil
	Bytes     int64   // allocated so far
	Like      Device  // that tells how maps are kept, and what convolutions work in; nil for nothing
	workspace []int64 // of Bytes, by lane
}

// Name returns "meter".
func (m *Meter) Name() string { return "meter" }

// Alloc counts n elements.
func (m *Meter) Alloc(n int) (Buffer, error) {
	m.Bytes += 4 * int64(n)
	return metered(n), nil
}

// Upload does nothing.
func (m *Meter) Upload(Buffer, []float32) {}

// FoldNorm does nothing.
func (m *Meter) FoldNorm(scale, shift Buffer, p Norm, c int, s NormStep) {}

// Workspace returns what Like needs.
func (m *Meter) Workspace(runs []ConvRun) ([]int64, error) {
	if like, ok := m.Like.(Workspacer); ok {
		return like.Workspace(runs)
	}
	return nil, nil
}

// Reserve counts what the runs need more than those before: all share it.
func (m *Meter) Reserve(runs []ConvRun) error {
	all, err := m.Workspace(runs)
	for lane, bytes := range all {
		if lane == len(m.workspace) {
			m.workspace = append(m.workspace, 0)
		}
		if more := bytes - m.workspace[lane]; more > 0 {
			m.Bytes, m.workspace[lane] = m.Bytes+more, bytes
		}
	}
	return err
}

// Narrow is Like's.
func (m *Meter) Narrow() bool {
	like, ok := m.Like.(Narrower)
	return ok && like.Narrow()
}

// Lanes returns Like's, for which a program plans more memory.
func (m *Meter) Lanes() int {
	if like, ok := m.Like.(Laner); ok {
		return like.Lanes()
	}
	return 1
}

// Lane does nothing.
func (m *Meter) Lane(int) {}

// Mark does nothing.
func (m *Meter) Mark(int) {}

// Wait does nothing.
func (m *Meter) Wait(int) {}

// AddMaps does nothing.
func (m *Meter) AddMaps(y, a, b Buffer, n int) {}

// ReLUGradMaps does nothing.
func (m *Meter) ReLUGradMaps(dx, dy, y Buffer, n int) {}

// Err returns nil.
func (m *Meter) Err() error { return nil }

// Close returns nil.
func (m *Meter) Close() error { return nil }

// metered is a buffer of so many elements, and of no memory.
type metered int

func (b metered) Len() int                  { return int(b) }
func (b metered) Slice(from, to int) Buffer { return metered(to - from) }

// Fits explains a MemoryError of d further: it finds the largest minibatch, of fewer than rows rows, for which setUp allocates no
// more than the free bytes that there were. Other errors, and nil, are returned as they are.
func Fits(err error, d Device, free int64, rows int, setUp func(d Device, rows int) error) error {
	var memory *MemoryError
	if !errors.As(err, &memory) {
		return err
	}
	low, high := 0, rows // low fits, high does not
	for high-low > 1 {
		middle := low + (high-low)/2
		m := Meter{Like: Devices(d)[0]}
		if setUp(&m, middle) == nil && m.Bytes <= free {
			low = middle
		} else {
			high = middle
		}
	}
	if low == 0 {
		return fmt.Errorf("%w; not even a minibatch of one row fits", err)
	}
	return fmt.Errorf("%w; the largest minibatch that fits has %d rows", err, low)
}
