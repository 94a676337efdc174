// Package device opens the device that --device names.
package device

import (
	"fmt"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
)

// Open opens a device: cpu, cuda, or auto for the best that is there. threads is for the CPU; 0 takes every core.
// The caller closes it.
func Open(name string, threads int) (kernel.Device, error) {
	switch name {
	case "cpu", "auto", "":
		d, err := cpu.New(threads)
		if err != nil {
			return nil, fmt.Errorf("opening device cpu: %w", err)
		}
		return d, nil
	case "cuda":
		return nil, fmt.Errorf("opening device cuda: this program was built without CUDA")
	default:
		return nil, fmt.Errorf("device %q: want auto, cpu or cuda", name)
	}
}
