package ffmpeg

import "golang.org/x/sys/unix"

// boundMemory bounds what a child, which has just started, and all that it starts may allocate each. A kernel that does not know how, or
// forbids it, leaves the bounds on pictures and formats.
func boundMemory(pid int, bytes int64) {
	_ = unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}, nil)
}
