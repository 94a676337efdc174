//go:build mmcuda && cgo && linux

package driver

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl
#include "lazy.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"
)

// Environment is the variable that may name another file to open as the driver.
const Environment = "MM_CUDA_DRIVER"

// ErrMissing is why Open fails where there is no driver, ErrNoCard where the driver finds no card.
var (
	ErrMissing = errors.New("missing")
	ErrNoCard  = errors.New("the driver finds no card")
)

// missing is an ErrMissing that says in the linker's words what is missing.
type missing string

func (m missing) Error() string        { return string(m) }
func (m missing) Is(target error) bool { return target == ErrMissing }

var opening struct {
	sync.Once
	err error
}

// Open opens and starts the driver. It does so once: later calls return what the first did.
func Open() error {
	opening.Do(func() { opening.err = open() })
	return opening.err
}

func open() error {
	path := os.Getenv(Environment)
	if path == "" {
		path = "libcuda.so.1"
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var message [512]C.char
	result := C.mm_driver_open(name, &message[0], C.size_t(len(message)))
	switch {
	case result == C.CUDA_SUCCESS:
		return nil
	case message[0] != 0:
		return missing(C.GoString(&message[0]))
	case result == C.CUDA_ERROR_NO_DEVICE:
		return ErrNoCard
	default:
		return fmt.Errorf("starting the driver: CUDA error %d", int(result))
	}
}
