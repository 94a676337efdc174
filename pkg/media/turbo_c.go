//go:build cgo && linux && (openblas || dnnl)

package media

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl -lpthread
#include <stdlib.h>
#include "turbo.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// turbo is a decompressor of libjpeg-turbo.
type turbo struct {
	c       *C.mt_turbo
	message [256]byte
	cleanup runtime.Cleanup
}

// openTurbo opens the library, unless MM_JPEG=go asks for image/jpeg.
func openTurbo() (*turbo, error) {
	if os.Getenv("MM_JPEG") == "go" {
		return nil, fmt.Errorf("MM_JPEG=go asks for it")
	}
	t := &turbo{}
	if t.c = C.mt_open(t.text(), C.size_t(len(t.message))); t.c == nil {
		return nil, fmt.Errorf("opening libjpeg-turbo: %s (Debian: apt-get install libturbojpeg0)", C.GoString(t.text()))
	}
	t.cleanup = runtime.AddCleanup(t, func(c *C.mt_turbo) { C.mt_close(c) }, t.c)
	return t, nil
}

func (t *turbo) text() *C.char { return (*C.char)(unsafe.Pointer(&t.message[0])) }

func (t *turbo) close() {
	if t.c != nil {
		t.cleanup.Stop()
		C.mt_close(t.c)
		t.c = nil
	}
}

// decode writes f.height by f.width pixels of f.components: grey, colours, or four inks as they are stored.
func (t *turbo) decode(dst, file []byte, f jpegFrame) error {
	if len(dst) != f.height*f.width*f.components {
		panic("media: the picture does not fill its memory")
	}
	ok := C.mt_decode(t.c, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(dst))), C.int(f.width), C.int(f.height), C.int(f.components),
		(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(file))), C.size_t(len(file)), t.text(), C.size_t(len(t.message)))
	runtime.KeepAlive(t)
	if ok == 0 {
		return fmt.Errorf("libjpeg-turbo: %s", C.GoString(t.text()))
	}
	return nil
}
