// Package device opens the device that --device names.
package device

import (
	"errors"
	"fmt"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/kernel/cuda"
)

// Options say which device to open, and how.
type Options struct {
	Name      string           // cpu, cuda, or auto and "" for the best that is there
	Threads   int              // of the CPU; 0 takes every core
	Precision kernel.Precision // "" is float32
	// Note is told why auto does not take a card; it may be nil. A program that was built without CUDA has nothing to tell.
	Note func(why string)
}

// Open opens a device. The caller closes it.
func Open(o Options) (kernel.Device, error) {
	switch o.Name {
	case "cpu":
		return openCPU(o)
	case "cuda":
		d, err := cuda.New(cuda.Options{Precision: o.Precision})
		if err != nil {
			return nil, fmt.Errorf("opening device cuda: %w", err)
		}
		return d, nil
	case "auto", "":
		d, err := cuda.New(cuda.Options{Precision: o.Precision})
		if err == nil {
			return d, nil
		}
		if o.Note != nil && !errors.Is(err, cuda.ErrNotBuilt) {
			o.Note(fmt.Sprintf("device cuda: %v, using cpu", reason(err)))
		}
		return openCPU(o)
	default:
		return nil, fmt.Errorf("device %q: want auto, cpu or cuda", o.Name)
	}
}

func openCPU(o Options) (kernel.Device, error) {
	d, err := cpu.Open(cpu.Options{Threads: o.Threads, Precision: o.Precision})
	if err != nil {
		return nil, fmt.Errorf("opening device cpu: %w", err)
	}
	return d, nil
}

// reason is the part of an error that says what is missing, where that is all there is to say.
func reason(err error) error {
	for _, known := range []error{cuda.ErrNoDriver, cuda.ErrNoCard} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}
