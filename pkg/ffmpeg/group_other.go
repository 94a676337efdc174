//go:build !unix

package ffmpeg

import "os/exec"

// ownGroup leaves the child to exec's own way: there are no process groups here.
func ownGroup(*exec.Cmd) {}
