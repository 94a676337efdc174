//go:build mmcuda && cgo && linux

package driver

/*
#include "lazy.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// What gorgonia.org/cu does not offer: pinned memory and the capture of a stream. A stream is given as cu.Stream.C does.

func result(doing string, r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	var text *C.char
	if C.cuGetErrorString(r, &text) == C.CUDA_SUCCESS && text != nil {
		return fmt.Errorf("%s: %s (CUDA error %d)", doing, C.GoString(text), int(r))
	}
	return fmt.Errorf("%s: CUDA error %d", doing, int(r))
}

// Pinned allocates n float32 of host memory that a card can read while the processor goes on.
func Pinned(n int) ([]float32, error) {
	var p unsafe.Pointer
	if err := result("allocating pinned memory", C.cuMemAllocHost(&p, C.size_t(4*n))); err != nil {
		return nil, err
	}
	return unsafe.Slice((*float32)(p), n), nil
}

// Unpin frees what Pinned gave.
func Unpin(p []float32) error {
	return result("freeing pinned memory", C.cuMemFreeHost(unsafe.Pointer(unsafe.SliceData(p))))
}

// BeginCapture makes a stream record what it is given instead of running it.
func BeginCapture(stream unsafe.Pointer) error {
	return result("beginning a capture", C.cuStreamBeginCapture(C.CUstream(stream), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
}

// EndCapture returns what a stream has recorded, ready to be launched.
func EndCapture(stream unsafe.Pointer) (Graph, error) {
	var graph C.CUgraph
	if err := result("ending a capture", C.cuStreamEndCapture(C.CUstream(stream), &graph)); err != nil {
		return Graph{}, err
	}
	defer C.cuGraphDestroy(graph)
	var g Graph
	if err := result("preparing a graph", C.cuGraphInstantiateWithFlags(&g.exec, graph, 0)); err != nil {
		return Graph{}, err
	}
	return g, nil
}

// Graph is a recording.
type Graph struct{ exec C.CUgraphExec }

// Launch queues the recording on a stream.
func (g Graph) Launch(stream unsafe.Pointer) error {
	return result("launching a graph", C.cuGraphLaunch(g.exec, C.CUstream(stream)))
}

// Close frees the recording.
func (g Graph) Close() error { return result("freeing a graph", C.cuGraphExecDestroy(g.exec)) }
