//go:build !(dnnl && cgo && linux)

package dnn

// Open starts the engine that this program was built with: the one in Go.
func Open(o Options) (Engine, error) { return NewPlain(o) }
