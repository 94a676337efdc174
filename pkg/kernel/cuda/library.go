//go:build mmcuda && cgo && linux

package cuda

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "library.h"
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// Environment variables that name another file to open as a library, or "none" to do without it.
const (
	blasEnvironment = "MM_CUDA_BLAS"
	ltEnvironment   = "MM_CUDA_BLASLT"
	dnnEnvironment  = "MM_CUDA_DNN"
	ncclEnvironment = "MM_CUDA_NCCL"
)

// algorithmsEnvironment has cuDNN use one algorithm for each direction of all convolutions, where it is "usual".
const algorithmsEnvironment = "MM_CUDA_ALGORITHMS"

// candidates are the files to try for a library, the newest first.
func candidates(environment, library string, versions ...int) []string {
	switch path := os.Getenv(environment); path {
	case "":
	case "none":
		return nil
	default:
		return []string{path}
	}
	var all []string
	for _, v := range versions {
		all = append(all, fmt.Sprintf("%s.so.%d", library, v))
	}
	return all
}

func (d *Device) precisionCode() C.int { return C.int(max(0, slices.Index(precisions, d.precision))) }

// blas is cuBLAS.
type blas struct {
	c    *C.mm_blas
	file string
	name string
}

// openBLAS opens the newest cuBLAS that is there; nil where there is none. A file that MM_CUDA_BLAS names must be one.
func openBLAS(d *Device) (*blas, error) {
	files := candidates(blasEnvironment, "libcublas", 13, 12, 11)
	if len(files) == 0 {
		return nil, nil
	}
	for _, l := range d.lanes {
		var err error
		if l.products, err = d.allocRoom(blasWorkspace); err != nil {
			return nil, err
		}
	}
	var message [512]C.char
	for _, file := range files {
		path := C.CString(file)
		c := C.mm_blas_open(path, d.precisionCode(), &message[0], C.size_t(len(message)))
		C.free(unsafe.Pointer(path))
		if c != nil {
			b := &blas{c, file, filepath.Base(file)}
			return b, b.use(d.lane)
		}
	}
	if os.Getenv(blasEnvironment) != "" {
		return nil, fmt.Errorf("opening cuBLAS: %s", C.GoString(&message[0]))
	}
	return nil, nil
}

// blasWorkspace is what NVIDIA recommends for cards of capability 9.0: 32 MiB.
const blasWorkspace = 8 << 20

func (b *blas) close() {
	if b != nil {
		C.mm_blas_close(b.c)
	}
}

// use has the library work in a lane.
func (b *blas) use(l *lane) error {
	if b == nil {
		return nil
	}
	if status := C.mm_blas_use(b.c, pointer(l.stream), C.uint64_t(l.products.p), C.size_t(4*l.products.n)); status != 0 {
		return statusError{b.name, int(status)}
	}
	return nil
}

func (b *blas) multiply(transA, transB bool, m, n, k int, a cu.DevicePtr, lda int, bb cu.DevicePtr, ldb int, c cu.DevicePtr, ldc int) error {
	status := C.mm_blas_multiply(b.c, C.int(flag(transA)), C.int(flag(transB)), C.int(m), C.int(n), C.int(k),
		C.uint64_t(a), C.int(lda), C.uint64_t(bb), C.int(ldb), C.uint64_t(c), C.int(ldc))
	if status != 0 {
		return fmt.Errorf("%s: status %d", b.name, int(status))
	}
	return nil
}

// dnn is cuDNN, with the convolutions that were asked for so far.
type dnn struct {
	d       *Device
	c       *C.mm_dnn
	name    string
	plans   map[planKey]plan
	refused map[planKey]bool // what the library does not do
}

// planKey is a convolution's pass, and whether its operands lie channels last, as Device.words says, or are (N,C,H,W) in float32.
type planKey struct {
	pass kernel.Pass
	n    int
	conv kernel.Conv
	last bool
}

type plan struct {
	c    *C.mm_plan
	size C.size_t // of the workspace, bytes
}

// statusError is what a library says.
type statusError struct {
	name   string
	status int
}

func (e statusError) Error() string { return fmt.Sprintf("%s: status %d", e.name, e.status) }

// unsupported tells whether cuDNN says that it does not do what it was asked for.
func (e statusError) unsupported() bool { return C.mm_dnn_unsupported(C.int(e.status)) != 0 }

// openDNN is openBLAS for cuDNN.
func openDNN(d *Device) (*dnn, error) {
	choose := os.Getenv(algorithmsEnvironment) == ""
	if v := os.Getenv(algorithmsEnvironment); !choose && v != "usual" {
		return nil, fmt.Errorf("%s is %q: want usual, or nothing", algorithmsEnvironment, v)
	}
	var message [512]C.char
	for _, file := range candidates(dnnEnvironment, "libcudnn", 9, 8) {
		path := C.CString(file)
		c := C.mm_dnn_open(path, d.precisionCode(), C.int(flag(choose)), &message[0], C.size_t(len(message)))
		C.free(unsafe.Pointer(path))
		if c != nil {
			l := &dnn{d: d, c: c, name: filepath.Base(file), plans: map[planKey]plan{}, refused: map[planKey]bool{}}
			return l, l.use(d.lane)
		}
	}
	if path := os.Getenv(dnnEnvironment); path != "" && path != "none" {
		return nil, fmt.Errorf("opening cuDNN: %s", C.GoString(&message[0]))
	}
	return nil, nil
}

