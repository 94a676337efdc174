//go:build !(mmcuda && cgo && linux)

package cuda

import "mmtools/pkg/kernel"

// New opens a card. This program was built without CUDA: the error is ErrNotBuilt.
func New(o Options) (kernel.Device, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return nil, ErrNotBuilt
}
