// Package device opens the device that --device names.
package device

import (
	"fmt"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
)

// Options say which device to open, and how.
type Options struct {
	Name      string           // cpu, cuda, or auto and "" for the best that is there
	Threads   int              // of the CPU; 0 takes every core
	Precision kernel.Precision // "" is float32
}

// Open opens a device. The caller closes it.
func Open(o Options) (kernel.Device, error) {
	switch o.Name {
	case "cpu", "auto", "":
		d, err := cpu.Open(cpu.Options{Threads: o.Threads, Precision: o.Precision})
		if err != nil {
			return nil, fmt.Errorf("opening device cpu: %w", err)
		}
		return d, nil
	case "cuda":
		return nil, fmt.Errorf("opening device cuda: this program was built without CUDA")
	default:
		return nil, fmt.Errorf("device %q: want auto, cpu or cuda", o.Name)
	}
}
