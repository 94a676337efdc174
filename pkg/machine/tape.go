package machine

import "mmtools/pkg/kernel"

// Tape is what a device is told again and again for so many rows: on a kernel.Recorder it is recorded the second time, and replayed
// from then on.
type Tape struct {
	recorder   kernel.Recorder          // nil where the device is none
	recordings map[int]kernel.Recording // by rows; nil where they have run once
}

// maxRecordings bounds the recordings of a tape. A run of minibatches has two sizes: all but the last, and the last.
const maxRecordings = 8

// NewTape makes an empty tape.
func NewTape(d kernel.Device) *Tape {
	t := new(Tape)
	if r, ok := d.(kernel.Recorder); ok {
		t.recorder, t.recordings = r, map[int]kernel.Recording{}
	}
	return t
}

// Run calls f, which asks the device for kernels, or has it repeat what f asked for when it was called for as many rows before. f is as
// for kernel.Recorder, and asks for the same kernels on the same buffers each time.
func (t *Tape) Run(rows int, f func(rows int)) {
	if t.recorder == nil || !t.replay(rows, f) {
		f(rows)
	}
}

// Forget has the next runs ask for other kernels, or on other buffers.
func (t *Tape) Forget() { clear(t.recordings) }

// replay runs the recording for rows, which it makes when they are run the second time, and reports whether there is one.
func (t *Tape) replay(rows int, f func(rows int)) bool {
	r, ran := t.recordings[rows]
	if r == nil {
		if !ran {
			if len(t.recordings) < maxRecordings {
				t.recordings[rows] = nil
			}
			return false
		}
		var err error
		if r, err = t.recorder.Record(func() { f(rows) }); err != nil {
			t.recorder = nil // it goes on as it went so far
			return false
		}
		t.recordings[rows] = r
	}
	r.Replay()
	return true
}
