//go:build dnnl && cgo && linux

package dnn

// Open starts the engine that this program was built with: oneDNN. It is an error that the library is not on this machine.
func Open(o Options) (Engine, error) { return newNative(o) }
