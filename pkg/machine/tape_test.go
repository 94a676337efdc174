package machine

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
)

// recorder stands for a device that records: it notes what is asked of it, and what it is told to repeat.
type recorder struct {
	kernel.Device
	log       []string
	recording *[]string
	refuses   bool
}

func (r *recorder) ask(what string) {
	if r.recording != nil {
		*r.recording = append(*r.recording, what)
		return
	}
	r.log = append(r.log, what)
}

func (r *recorder) Record(f func()) (kernel.Recording, error) {
	var asked []string
	r.recording = &asked
	f()
	r.recording = nil
	if r.refuses {
		return nil, errors.New("no room")
	}
	return replayed{r, asked}, nil
}

type replayed struct {
	r     *recorder
	asked []string
}

func (p replayed) Replay() {
	for _, what := range p.asked {
		p.r.log = append(p.r.log, what+" again")
	}
}

func TestTape(t *testing.T) {
	for _, test := range []struct {
		name    string
		refuses bool
		want    []string
	}{
		{"recorded", false, []string{"4a", "4a again", "3a", "4a again", "3a again", "4b", "4b again"}},
		{"refused", true, []string{"4a", "4a", "3a", "4a", "3a", "4b", "4b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &recorder{refuses: test.refuses}
			tape, suffix := NewTape(r), "a"
			f := func(rows int) { r.ask(fmt.Sprint(rows, suffix)) }
			for _, rows := range []int{4, 4, 3, 4, 3} {
				tape.Run(rows, f)
			}
			tape.Forget()
			suffix = "b"
			tape.Run(4, f)
			tape.Run(4, f)
			if !slices.Equal(r.log, test.want) {
				t.Errorf("ran %q, want %q", r.log, test.want)
			}
		})
	}
}

// More sizes than there is room for recordings run as they are.
func TestTapeIsBounded(t *testing.T) {
	r := &recorder{}
	tape := NewTape(r)
	for range 3 {
		for rows := range maxRecordings + 2 {
			tape.Run(rows, func(rows int) { r.ask(fmt.Sprint(rows)) })
		}
	}
	again := 0
	for _, what := range r.log {
		if len(what) > 2 {
			again++
		}
	}
	if again != 2*maxRecordings || len(r.log) != 3*(maxRecordings+2) {
		t.Errorf("%d of %d runs were replayed, want %d of %d", again, len(r.log), 2*maxRecordings, 3*(maxRecordings+2))
	}
}
