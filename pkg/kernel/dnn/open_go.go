//go:build !(dnnl && cgo && linux)

package dnn

import "errors"

// Open starts the engine that this program was built with: the one in Go. It knows no bfloat16.
func Open(o Options) (Engine, error) { return NewPlain(o) }

// CheckBF16 returns an error that tells why convolutions cannot run in bfloat16.
func CheckBF16() error { return errors.New("this program was built without oneDNN") }
