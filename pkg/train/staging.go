package train

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/augment"
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// hostBatch is a minibatch on the host.
type hostBatch struct {
	x                   [][]float32 // (B,size) a modality, as the backbone sees it
	keep, label, weight []float32   // (B,n), (B), (B)
	drop                []float32   // (B,D), nil without dropout
}

// draws gives the random stream of a plan row for a purpose: "augment", "dropout".
type draws func(purpose string, planRow int32) *rand.Rand

// staging fills the minibatches of the machines' inputs, one a device, each with its share of the rows. On a device whose memory the
// host shares, a minibatch is gathered straight into place. Where frames have to be prepared, that is done on other threads, ahead
// of the steps.
type staging struct {
	hostBatch
	rows    int
	sizes   []int // of a row of each modality, as the backbone sees it
	dropout float64
	shares  []*share
	workers []*worker // nil where no frames have to be prepared
	ahead   [2]hostBatch
}

// share is what goes to one device, and what the device does with it.
type share struct {
	device  kernel.Device
	pending []transfer
	pack    *pack
	resident
	then func(rows int) // what the kernels are asked for, once the samples are there
	tape *machine.Tape
	work func(rows int)
}

// newShare makes what goes to a machine.
func newShare(d kernel.Device, m *machine.Machine, k *pack, g *network.Graph, stay []bool) *share {
	sh := &share{device: d, pack: k, resident: newResident(m, g, stay), tape: machine.NewTape(d)}
	index := k.buffer(k.index)
	sh.work = func(rows int) {
		sh.gather(index, rows)
		sh.then(rows)
	}
	return sh
}

// run has the device do its work on a minibatch of so many rows, which has been put there.
func (sh *share) run(rows int) { sh.tape.Run(rows, sh.work) }

// transfer is a part of the minibatch that has to be copied to the device.
type transfer struct {
	to   kernel.Buffer
	from []float32
	size int // of one row
}

// worker prepares rows, one at a time.
type worker struct {
	prepare []*augment.Worker // by modality; nil where samples go in as they are
	raw     [][]float32       // a sample as it is
}

// newStaging makes the staging of the inputs of machines, one a device, for minibatches of up to rows rows. Machines that only
// predict have no labels and weights.
func newStaging(devices []kernel.Device, machines []*machine.Machine, packs []*pack, g *network.Graph, spec network.Spec, rows int) (staging, error) {
	st := staging{rows: rows}
	prepared := false
	var stay []bool // modalities that go in as they are
	for _, c := range spec.Modalities {
		prepared = prepared || c.Input != ""
		stay = append(stay, c.Input == "")
	}
	for i, d := range devices {
		st.shares = append(st.shares, newShare(d, machines[i], packs[i], g, stay))
	}
	for p, c := range spec.Modalities {
		seen, err := c.Seen()
		if err != nil {
			return staging{}, err
		}
		st.x = append(st.x, st.input(machines, g.X[p], seen.Size()))
		st.sizes = append(st.sizes, seen.Size())
	}
	// What is in the pack of the only device is filled in there.
	part := func(s section, size int) []float32 {
		if len(packs) == 1 && s.size > 0 {
			return packs[0].at(s)
		}
		return make([]float32, rows*size)
	}
	own := packs[0]
	st.keep, st.label, st.weight = part(own.keep, len(spec.Modalities)), part(own.label, 1), part(own.weight, 1)
	if g.Drop != nil {
		st.drop, st.dropout = part(own.drop, g.Drop.Shape()[1]), spec.Dropout
	}
	if !prepared {
		return st, nil
	}
	for i := range st.ahead {
		st.ahead[i] = st.newBatch()
	}
	for range runtime.GOMAXPROCS(0) {
		w, err := newWorker(spec)
		if err != nil {
			return staging{}, err
		}
		st.workers = append(st.workers, w)
	}
	return st, nil
}

// input is where a modality's samples are filled in: straight where the machine reads them, where there is one and the host shares its
// memory.
func (st *staging) input(machines []*machine.Machine, n *gorgonia.Node, size int) []float32 {
	if shared, ok := machines[0].Buffer(n).(kernel.Shared); ok && len(machines) == 1 {
		return shared.Host()
	}
	values := make([]float32, st.rows*size)
	for i, m := range machines {
		st.shares[i].pending = append(st.shares[i].pending, transfer{to: m.Buffer(n), from: values, size: size})
	}
	return values
}

func newWorker(spec network.Spec) (*worker, error) {
	w := &worker{prepare: make([]*augment.Worker, len(spec.Modalities)), raw: make([][]float32, len(spec.Modalities))}
	for p, c := range spec.Modalities {
		t, err := c.Transform()
		if err != nil {
			return nil, err
		}
		if t == (augment.Transform{}) {
			continue
		}
		if w.prepare[p], err = t.NewWorker(c.Shape); err != nil {
			return nil, err
		}
		w.raw[p] = make([]float32, c.Size())
	}
	return w, nil
}

func (st *staging) newBatch() hostBatch {
	b := hostBatch{keep: make([]float32, len(st.keep)), label: make([]float32, len(st.label)), weight: make([]float32, len(st.weight)), drop: make([]float32, len(st.drop))}
	for _, x := range st.x {
		b.x = append(b.x, make([]float32, len(x)))
	}
	return b
}

