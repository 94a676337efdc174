package network

import (
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/kernel"
)

// depth is how many minibatches a device is given that computes beside its caller: one to compute, and the next to come while it does.
const depth = 2

// line is what results that are sent together begin on a multiple of: 64 bytes.
const line = 16

// lines returns n rounded up to whole lines.
func lines(n int) int { return (n + line - 1) / line * line }

// outbox is the results of minibatches on their way from the device, the oldest first.
type outbox struct {
	parcels []kernel.Parcel // in turns
	turn    int             // the next to send
	waiting []int           // rows of those that are sent and not received
}

// newOutbox makes an outbox for results of up to n elements, without parcels where the device computes as it is asked.
func newOutbox(d kernel.Device, n int) (outbox, error) {
	var o outbox
	sender, ok := d.(kernel.Sender)
	if !ok {
		return o, nil
	}
	for range depth {
		parcel, err := sender.NewParcel(n)
		if err != nil {
			return o, err
		}
		o.parcels = append(o.parcels, parcel)
	}
	return o, nil
}

// room returns an error where no more may be sent before something is received.
func (o *outbox) room() error {
	if len(o.waiting) == max(1, len(o.parcels)) {
		return fmt.Errorf("queueing a minibatch: %d are waiting to be collected", len(o.waiting))
	}
	return nil
}

// send sends the first n elements of src, the result of a minibatch.
func (o *outbox) send(src kernel.Buffer, n, rows int) {
	if len(o.parcels) > 0 {
		o.parcels[o.turn].Send(src, n)
		o.turn = (o.turn + 1) % len(o.parcels)
	}
	o.waiting = append(o.waiting, rows)
}

// receive waits for what was sent first. There is nothing to look at where the device computes as it is asked.
func (o *outbox) receive() (result []float32, rows int, err error) {
	if len(o.waiting) == 0 {
		return nil, 0, errors.New("collecting a minibatch: none is queued")
	}
	if n := len(o.parcels); n > 0 {
		result = o.parcels[(o.turn+n-len(o.waiting))%n].Wait()
	}
	rows = o.waiting[0]
	o.waiting = slices.Delete(o.waiting, 0, 1)
	return result, rows, nil
}