func (l *dnn) close() {
	if l == nil {
		return
	}
	for _, p := range l.plans {
		C.mm_dnn_forget(l.c, p.c)
	}
	C.mm_dnn_close(l.c)
}

// use has the library work in a lane.
func (l *dnn) use(in *lane) error {
	if l == nil {
		return nil
	}
	if status := C.mm_dnn_use(l.c, pointer(in.stream)); status != 0 {
		return statusError{l.name, int(status)}
	}
	return nil
}

// key returns how a convolution is to run: channels last where maps lie so and the library does that.
func (l *dnn) key(r kernel.ConvRun) planKey {
	key := planKey{r.Pass, r.N, r.Conv, l.d.isLast(r.Conv.In) || l.d.isLast(r.Conv.Out())}
	key.last = key.last && l.does(key)
	return key
}

// does reports whether the library does what a key says. What it does in neither layout, own kernels do.
func (l *dnn) does(key planKey) bool {
	if !l.refused[key] {
		_, err := l.plan(key)
		l.refused[key] = err != nil
	}
	return !l.refused[key]
}

// settle goes over from an algorithm that the library had chosen, and then did not do, to the usual one, and reports whether it does that.
func (l *dnn) settle(key planKey) bool {
	p, ok := l.plans[key]
	if !ok || C.mm_dnn_settle(l.c, p.c, &p.size) == 0 {
		return false
	}
	l.plans[key] = p
	return true
}

// refusals counts the passes of convolutions that the library does not do in a layout.
func (l *dnn) refusals(last bool) (n int) {
	for key, refused := range l.refused {
		if refused && key.last == last {
			n++
		}
	}
	return n
}

// chosen counts the passes of convolutions for which cuDNN expects more of another algorithm than the usual one, of all that are planned.
func (l *dnn) chosen() (n, all int) {
	for _, p := range l.plans {
		all++
		if C.mm_dnn_usual(p.c) == 0 {
			n++
		}
	}
	return n, all
}

// plan returns one pass of a convolution, prepared.
func (l *dnn) plan(key planKey) (plan, error) {
	if p, ok := l.plans[key]; ok {
		return p, nil
	}
	p, err := l.prepare(key)
	if err != nil {
		return plan{}, err
	}
	l.plans[key] = p
	return p, nil
}

// room sees to a lane's workspace of at least so many bytes. One that is too small stays: recordings may name it.
func (l *dnn) room(in *lane, bytes int64) error {
	want := int((bytes + 3) / 4)
	if want <= in.workspace.n {
		return nil
	}
	w, err := l.d.allocRoom(want)
	if err == nil {
		in.workspace = w
	}
	return err
}

// needs returns the bytes that the library works in for runs.
func (l *dnn) needs(runs []kernel.ConvRun) int64 {
	most := int64(0)
	for _, r := range runs {
		if key := l.key(r); l.does(key) {
			most = max(most, int64(l.plans[key].size))
		}
	}
	return most
}

// prepare asks the library for a plan.
func (l *dnn) prepare(key planKey) (plan, error) {
	n, c := key.n, key.conv
	out := c.Out()
	conv := C.mm_conv{n: C.int(n), c: C.int(c.In.C), h: C.int(c.In.H), w: C.int(c.In.W), k: C.int(c.K), kh: C.int(c.KH), kw: C.int(c.KW),
		stride_h: C.int(c.StrideH), stride_w: C.int(c.StrideW), pad_h: C.int(c.PadH), pad_w: C.int(c.PadW), oh: C.int(out.H), ow: C.int(out.W)}
	directions := [...]C.int{kernel.ConvForward: C.MM_FORWARD, kernel.ConvBackInput: C.MM_GRAD_INPUT, kernel.ConvBackWeight: C.MM_GRAD_WEIGHT}
	layout := C.int(C.MM_PLAIN)
	switch {
	case key.last && l.d.Narrow():
		layout = C.MM_LAST_NARROW
	case key.last:
		layout = C.MM_LAST
	}
	var p plan
	var message [128]C.char
	if p.c = C.mm_dnn_plan(l.c, directions[key.pass], &conv, layout, &p.size, &message[0], C.size_t(len(message))); p.c == nil {
		return plan{}, fmt.Errorf("%s: preparing %+v: %s", l.name, c, C.GoString(&message[0]))
	}
	return p, nil
}

// run runs a plan on operands that lie as it says, and sees to its workspace.
func (l *dnn) run(key planKey, x, w, y cu.DevicePtr) error {
	p, err := l.plan(key)
	if err == nil {
		err = l.room(l.d.lane, int64(p.size))
	}
	if err != nil {
		return err
	}
	if s := C.mm_dnn_run(l.c, p.c, C.uint64_t(x), C.uint64_t(w), C.uint64_t(y), C.uint64_t(l.d.workspace.p), p.size); s != 0 {
		return statusError{l.name, int(s)}
	}
	return nil
}
