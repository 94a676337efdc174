package train

import (
	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
)

// pack is the small parts of a minibatch, and what else changes from step to step, in one run of a device's memory: one upload puts all
// of them there.
type pack struct {
	device kernel.Device
	memory kernel.Buffer
	host   []float32 // the memory itself where the host shares it
	shared bool
	size   int

	rates                     section // of the optimizer's spans, kernel.RateCount each
	slot                      section // where the step's loss is kept, as kernel.PutIndex writes it
	index                     section // of the samples that stay on the device, likewise
	keep, label, weight, drop section
}

// section is a part of a pack.
type section struct{ from, size, width int } // size elements, width to a row: 0 where there are no rows

// newPack makes the pack of a program's inputs, for steps with so many spans, or for predictions, of up to rows rows.
func newPack(d kernel.Device, g *network.Graph, spans, rows int) (*pack, error) {
	k := &pack{device: d}
	k.index = k.add(2*rows, 2)
	k.keep = k.add(rows*g.Keep.Shape()[1], g.Keep.Shape()[1])
	if spans > 0 {
		k.slot = k.add(2, 0)
		k.rates = k.add(spans*kernel.RateCount, 0)
		k.label, k.weight = k.add(rows, 1), k.add(rows, 1)
		if g.Drop != nil {
			k.drop = k.add(rows*g.Drop.Shape()[1], g.Drop.Shape()[1])
		}
	}
	var err error
	if k.memory, err = d.Alloc(k.size); err != nil {
		return nil, err
	}
	if m, ok := k.memory.(kernel.Shared); ok {
		k.host, k.shared = m.Host(), true
	} else {
		k.host = make([]float32, k.size)
	}
	return k, nil
}

// packAlign keeps sections on a cache line of the card's, and of the processor's.
const packAlign = 64

func (k *pack) add(size, width int) section {
	s := section{from: k.size, size: size, width: width}
	k.size += (size + packAlign - 1) / packAlign * packAlign
	return s
}

// bind has a program's inputs lie in the pack.
func (k *pack) bind(g *network.Graph, bound map[*gorgonia.Node]kernel.Buffer) {
	bound[g.Keep] = k.buffer(k.keep)
	if k.label.size > 0 {
		bound[g.Label], bound[g.Weight] = k.buffer(k.label), k.buffer(k.weight)
	}
	if k.drop.size > 0 {
		bound[g.Drop] = k.buffer(k.drop)
	}
}

func (k *pack) buffer(s section) kernel.Buffer { return k.memory.Slice(s.from, s.from+s.size) }

// at is a section on the host.
func (k *pack) at(s section) []float32 { return k.host[s.from:][:s.size] }

// take copies rows from to to of a minibatch that several devices share.
func (k *pack) take(b *hostBatch, from, to int) {
	for _, part := range []struct {
		section
		values []float32
	}{{k.keep, b.keep}, {k.label, b.label}, {k.weight, b.weight}, {k.drop, b.drop}} {
		if part.size > 0 {
			copy(k.at(part.section), part.values[from*part.width:to*part.width])
		}
	}
}

// upload copies the pack to the device, with the first rows rows of its last section.
func (k *pack) upload(rows int) {
	if k.shared {
		return
	}
	end := len(k.host)
	if last := k.drop; last.size > 0 {
		end = last.from + rows*last.width
	}
	k.device.Upload(k.memory, k.host[:end])
}
