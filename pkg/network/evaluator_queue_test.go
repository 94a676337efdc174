package network_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cpu"
	"mmtools/pkg/kernel/hostgroup"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// minibatches are some of random numbers, of rows that lack some modality, too.
func minibatches(spec network.Spec) (all []network.Minibatch) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{8, 8, 3, 1, 8, 2, 5, 8} {
		b := network.Minibatch{Rows: rows}
		for i := range rows {
			b.Keep = append(b.Keep, modality.Coalition(1+i%(1<<len(spec.Modalities)-1)))
		}
		for _, m := range spec.Modalities {
			x := make([]float32, rows*m.Size())
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			b.X = append(b.X, x)
		}
		all = append(all, b)
	}
	return all
}

// holdNear holds numbers to others up to the order of sums.
func holdNear(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i]-w)) <= 1e-5*math.Max(1, math.Abs(float64(w)))) {
			t.Fatalf("%s %d: got %v, want %v", what, i, got[i], w)
		}
	}
}

// queued is what an evaluator has whose logits are a sum of parts.
type queued interface {
	network.Evaluator
	Parts(parts, bias []float32) error
	Depth() int
	Queue(b *network.Minibatch) error
	Collect(parts, bias []float32) error
}

// sender is a CPU device that sends results as a card does: what was asked for before is done first.
type sender struct {
	kernel.Device
	waits int // for results that are not sent
}

func (d *sender) Download(dst []float32, src kernel.Buffer) {
	d.waits++
	d.Device.Download(dst, src)
}

func (d *sender) NewParcel(n int) (kernel.Parcel, error) {
	return &parcel{d: d, room: make([]float32, n)}, nil
}

type parcel struct {
	d    *sender
	room []float32
	n    int
}

func (p *parcel) Send(src kernel.Buffer, n int) {
	p.n = n
	p.d.Device.Download(p.room[:n], src)
}

func (p *parcel) Wait() []float32 { return p.room[:p.n] }

// senders is a group of them.
type senders struct {
	*hostgroup.Group
	all []kernel.Device
}

func (s *senders) Devices() []kernel.Device { return s.all }

// What is collected is what Load and Parts give of each minibatch, in turn, however many rows they have: on a device that computes as it
// is asked, where one may be queued, and on one that sends, where two may.
func TestQueue(t *testing.T) {
	spec := network.Spec{Fusion: "concat", Classes: []string{"x", "y", "z"}, Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: []int{6}}, Backbone: "mlp:16"},
		{Modality: modality.Modality{Name: "image", Kind: modality.Image, Shape: []int{2, 4, 4}}, Backbone: "linear:5"},
	}}
	layout, err := spec.Layout()
	if err != nil {
		t.Fatal(err)
	}
	open := func(d kernel.Device) queued {
		e, err := network.NewEvaluator(spec, d, 8, layout.Initialize(5), layout.InitializeBuffers())
		if err != nil {
			t.Fatal(err)
		}
		return e.(queued)
	}
	all := minibatches(spec)
	parts := func(b network.Minibatch) []float32 { return make([]float32, 2*b.Rows*3) }
	reference := open(device(t))
	one := &sender{Device: device(t)}
	for name, c := range map[string]struct {
		device kernel.Device
		depth  int
	}{
		"as it is asked":             {device(t), 1},
		"sends":                      {one, 2},
		"three as they are asked":    {hostgroup.New(t, 3), 1},
		"three that send":            {&senders{hostgroup.New(t, 1), []kernel.Device{&sender{Device: device(t)}, &sender{Device: device(t)}, &sender{Device: device(t)}}}, 2},
		"as it is asked, as a group": {hostgroup.New(t, 1), 1},
	} {
		e := open(c.device)
		if e.Depth() != c.depth {
			t.Errorf("%s: depth %d, want %d", name, e.Depth(), c.depth)
		}
		one.waits = 0
		for k := range len(all) + c.depth {
			if k >= c.depth {
				b := all[k-c.depth]
				got, want, bias, wantBias := parts(b), parts(b), make([]float32, 3), make([]float32, 3)
				if err := e.Collect(got, bias); err != nil {
					t.Fatal(err)
				}
				if err := reference.Load(&b); err != nil {
					t.Fatal(err)
				}
				if err := reference.Parts(want, wantBias); err != nil {
					t.Fatal(err)
				}
				holdNear(t, fmt.Sprintf("%s: minibatch %d, part", name, k-c.depth), got, want)
				if !slices.Equal(bias, wantBias) {
					t.Errorf("%s: bias %v, want %v", name, bias, wantBias)
				}
			}
			if k < len(all) {
				b := network.Minibatch{Rows: all[k].Rows, Keep: all[k].Keep}
				for _, x := range all[k].X {
					b.X = append(b.X, slices.Clone(x))
				}
				if err := e.Queue(&b); err != nil {
					t.Fatal(fmt.Errorf("%s: minibatch %d: %w", name, k, err))
				}
				for _, x := range b.X { // the caller's again
					clear(x)
				}
			}
			if k == c.depth-1 {
				if err := e.Queue(&all[k]); err == nil {
					t.Errorf("%s: %d minibatches are queued", name, c.depth+1)
				}
			}
		}
		if err := e.Collect(parts(all[0]), make([]float32, 3)); err == nil {
			t.Errorf("%s: collected what was not queued", name)
		}
	}
	if one.waits > 0 {
		t.Errorf("the device that sends was waited for %d times", one.waits)
	}
}

