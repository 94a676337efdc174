//go:build mmcuda && cgo && linux

package driver

/*
#include "lazy.h"

static CUresult explain(const char *ptx, char *log, size_t size) {
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)size};
	CUmodule module;
	CUresult result = cuModuleLoadDataEx(&module, ptx, 2, options, values);
	if (result == CUDA_SUCCESS) cuModuleUnload(module);
	return result;
}
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// What gorgonia.org/cu does not offer: pinned memory, the capture of a stream, and what the driver's compiler says. A stream is given as cu.Stream.C does.

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

// Explain returns what the driver's compiler says of PTX that it has refused; nothing where it says nothing.
func Explain(ptx string) string {
	text := C.CString(ptx)
	defer C.free(unsafe.Pointer(text))
	var log [2048]C.char
	if C.explain(text, &log[0], C.size_t(len(log)-1)) == C.CUDA_SUCCESS {
		return ""
	}
	return strings.TrimSpace(C.GoString(&log[0]))
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
