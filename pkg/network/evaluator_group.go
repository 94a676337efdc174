package network

import (
	"errors"
	"slices"
	"sync"

	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
)

// groupEvaluator divides each minibatch among the devices of a group: each has the whole model and a share of the rows. The results
// lie in the rows' order.
type groupEvaluator struct {
	Evaluator             // of the first device
	all       []Evaluator // one a device
	rows, max int         // of the minibatch loaded, of the largest
	waiting   []int       // rows of the minibatches that are queued, the oldest first
}

// additiveGroup is a groupEvaluator of a model whose logits are a sum of parts.
type additiveGroup struct{ *groupEvaluator }

// Transparent reports whether an input that is not finite always shows in the logits of its row.
func (g additiveGroup) Transparent() bool { return g.Evaluator.(additiveParts).Transparent() }

// featuredGroup is a groupEvaluator of a model whose features can be replaced.
type featuredGroup struct{ *groupEvaluator }

// newGroupEvaluator makes an evaluator of each device by setUp.
func newGroupEvaluator(devices []kernel.Device, rows int, setUp func(d kernel.Device, rows int) (Evaluator, error)) (Evaluator, error) {
	g := &groupEvaluator{max: rows}
	for _, d := range devices {
		e, err := setUp(d, kernel.Largest(rows, len(devices)))
		if err != nil {
			return nil, err
		}
		g.all = append(g.all, e)
	}
	g.Evaluator = g.all[0]
	if _, ok := g.Evaluator.(additiveParts); ok {
		return additiveGroup{g}, nil
	}
	return featuredGroup{g}, nil
}

// additiveParts is what a model whose logits are a sum of parts has beside an Evaluator's methods.
type additiveParts interface {
	queue
	Parts(parts, bias []float32) error
	Collect(parts, bias []float32) error
	Transparent() bool
}

// replaceable is what every other model has.
type replaceable interface {
	queue
	CollectLogits(logits []float32) error
	Features() ([][]float32, error)
	Replace(features [][]float32) error
}

// queue is what both have.
type queue interface {
	Depth() int
	Queue(b *Minibatch) error
}

func (g *groupEvaluator) MaxRows() int { return g.max }

// each calls f for every device's share of a minibatch of rows rows, all at once: a device is waited for by its own goroutine.
func (g *groupEvaluator) each(rows int, f func(e Evaluator, from, to int) error) error {
	errs := make([]error, len(g.all))
	var wait sync.WaitGroup
	for i, e := range g.all {
		if from, to := kernel.Share(rows, len(g.all), i); from < to {
			wait.Go(func() { errs[i] = f(e, from, to) })
		}
	}
	wait.Wait()
	return errors.Join(errs...)
}

// Load gives every device its share of a minibatch.
func (g *groupEvaluator) Load(b *Minibatch) error {
	if err := checkRows(b.Rows, g.max); err != nil {
		return err
	}
	g.rows = b.Rows
	return g.divide(b, Evaluator.Load)
}

// divide calls take with every device's share of a minibatch.
func (g *groupEvaluator) divide(b *Minibatch, take func(e Evaluator, share *Minibatch) error) error {
	return g.each(b.Rows, func(e Evaluator, from, to int) error {
		share := Minibatch{Rows: to - from, Keep: b.Keep[from:to]}
		for p, m := range e.Modalities() {
			share.X = append(share.X, b.X[p][from*m.Size():to*m.Size()])
		}
		return take(e, &share)
	})
}

// Logits writes the logits of coalition c.
func (g *groupEvaluator) Logits(c modality.Coalition, dst []float32) error {
	classes := len(g.Classes())
	return g.each(g.rows, func(e Evaluator, from, to int) error { return e.Logits(c, dst[from*classes:to*classes]) })
}

// Parts copies the additive parts of the loaded minibatch's logits: parts (n,Rows,C), bias (C).
func (g additiveGroup) Parts(parts, bias []float32) error {
	return g.gather(parts, bias, g.rows, additiveParts.Parts)
}

// gather puts together the parts of a minibatch of rows rows: get gives those of a device's share.
func (g additiveGroup) gather(parts, bias []float32, rows int, get func(e additiveParts, parts, bias []float32) error) error {
	n, classes := len(g.Modalities()), len(bias)
	return g.each(rows, func(e Evaluator, from, to int) error {
		size := (to - from) * classes
		share, same := make([]float32, n*size), make([]float32, classes)
		if err := get(e.(additiveParts), share, same); err != nil {
			return err
		}
		for p := range n {
			copy(parts[(p*rows+from)*classes:], share[p*size:][:size])
		}
		if from == 0 {
			copy(bias, same)
		}
		return nil
	})
}

// Depth returns how many minibatches may be queued and not collected; 0 where they are better loaded.
func (g *groupEvaluator) Depth() int { return g.Evaluator.(queue).Depth() }

// Queue is Load, which does not wait for the devices.
func (g *groupEvaluator) Queue(b *Minibatch) error {
	if err := checkRows(b.Rows, g.max); err != nil {
		return err
	}
	err := g.divide(b, func(e Evaluator, share *Minibatch) error { return e.(queue).Queue(share) })
	if err == nil {
		g.waiting = append(g.waiting, b.Rows)
	}
	return err
}

// collecting returns the rows of the minibatch that was queued first, which its caller collects.
func (g *groupEvaluator) collecting() (rows int, err error) {
	if len(g.waiting) == 0 {
		return 0, errors.New("collecting a minibatch: none is queued")
	}
	rows = g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	return rows, nil
}

// Collect waits for the minibatch that was queued first, and is Parts of it.
func (g additiveGroup) Collect(parts, bias []float32) error {
	rows, err := g.collecting()
	if err != nil {
		return err
	}
	return g.gather(parts, bias, rows, additiveParts.Collect)
}

// CollectLogits waits for the minibatch that was queued first, and writes the logits of its coalitions, (2^n,Rows,C).
func (g featuredGroup) CollectLogits(logits []float32) error {
	rows, err := g.collecting()
	if err != nil {
		return err
	}
	classes, coalitions := len(g.Classes()), 1<<len(g.Modalities())
	return g.each(rows, func(e Evaluator, from, to int) error {
		size := (to - from) * classes
		share := make([]float32, coalitions*size)
		if err := e.(replaceable).CollectLogits(share); err != nil {
			return err
		}
		for c := range coalitions {
			copy(logits[(c*rows+from)*classes:], share[c*size:][:size])
		}
		return nil
	})
}

// Features returns the features of the loaded minibatch, (Rows,D_p) a modality.
func (g featuredGroup) Features() ([][]float32, error) {
	all := make([][]float32, len(g.Modalities()))
	for i, e := range g.all { // in the rows' order
		if from, to := kernel.Share(g.rows, len(g.all), i); from == to {
			continue
		}
		share, err := e.(replaceable).Features()
		if err != nil {
			return nil, err
		}
		for p, z := range share {
			all[p] = append(all[p], z...)
		}
	}
	return all, nil
}

// Replace puts features in the place of those that a coalition lacks, on every device.
func (g featuredGroup) Replace(features [][]float32) error {
	for _, e := range g.all {
		if err := e.(replaceable).Replace(features); err != nil {
			return err
		}
	}
	return nil
}
