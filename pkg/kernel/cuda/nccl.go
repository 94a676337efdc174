//go:build mmcuda && cgo && linux

package cuda

/*
#include <stdlib.h>
#include "library.h"
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"
)

// nccl is NCCL, with a connection among the cards of a group.
type nccl struct {
	c    *C.mm_nccl
	name string
}

// openNCCL is openBLAS for NCCL: nil where there is none.
func openNCCL(cards []int) (*nccl, error) {
	numbers := make([]C.int, len(cards))
	for i, c := range cards {
		numbers[i] = C.int(c)
	}
	var message [512]C.char
	for _, file := range candidates(ncclEnvironment, "libnccl", 2) {
		path := C.CString(file)
		c := C.mm_nccl_open(path, &numbers[0], C.int(len(cards)), &message[0], C.size_t(len(message)))
		C.free(unsafe.Pointer(path))
		if c != nil {
			return &nccl{c, filepath.Base(file)}, nil
		}
		if os.Getenv(ncclEnvironment) != "" {
			return nil, fmt.Errorf("opening NCCL: %s", C.GoString(&message[0]))
		}
	}
	return nil, nil
}

func (l *nccl) close() {
	if l != nil {
		C.mm_nccl_close(l.c)
	}
}

// move queues moves on the compute streams of the cards.
func (l *nccl) move(all []move, cards []*Device) error {
	moves, streams := make([]C.mm_move, len(all)), make([]unsafe.Pointer, len(cards))
	for i, m := range all {
		moves[i] = C.mm_move{from: C.int(m.from), to: C.int(m.to), source: C.uint64_t(m.source), target: C.uint64_t(m.target), n: C.size_t(m.n)}
	}
	for i, d := range cards {
		streams[i] = pointer(d.compute)
	}
	if status := C.mm_nccl_move(l.c, &moves[0], C.int(len(moves)), &streams[0]); status != 0 {
		return fmt.Errorf("%s: status %d", l.name, int(status))
	}
	return nil
}
