package train

import (
	"errors"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// resident is the modalities of the samples that stay on the device, where they fit: a minibatch of them is a list of rows.
type resident struct {
	keeper  kernel.Gatherer // nil where the host shares its memory
	stay    []bool          // modalities that go in as they are
	inputs  []kernel.Buffer // of the machine
	samples *Samples        // whose rows the tables hold
	tables  []kernel.Buffer // (N,size) a modality, nil where it does not stay
	sizes   []int
}

// newResident finds the inputs; what stays is found out when the samples are known.
func newResident(m *machine.Machine, g *network.Graph, stay []bool) resident {
	r := resident{stay: stay}
	for p := range stay {
		r.inputs = append(r.inputs, m.Buffer(g.X[p]))
	}
	return r
}

// holds reports whether modality p stays on the device.
func (r *resident) holds(p int) bool { return r.tables != nil && r.tables[p] != nil }

// reside puts the samples on the device, a modality after the other, as long as they take no more than half of what is free:
// the rest is for what the device's libraries want later.
func (r *resident) reside(d kernel.Device, s *Samples, sizes []int) error {
	r.samples = s
	device, ok := d.(kernel.Gatherer)
	if !ok {
		return nil
	}
	r.keeper = device
	r.tables, r.sizes = make([]kernel.Buffer, len(r.stay)), sizes
	for p, stay := range r.stay {
		bytes := 4 * int64(s.Rows()) * int64(r.sizes[p])
		if !stay || bytes == 0 || bytes > device.Free()/2 {
			continue
		}
		if err := r.put(p, s); err != nil {
			var memory *kernel.MemoryError
			if errors.As(err, &memory) {
				continue // it goes with every minibatch
			}
			return err
		}
	}
	return device.Err()
}

// putRows is how many rows are uploaded at once.
const putRows = 256

func (r *resident) put(p int, s *Samples) error {
	size := r.sizes[p]
	table, err := r.keeper.Alloc(s.Rows() * size)
	if err != nil {
		return err
	}
	host := make([]float32, min(putRows, s.Rows())*size)
	for from := 0; from < s.Rows(); from += putRows {
		to := min(from+putRows, s.Rows())
		for row := from; row < to; row++ {
			s.copyRow(p, row, host[(row-from)*size:][:size])
		}
		r.keeper.Upload(table.Slice(from*size, to*size), host[:(to-from)*size])
	}
	r.tables[p] = table
	return nil
}

// gather fills the inputs of the modalities that stay with the samples that index names.
func (r *resident) gather(index kernel.Buffer, rows int) {
	var all []func()
	for i, table := range r.tables {
		if table != nil {
			all = append(all, func() { r.keeper.Gather(r.inputs[i], table, index, rows, r.sizes[i]) })
		}
	}
	if all != nil {
		machine.Beside(r.keeper, all...)
	}
}
