//go:build mmcuda && cgo && linux

package driver

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl
#include "lazy.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"
)

// Environment is the variable that may name another file to open as the driver.
const Environment = "MM_CUDA_DRIVER"

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
		return fmt.Errorf("no driver: %s", C.GoString(&message[0]))
	case result == C.CUDA_ERROR_NO_DEVICE:
		return fmt.Errorf("the driver finds no card")
	default:
		return fmt.Errorf("starting the driver: CUDA error %d", int(result))
	}
}
