//go:build !linux

package ffmpeg

// boundMemory does nothing: only Linux bounds the memory of a process that runs.
func boundMemory(int, int64) {}
