//go:build !cgo

package onnx

var errNoCgo = libraryError{"this program was built without cgo", "build it with CGO_ENABLED=1 and a C compiler"}

func inspect(string, Options) (inputs, outputs []Port, err error) { return nil, nil, errNoCgo }

func load(string, Options, []bound, *bound) (session, error) { return nil, errNoCgo }