// queuedWhole is what an evaluator has whose logits are no sum of parts.
type queuedWhole interface {
	network.Evaluator
	Depth() int
	Queue(b *network.Minibatch) error
	CollectLogits(logits []float32) error
}

// So it is with the logits of all coalitions under the other fusions, of rows that lack a modality, too. A device that computes as it is
// asked is asked for one coalition after the other, and so is any for very many.
func TestQueueWhole(t *testing.T) {
	for fusion, n := range map[string]int{"film": 2, "gated:7": 3, "attention:2:8": 3} {
		spec := network.Spec{Fusion: fusion, Classes: []string{"x", "y", "z"}}
		for i, name := range []string{"audio", "image", "text"}[:n] {
			spec.Modalities = append(spec.Modalities, network.Channel{
				Modality: modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{6 + i}}, Backbone: "mlp:16"})
		}
		layout, err := spec.Layout()
		if err != nil {
			t.Fatal(err)
		}
		open := func(d kernel.Device) queuedWhole {
			e, err := network.NewEvaluator(spec, d, 8, layout.Initialize(5), layout.InitializeBuffers())
			if err != nil {
				t.Fatal(err)
			}
			return e.(queuedWhole)
		}
		all := minibatches(spec)
		reference := open(device(t))
		if reference.Depth() != 0 {
			t.Errorf("%s: depth %d of a device that computes as it is asked, want 0", fusion, reference.Depth())
		}
		one := &sender{Device: device(t)}
		for name, d := range map[string]kernel.Device{
			"sends":           one,
			"three that send": &senders{hostgroup.New(t, 1), []kernel.Device{&sender{Device: device(t)}, &sender{Device: device(t)}, &sender{Device: device(t)}}},
		} {
			e := open(d)
			if e.Depth() != 2 {
				t.Fatalf("%s, %s: depth %d, want 2", fusion, name, e.Depth())
			}
			one.waits = 0
			for k := range len(all) + 2 {
				if k >= 2 {
					b := all[k-2]
					got, want := make([]float32, b.Rows*3<<n), make([]float32, b.Rows*3)
					if err := e.CollectLogits(got); err != nil {
						t.Fatal(err)
					}
					if err := reference.Load(&b); err != nil {
						t.Fatal(err)
					}
					for c := range modality.All(n) + 1 {
						if err := reference.Logits(c, want); err != nil {
							t.Fatal(err)
						}
						holdNear(t, fmt.Sprintf("%s, %s: minibatch %d, coalition %b, logit", fusion, name, k-2, c), got[int(c)*len(want):][:len(want)], want)
					}
				}
				if k < len(all) {
					if err := e.Queue(&all[k]); err != nil {
						t.Fatal(err)
					}
				}
				if k == 1 {
					if err := e.Queue(&all[k]); err == nil {
						t.Errorf("%s, %s: three minibatches are queued", fusion, name)
					}
				}
			}
			if one.waits > 0 {
				t.Errorf("%s: the device that sends was waited for %d times", fusion, one.waits)
			}
			if err := e.CollectLogits(make([]float32, 8*3<<n)); err == nil {
				t.Errorf("%s, %s: collected what was not queued", fusion, name)
			}
			// What is loaded after it is as ever.
			b, got, want := all[2], make([]float32, 9), make([]float32, 9)
			for e, x := range map[queuedWhole][]float32{e: got, reference: want} {
				if err := e.Load(&b); err != nil {
					t.Fatal(err)
				}
				if err := e.Logits(0b10, x); err != nil {
					t.Fatal(err)
				}
			}
			holdNear(t, fmt.Sprintf("%s, %s: loaded, logit", fusion, name), got, want)
		}
	}
	many := network.Spec{Fusion: "gated:3", Classes: []string{"x", "y"}}
	for i := range 7 {
		many.Modalities = append(many.Modalities, network.Channel{
			Modality: modality.Modality{Name: fmt.Sprint("m", i), Kind: modality.Embedding, Shape: []int{2}}, Backbone: "identity"})
	}
	layout, err := many.Layout()
	if err != nil {
		t.Fatal(err)
	}
	e, err := network.NewEvaluator(many, &sender{Device: device(t)}, 8, layout.Initialize(5), layout.InitializeBuffers())
	if err != nil {
		t.Fatal(err)
	}
	if d := e.(queuedWhole).Depth(); d != 0 {
		t.Errorf("seven modalities: depth %d, want 0", d)
	}
}

// device opens the CPU with one thread.
func device(t *testing.T) kernel.Device {
	t.Helper()
	d, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
