package ffmpeg

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// pipes are what a child writes to: ins is its side, outs is ours.
type pipes struct{ ins, outs []*os.File }

func openPipes(n int) (*pipes, error) {
	p := &pipes{}
	for range n {
		out, in, err := os.Pipe()
		if err != nil {
			return p, err
		}
		p.ins, p.outs = append(p.ins, in), append(p.outs, out)
	}
	return p, nil
}

func (p *pipes) closeIns() {
	for _, in := range p.ins {
		in.Close()
	}
}

func (p *pipes) closeOuts() {
	for _, out := range p.outs {
		out.Close()
	}
}

func (p *pipes) close() {
	p.closeIns()
	p.closeOuts()
}

// read hands the pipes to as many functions, which run side by side where there are several: a child that cannot write to one pipe writes to
// none. It returns the first error that is more than an early end; that one calls stop, for the child may still want to write.
func (p *pipes) read(reads []func(io.Reader) error, stop func()) error {
	if len(reads) == 1 { // on the caller's goroutine
		err := reads[0](p.outs[0])
		if err != nil && !isShort(err) {
			stop()
		}
		return err
	}
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for i, read := range reads {
		group.Go(func() {
			err := safely(read, p.outs[i])
			mu.Lock()
			defer mu.Unlock()
			if err == nil || first != nil && !isShort(first) {
				return
			}
			if first == nil || !isShort(err) {
				first = err
			}
			if !isShort(err) {
				stop()
			}
		})
	}
	group.Wait()
	return first
}

// safely makes an error of a panic, which would end the process on a goroutine that the caller cannot recover.
func safely(read func(io.Reader) error, r io.Reader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading ffmpeg's output: %v", p)
		}
	}()
	return read(r)
}
