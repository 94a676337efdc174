package train

import (
	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// staging is a minibatch on the host and where it goes on the device. On a device whose memory the host shares, the
// minibatch is gathered straight into place.
type staging struct {
	x                   [][]float32 // (B,size) a modality
	keep, label, weight []float32   // (B,n), (B), (B)
	sizes               []int       // of one row of each modality
	pending             []transfer
}

// transfer is a part of the minibatch that has to be copied to the device.
type transfer struct {
	to   kernel.Buffer
	from []float32
	size int // of one row
}

// newStaging makes the staging of a machine's inputs. A machine that only predicts has no labels and weights.
func newStaging(m *machine.Machine, g *network.Graph, spec network.Spec) staging {
	var st staging
	host := func(n *gorgonia.Node, size int) []float32 {
		b := m.Buffer(n)
		if b == nil {
			return make([]float32, m.Rows()*size)
		}
		if shared, ok := b.(kernel.Shared); ok {
			return shared.Host()
		}
		values := make([]float32, m.Rows()*size)
		st.pending = append(st.pending, transfer{to: b, from: values, size: size})
		return values
	}
	for p, c := range spec.Modalities {
		st.x = append(st.x, host(g.X[p], c.Size()))
		st.sizes = append(st.sizes, c.Size())
	}
	st.keep = host(g.Keep, len(spec.Modalities))
	st.label, st.weight = host(g.Label, 1), host(g.Weight, 1)
	return st
}

// gather copies the samples of some plan rows to the minibatch. A modality is kept where the plan keeps it and the sample
// has it.
func (st *staging) gather(s *Samples, p *Plan, rows []int32) {
	n := len(st.x)
	for k, planRow := range rows {
		row, keep := p.rows[planRow], p.keep[planRow]
		for i, size := range st.sizes {
			present := s.copyRow(i, row, st.x[i][k*size:][:size])
			st.keep[k*n+i] = 0
			if present && keep.Has(i) {
				st.keep[k*n+i] = 1
			}
		}
		st.label[k], st.weight[k] = float32(s.label(row)), p.weight[planRow]
	}
}

// upload copies the first rows rows to the device, where its memory is not the host's.
func (st *staging) upload(d kernel.Device, rows int) {
	for _, t := range st.pending {
		d.Upload(t.to, t.from[:rows*t.size])
	}
}
