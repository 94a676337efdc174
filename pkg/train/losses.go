package train

import (
	"fmt"
	"math"

	"mmtools/pkg/kernel"
)

// losses sums up the losses of an epoch's steps. On a device with memory of its own they stay there for some steps: waiting for
// each would leave the device idle until the next.
type losses struct {
	device kernel.Device
	loss   kernel.Buffer   // of the last step
	keeper kernel.Gatherer // nil where each is read at once
	all    kernel.Buffer   // of the steps that are kept
	host   []float32
	rows   []int // of the steps that are kept
	step   int64 // the last one taken
	total  float64
}

// keptSteps is how many steps a failed one may be behind.
const keptSteps = 64

func newLosses(d kernel.Device, loss kernel.Buffer) (*losses, error) {
	l := &losses{device: d, loss: loss, host: make([]float32, keptSteps)}
	var ok bool
	if l.keeper, ok = d.(kernel.Gatherer); !ok {
		return l, nil
	}
	var err error
	l.all, err = d.Alloc(keptSteps)
	return l, err
}

// begin starts an epoch after the given step.
func (l *losses) begin(step int64) { l.step, l.total, l.rows = step, 0, l.rows[:0] }

// next says where keep keeps the loss of the next step.
func (l *losses) next(slot []float32) { kernel.PutIndex(slot, int64(len(l.rows))) }

// keep has the device keep the loss of the step that it computes.
func (l *losses) keep(slot kernel.Buffer) {
	if l.keeper != nil {
		l.keeper.Scatter(l.all, l.loss, slot, 1, 1)
	}
}

// take takes in the loss of the next step, a mean over rows rows.
func (l *losses) take(rows int) error {
	l.step++
	l.rows = append(l.rows, rows)
	if l.keeper == nil {
		return l.finish(l.loss)
	}
	if len(l.rows) == keptSteps {
		return l.finish(l.all)
	}
	return nil
}

// sum returns the sum over all rows.
func (l *losses) sum() (float64, error) {
	if len(l.rows) > 0 {
		if err := l.finish(l.all); err != nil {
			return 0, err
		}
	}
	return l.total, nil
}

// finish adds up what has been kept, in order.
func (l *losses) finish(from kernel.Buffer) error {
	n := len(l.rows)
	l.device.Download(l.host[:n], from)
	if err := l.device.Err(); err != nil {
		return err
	}
	for i, v := range l.host[:n] {
		loss := float64(v)
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("step %d: the loss is %v", l.step-int64(n-1-i), loss)
		}
		l.total += loss * float64(l.rows[i])
	}
	l.rows = l.rows[:0]
	return nil
}
