package classifier

import (
	"errors"
	"fmt"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Weights say which of a model's weights answer.
type Weights string

// The weights. "" is Last.
const (
	Last Weights = "last" // those of the last epoch
	Best Weights = "best" // those of the best validated epoch
	Auto Weights = "auto" // Best where the model holds them, else Last
)

// ErrNoBest is what a model without the weights of a best epoch gives for Best.
var ErrNoBest = errors.New("the model holds the last epoch's weights only")

// Options say how a model is opened.
type Options struct {
	Device  device.Options
	Rows    int // most samples at once
	Weights Weights
}

// Classifier is a model on a device.
type Classifier struct {
	Evaluator network.Evaluator
	Spec      network.Spec
	State     checkpoint.State
	Best      bool   // the weights of State.Best answer
	Digest    string // by which other streams name the model
	device    kernel.Device
}

// Open reads the model to the end of its stream, which the caller closes, and puts it on a device. The caller closes the
// classifier. What is wrong with the model is stream.ErrInput.
func Open(in *stream.Reader, o Options) (*Classifier, error) {
	m, verify, err := schema.BorrowModel(in, schema.RoleOptimizer)
	if err != nil {
		return nil, err
	}
	defer verify() // whatever happens: until then the digest's thread reads what the stream holds
	read, err := checkpoint.FromModel(m, in.Name())
	if err != nil {
		return nil, err
	}
	c := &Classifier{State: read.State, Digest: m.Digest()}
	if c.Spec, err = network.ParseSpec(m.Spec); err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name(), err)
	}
	role, best := schema.RoleParameter, read.HasBest() && read.State.Best != nil
	switch {
	case o.Weights == Best && !best:
		return nil, fmt.Errorf("%s: %w", in.Name(), ErrNoBest)
	case (o.Weights == Best || o.Weights == Auto) && best:
		role, c.Best = schema.RoleBest, true
	}
	if c.device, err = device.Open(o.Device); err != nil {
		return nil, err
	}
	if c.Evaluator, err = network.Load(m, c.device, o.Rows, role); err != nil {
		err = fmt.Errorf("%s: loading the model: %w", in.Name(), err)
	}
	if wrong := verify(); wrong != nil { // says more than what came of it
		err = wrong
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close gives the device back.
func (c *Classifier) Close() error { return c.device.Close() }
