// Package device opens the device that --device names.
package device

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/kernel/cuda"
)

// Options say which device to open, and how.
type Options struct {
	Name      string           // as Names says; "" is auto
	Threads   int              // of the CPU; 0 takes every core
	Precision kernel.Precision // "" is float32
	// Note is told why auto does not take a card; it may be nil. A program that was built without CUDA has nothing to tell.
	Note func(why string)
}

// Names says how devices are named.
const Names = "auto, cpu, cuda (the first card), cuda:N or cuda:N,N,... (cards by number, from 0) or cuda:all"

// Check returns an error for a name that no machine has a device of.
func Check(name string) error {
	_, _, err := parse(name)
	return err
}

// parse returns the kind of device, auto, cpu or cuda, and which cards.
func parse(name string) (kind string, o cuda.Options, err error) {
	kind, cards, several := strings.Cut(name, ":")
	switch {
	case name == "":
		return "auto", o, nil
	case kind != "cuda" && several, kind != "auto" && kind != "cpu" && kind != "cuda":
		return "", o, fmt.Errorf("device %q: want %s", name, Names)
	case !several:
		return kind, o, nil
	case cards == "all":
		o.All = true
		return kind, o, nil
	}
	for number := range strings.SplitSeq(cards, ",") {
		card, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return "", o, fmt.Errorf("device %q: card %q: want %s", name, number, Names)
		}
		if slices.Contains(o.Cards, int(card)) {
			return "", o, fmt.Errorf("device %q: card %d is named twice", name, card)
		}
		o.Cards = append(o.Cards, int(card))
	}
	return kind, o, nil
}

// Open opens a device, which is a kernel.Group where it is several cards. The caller closes it.
func Open(o Options) (kernel.Device, error) {
	kind, cards, err := parse(o.Name)
	if err != nil {
		return nil, err
	}
	if kind == "cpu" {
		return openCPU(o)
	}
	cards.Precision = o.Precision
	d, err := cuda.New(cards)
	switch {
	case err == nil:
		return d, nil
	case kind == "cuda":
		return nil, fmt.Errorf("opening device %s: %w", o.Name, err)
	}
	if o.Note != nil && !errors.Is(err, cuda.ErrNotBuilt) {
		o.Note(fmt.Sprintf("device cuda: %v, using cpu", reason(err)))
	}
	return openCPU(o)
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