// each fills a minibatch from every batch of the order's plan rows, in turn, and calls do, which has it put on the devices. draw
// is nil in an evaluation.
func (st *staging) each(s *Samples, p *Plan, order []int32, draw draws, do func(rows []int32) error) error {
	for _, sh := range st.shares {
		if sh.samples == s {
			continue
		}
		sh.tape.Forget() // the tables are others
		if err := sh.reside(sh.device, s, st.sizes); err != nil {
			return err
		}
	}
	if st.workers == nil {
		for from := 0; from < len(order); from += st.rows {
			rows := order[from:min(from+st.rows, len(order))]
			for k, planRow := range rows {
				st.fillRow(&st.hostBatch, s, p, k, planRow, nil, draw)
			}
			if err := do(rows); err != nil {
				return err
			}
		}
		return nil
	}
	return st.eachAhead(s, p, order, draw, do)
}

// eachAhead is each with the next minibatch prepared while do runs.
func (st *staging) eachAhead(s *Samples, p *Plan, order []int32, draw draws, do func(rows []int32) error) error {
	type filled struct {
		batch *hostBatch
		rows  []int32
	}
	free, full, stop := make(chan *hostBatch, len(st.ahead)), make(chan filled), make(chan struct{})
	for i := range st.ahead {
		free <- &st.ahead[i]
	}
	var filler sync.WaitGroup
	filler.Go(func() {
		defer close(full)
		for from := 0; from < len(order); from += st.rows {
			rows := order[from:min(from+st.rows, len(order))]
			select {
			case b := <-free:
				st.fill(b, s, p, rows, draw)
				select {
				case full <- filled{b, rows}:
				case <-stop:
					return
				}
			case <-stop:
				return
			}
		}
	})
	defer filler.Wait()
	defer close(stop)
	for f := range full {
		st.take(f.batch, len(f.rows))
		free <- f.batch
		if err := do(f.rows); err != nil {
			return err
		}
	}
	return nil
}

// fill fills a minibatch on all workers. What a row gets does not depend on which worker prepares it.
func (st *staging) fill(b *hostBatch, s *Samples, p *Plan, rows []int32, draw draws) {
	var wait sync.WaitGroup
	for i, w := range st.workers {
		wait.Go(func() {
			for k := i; k < len(rows); k += len(st.workers) {
				st.fillRow(b, s, p, k, rows[k], w, draw)
			}
		})
	}
	wait.Wait()
}

// fillRow fills row k with a plan row's sample, and draws what the head is not to see of it. draw is nil in an evaluation.
func (st *staging) fillRow(b *hostBatch, s *Samples, p *Plan, k int, planRow int32, w *worker, draw draws) {
	var r *rand.Rand
	if w != nil && draw != nil {
		r = draw("augment", planRow)
	}
	b.fill(s, p, k, planRow, st, w, r)
	if st.drop == nil {
		return
	}
	width := len(st.drop) / st.rows
	r, up := draw("dropout", planRow), float32(1/(1-st.dropout))
	for i := range b.drop[k*width:][:width] {
		b.drop[k*width+i] = 0
		if r.Float64() >= st.dropout {
			b.drop[k*width+i] = up
		}
	}
}

// fill copies a plan row's sample to row k. A modality is kept where the plan keeps it and the sample has it.
func (b *hostBatch) fill(s *Samples, p *Plan, k int, planRow int32, st *staging, w *worker, r *rand.Rand) {
	n := len(b.x)
	row, keep := p.rows[planRow], p.keep[planRow]
	for i, size := range st.sizes {
		dst := b.x[i][k*size:][:size]
		var present bool
		switch {
		case st.holds(i):
			present = s.present(i, row)
		case w == nil || w.prepare[i] == nil:
			present = s.copyRow(i, row, dst)
		default:
			if present = s.copyRow(i, row, w.raw[i]); !present {
				clear(dst)
			} else if r == nil {
				w.prepare[i].Evaluate(dst, w.raw[i])
			} else {
				w.prepare[i].Train(dst, w.raw[i], r)
			}
		}
		b.keep[k*n+i] = 0
		if present && keep.Has(i) {
			b.keep[k*n+i] = 1
		}
	}
	b.label[k], b.weight[k] = float32(s.label(row)), p.weight[planRow]
}

// take copies a prepared minibatch into place.
func (st *staging) take(b *hostBatch, rows int) {
	for i, size := range st.sizes {
		if !st.holds(i) {
			copy(st.x[i], b.x[i][:rows*size])
		}
	}
	copy(st.keep, b.keep[:rows*len(st.sizes)])
	copy(st.label, b.label[:rows])
	copy(st.weight, b.weight[:rows])
	copy(st.drop, b.drop[:len(st.drop)/st.rows*rows])
}

// holds reports whether modality p stays on every device, so that it need not be filled in.
func (st *staging) holds(p int) bool {
	for _, sh := range st.shares {
		if !sh.holds(p) {
			return false
		}
	}
	return true
}

// put puts every device's share of plan rows there, which have been filled in.
func (st *staging) put(p *Plan, rows []int32) {
	for i, sh := range st.shares {
		from, to := kernel.Share(len(rows), len(st.shares), i)
		if sh.tables == nil {
			continue
		}
		index := sh.pack.at(sh.pack.index)
		for k, planRow := range rows[from:to] {
			kernel.PutIndex(index[2*k:], int64(p.rows[planRow]))
		}
	}
	st.upload(len(rows))
}

// upload copies the shares of the first rows rows to the devices, where their memory is not the host's, without what stays there.
func (st *staging) upload(rows int) {
	for i, sh := range st.shares {
		from, to := kernel.Share(rows, len(st.shares), i)
		for p, t := range sh.pending {
			if !sh.holds(p) {
				sh.device.Upload(t.to, t.from[from*t.size:to*t.size])
			}
		}
		if len(st.shares) > 1 {
			sh.pack.take(&st.hostBatch, from, to)
		}
		sh.pack.upload(to - from)
	}
}
