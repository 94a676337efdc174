package ffmpeg

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A child that allocates without end fails, and takes no more than it may.
func TestChildrenAreBounded(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_DATA, nil, &limit); err != nil {
		t.Skip(err)
	}
	tools, f := fake(t, auHeader+`sleep 0.1; tail /dev/zero`) // which keeps the last line: all of it
	tools.Memory = 64 << 20
	_, err := sound(t, tools, f, Cut{}, 1000)
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v, want an error about memory", err)
	}
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &used); err != nil {
		t.Fatal(err)
	}
	if peak := used.Maxrss >> 10; peak > 500 {
		t.Errorf("a child took %d MiB", peak)
	}
}
