package network

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/op"
)

// sumEvaluator evaluates a model whose head is linear on features that join additively: the logits of a coalition are a sum
// of parts, one a modality, each computed once a minibatch.
//
//	logits(S) = bias + sum over i in S of z_i W_iᵀ
type sumEvaluator struct {
	evaluation
	out   kernel.Buffer // the parts on the device, (n,stride), of which (Rows,C) are in use
	parts []float32     // the same on the host, of the minibatch loaded
	bias  []float32

	stride int // elements of a modality's part
	outbox outbox
}

func newSumEvaluator(s Spec, f additive, d kernel.Device, rows int, tensors Tensors, params [][]float32) (*sumEvaluator, error) {
	g, err := newGraph(s, rows, false)
	if err != nil {
		return nil, err
	}
	bound, err := g.Bind(d, tensors)
	if err != nil {
		return nil, err
	}
	classes, n := len(s.Classes), len(s.Modalities)
	e := &sumEvaluator{bias: make([]float32, classes), stride: lines(rows * classes)}
	if e.out, err = d.Alloc(n * e.stride); err != nil {
		return nil, err
	}
	heads := headParts(g.Layout, f, classes, params)
	var outputs []*gorgonia.Node
	for p, z := range g.Features {
		w := gorgonia.NewMatrix(g.graph, tensor.Float32, gorgonia.WithShape(classes, g.Layout.features[p]),
			gorgonia.WithName("head."+s.Modalities[p].Name))
		if bound[w], err = d.Alloc(len(heads[p])); err != nil {
			return nil, err
		}
		d.Upload(bound[w], heads[p])
		part, err := op.Linear(z, w, nil, false)
		if err != nil {
			return nil, fmt.Errorf("building the head of %q: %w", s.Modalities[p].Name, err)
		}
		bound[part] = e.out.Slice(p*e.stride, p*e.stride+rows*classes)
		outputs = append(outputs, part)
	}
	if e.evaluation, err = newEvaluation(s, g, d, rows, outputs, bound); err != nil {
		return nil, err
	}
	for i, slot := range g.Layout.Params {
		if slot.Name == "head.bias" {
			copy(e.bias, params[i])
		}
	}
	e.parts = make([]float32, n*e.stride)
	e.outbox, err = newOutbox(d, n*e.stride)
	return e, err
}

// headParts returns W_p, (C,D_p), for each modality: its columns of the head's weight, or the whole where features are
// summed.
func headParts(l Layout, f additive, classes int, params [][]float32) [][]float32 {
	var weight []float32
	for i, slot := range l.Params {
		if slot.Name == "head.weight" {
			weight = params[i]
		}
	}
	parts := make([][]float32, len(l.features))
	from := 0
	for p, width := range l.features {
		parts[p] = make([]float32, 0, classes*width)
		for c := range classes {
			parts[p] = append(parts[p], weight[c*l.fused+from:][:width]...)
		}
		if !f.sum {
			from += width
		}
	}
	return parts
}

// Transparent reports whether an input that is not finite always shows in the logits of its row, as not finite: where neither an
// activation can hide it nor a frame be left out.
func (e *sumEvaluator) Transparent() bool {
	for p, c := range e.spec.Modalities {
		b, err := c.backbone()
		if s, dense := b.(stack); err != nil || !dense || s.relu || e.prepare[p] != nil {
			return false
		}
	}
	return true
}

// inUse returns how many elements of the parts hold those of a minibatch of rows rows.
func (e *sumEvaluator) inUse(rows int) int {
	return (len(e.spec.Modalities)-1)*e.stride + rows*len(e.bias)
}

// Load runs every backbone on a minibatch, once, and its part of the head.
func (e *sumEvaluator) Load(b *Minibatch) error {
	if err := e.evaluation.Load(b); err != nil {
		return err
	}
	e.device.Download(e.parts[:e.inUse(b.Rows)], e.out)
	return e.device.Err()
}

// Parts copies the additive parts of the loaded minibatch's logits: parts (n,Rows,C), bias (C).
func (e *sumEvaluator) Parts(parts, bias []float32) error {
	e.copyParts(parts, e.parts, e.rows)
	copy(bias, e.bias)
	return nil
}

// copyParts copies the parts of a minibatch from where they lie apart.
func (e *sumEvaluator) copyParts(dst, src []float32, rows int) {
	size := rows * len(e.bias)
	for p := range e.spec.Modalities {
		copy(dst[p*size:][:size], src[p*e.stride:])
	}
}

// Depth returns how many minibatches may be queued and not collected.
func (e *sumEvaluator) Depth() int { return max(1, len(e.outbox.parcels)) }

// Queue is Load, which does not wait for the device.
func (e *sumEvaluator) Queue(b *Minibatch) error {
	err := e.outbox.room()
	switch {
	case err != nil:
		return err
	case len(e.outbox.parcels) == 0:
		err = e.Load(b)
	default:
		err = e.evaluation.Load(b)
	}
	if err != nil {
		return err
	}
	e.outbox.send(e.out, e.inUse(b.Rows), b.Rows)
	return e.device.Err()
}

// Collect waits for the minibatch that was queued first, and is Parts of it.
func (e *sumEvaluator) Collect(parts, bias []float32) error {
	from, rows, err := e.outbox.receive()
	if err != nil {
		return err
	}
	if from == nil {
		from = e.parts
	}
	e.copyParts(parts, from, rows)
	copy(bias, e.bias)
	return e.device.Err()
}

// Logits adds up the parts of coalition c.
func (e *sumEvaluator) Logits(c modality.Coalition, dst []float32) error {
	classes := len(e.bias)
	for r := range e.rows {
		row := dst[r*classes:][:classes]
		copy(row, e.bias)
		for p := range (c & e.keep[r]).Members() {
			for k, part := range e.parts[p*e.stride+r*classes:][:classes] {
				row[k] += part
			}
		}
	}
	return nil
}
