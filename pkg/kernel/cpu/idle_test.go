//go:build unix

package cpu

import (
	"syscall"
	"testing"
	"time"
)

// A device that waits must leave the cores to others.
func TestIdleDeviceSleeps(t *testing.T) {
	s := newStep(t, open(t, 4), 70, 96, 200, 7)
	s.run()
	time.Sleep(10 * time.Millisecond) // past the spinning
	before := processorTime(t)
	const wait = 300 * time.Millisecond
	time.Sleep(wait)
	if used := processorTime(t) - before; used > wait/4 {
		t.Errorf("an idle device used %v of processor in %v", used, wait)
	}
	s.run() // and it wakes up
}

func processorTime(t *testing.T) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
