package network

import (
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
)

// whole has a device compute the logits of every coalition of a minibatch, one after the other and asked for once, on a device that
// computes beside its caller.
type whole struct {
	masks        kernel.Buffer // (2^n,maskStride), of which (rows,n) are in use
	host         []float32     // the same
	logits       kernel.Buffer // (2^n,logitsStride), of which (rows,C) are in use
	maskStride   int
	logitsStride int
	tape         *machine.Tape
	coalitions   int
	outbox       outbox
}

// A minibatch of more coalitions keeps a device busy without being queued, or takes too much memory for its logits.
const (
	mostQueued      = 1 << 6  // coalitions
	mostQueuedBytes = 1 << 26 // of their logits
)

// newWhole returns nil where minibatches are better loaded, and asked for a coalition at a time.
func newWhole(e *jointEvaluator, rows int) (*whole, error) {
	n, classes := len(e.spec.Modalities), len(e.spec.Classes)
	w := &whole{coalitions: 1 << min(n, 30), maskStride: lines(rows * n), logitsStride: lines(rows * classes)}
	if _, ok := e.device.(kernel.Sender); !ok || w.coalitions > mostQueued || 4*w.coalitions*w.logitsStride > mostQueuedBytes {
		return nil, nil
	}
	var err error
	if w.masks, err = e.device.Alloc(w.coalitions * w.maskStride); err != nil {
		return nil, err
	}
	if w.logits, err = e.device.Alloc(w.coalitions * w.logitsStride); err != nil {
		return nil, err
	}
	if w.outbox, err = newOutbox(e.device, w.coalitions*w.logitsStride); err != nil {
		return nil, err
	}
	w.host, w.tape = make([]float32, w.coalitions*w.maskStride), machine.NewTape(e.device)
	return w, nil
}

// Depth returns how many minibatches may be queued and not collected; 0 where they are better loaded.
func (e *jointEvaluator) Depth() int {
	if e.whole == nil {
		return 0
	}
	return len(e.whole.outbox.parcels)
}

// Queue is Load, and asks for the logits of every coalition. It does not wait for the device.
func (e *jointEvaluator) Queue(b *Minibatch) error {
	w := e.whole
	if err := w.outbox.room(); err != nil {
		return err
	}
	if err := e.Load(b); err != nil {
		return err
	}
	n := len(e.spec.Modalities)
	for c := range w.coalitions {
		e.keptIn(w.host[c*w.maskStride:][:b.Rows*n], modality.Coalition(c))
	}
	e.device.Upload(w.masks, w.host)
	w.tape.Run(b.Rows, e.queueAll)
	w.outbox.send(w.logits, (w.coalitions-1)*w.logitsStride+b.Rows*len(e.spec.Classes), b.Rows)
	return e.device.Err()
}

// queueAll asks the device for every coalition of the minibatch.
func (e *jointEvaluator) queueAll(rows int) {
	w, n, classes := e.whole, len(e.spec.Modalities), len(e.spec.Classes)
	for c := range w.coalitions {
		e.device.Copy(e.mask, w.masks.Slice(c*w.maskStride, (c+1)*w.maskStride), rows*n)
		e.masked.Queue(rows)
		e.device.Copy(w.logits.Slice(c*w.logitsStride, (c+1)*w.logitsStride), e.logits, rows*classes)
	}
}

// CollectLogits waits for the minibatch that was queued first, and writes the logits of its coalitions, (2^n,Rows,C).
func (e *jointEvaluator) CollectLogits(logits []float32) error {
	from, rows, err := e.whole.outbox.receive()
	if err != nil {
		return err
	}
	size := rows * len(e.spec.Classes)
	for c := range e.whole.coalitions {
		copy(logits[c*size:][:size], from[c*e.whole.logitsStride:])
	}
	return e.device.Err()
}
