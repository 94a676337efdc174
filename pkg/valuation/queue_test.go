package valuation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// lagging is an additive model that takes in several minibatches before the first is collected, and wants that many.
type lagging struct {
	*linear
	t     testing.TB
	depth int
	parts [][]float32 // of the minibatches that are queued
	most  int
	pause time.Duration // that Queue takes
}

func (l *lagging) Depth() int { return l.depth }

func (l *lagging) Queue(b *network.Minibatch) error {
	if len(l.parts) == l.depth {
		l.t.Errorf("%d minibatches are queued, want %d at most", len(l.parts)+1, l.depth)
	}
	time.Sleep(l.pause)
	if err := l.Load(b); err != nil {
		return err
	}
	parts := make([]float32, len(l.modalities)*b.Rows*len(l.classes))
	if err := l.linear.Parts(parts, slices.Clone(l.bias)); err != nil {
		return err
	}
	l.loaded = nil // the minibatch is the caller's again
	l.parts = append(l.parts, parts)
	l.most = max(l.most, len(l.parts))
	return nil
}

func (l *lagging) Collect(parts, bias []float32) error {
	if len(parts) != len(l.parts[0]) {
		l.t.Errorf("%d parts are wanted of %d", len(parts), len(l.parts[0]))
	}
	copy(parts, l.parts[0])
	copy(bias, l.bias)
	l.parts = l.parts[1:]
	return nil
}

// laggingWhole is lagging for a model that is not additive: what is queued are the logits of every coalition.
type laggingWhole struct {
	opaque
	l *lagging
}

func (w laggingWhole) Depth() int { return w.l.depth }

func (w laggingWhole) Queue(b *network.Minibatch) error {
	if err := w.l.Queue(b); err != nil {
		return err
	}
	w.l.loaded = b
	var all []float32
	for c := range modality.All(len(w.l.modalities)) + 1 {
		one := make([]float32, b.Rows*len(w.l.classes))
		if err := w.l.Logits(c, one); err != nil {
			return err
		}
		all = append(all, one...)
	}
	w.l.loaded = nil
	w.l.parts[len(w.l.parts)-1] = all
	return nil
}

func (w laggingWhole) CollectLogits(logits []float32) error { return w.l.Collect(logits, nil) }

// bytes returns the samples as a stream, whose batches have so many rows each.
func (s samples) bytes(t testing.TB, rows ...int) []byte {
	t.Helper()
	var b bytes.Buffer
	at := 0
	for _, n := range rows {
		w, err := schema.NewSamplesWriter(&b, s.Samples)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range s.rows[at : at+n] {
			if err := w.Append(row); err != nil {
				t.Fatal(err)
			}
		}
		at += n
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func readerOf(t testing.TB, r io.Reader) *schema.SamplesReader {
	t.Helper()
	in, err := stream.NewReader(r, stream.WithName("samples.arrows"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	s, err := schema.NewSamplesReader(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A model that takes minibatches in ahead is given as many as it wants, and everything is found and emitted as it is of one that does not.
func TestQueuedIsTheSame(t *testing.T) {
	for n := 1; n <= 3; n++ {
		m, s := random(rand.New(rand.NewPCG(20, 26)), n, 3, 100)
		for _, o := range []Options{{}, {Value: Margin, Cooperation: true}, {Value: LogProbability, Estimator: Kernel, Seed: 3}, {Fold: &schema.Fold{Part: 1, Of: 2}}, {Value: Probability, Predicted: true}, {From: 20, To: 81}} {
			o.Rule.Evaluations = 40
			data := s.bytes(t, 40, 1, 16, 0, 20, 3, 20)
			var want []string
			for k := range 7 {
				depth := (k + 1) / 2
				var model Predictor = m
				l := &lagging{linear: m, t: t, depth: depth}
				if k%2 == 1 {
					model = l
				} else if k > 0 && !o.Estimator.Sampled() {
					model = laggingWhole{opaque{m}, l}
				} else if k > 0 {
					continue
				}
				var got []string
				summary, err := Run(context.Background(), readerOf(t, bytes.NewReader(data)), model, o, func(b *schema.SamplesBatch, r *Result) error {
					for i := range r.Rows {
						got = append(got, fmt.Sprint(b.ID(r.First+i), r.At[i], r.Label[i], r.Prediction[i], r.Logits[i*3:][:3], r.Phi[i*n:][:n]))
						if o.Cooperation {
							got = append(got, fmt.Sprint(r.Cooperation[i]))
						}
					}
					got = append(got, "batch")
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, fmt.Sprintf("%+v", summary)); k == 0 {
					want = got
				} else if !slices.Equal(got, want) {
					t.Errorf("%d modalities, %+v, %T of depth %d: got\n%s\nwant\n%s", n, o, model, depth, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				whole := o.Fold == nil && o.From == 0 // the first batch is three minibatches
				if whole && l.most != depth || len(l.parts) != 0 {
					t.Errorf("depth %d: %d minibatches were queued, %d were not collected", depth, l.most, len(l.parts))
				}
			}
		}
	}
}

// A model that takes minibatches in ahead is given those of the next batch, too, where it was read.
func TestQueuedBeyondABatch(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(6, 2)), 2, 3, 2)
	data := s.bytes(t, 1, 1)
	for range 1000 {
		l := &lagging{linear: m, t: t, depth: 2, pause: time.Millisecond}
		if _, err := Run(context.Background(), readerOf(t, bytes.NewReader(data)), l, Options{}, func(*schema.SamplesBatch, *Result) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if l.most == 2 {
			return
		}
	}
	t.Error("the next batch always waits for the last to be collected")
}

// What is wrong first in the stream is told, whatever is found out before it, and what comes before it is emitted. Nothing stays queued.
func TestQueuedErrors(t *testing.T) {
	zeros := []float32{0, 0, 0}
	sample := func(id string, label int32, a ...float32) schema.Sample {
		return schema.Sample{ID: id, Label: label, Tensors: []any{a, zeros}}
	}
	good := sample("good", 0, zeros...)
	large := sample("large", 0, 3e38, 0, 0) // twice as much is not finite
	infinite := sample("infinite", 0, 0, float32(math.Inf(1)), 0)
	unlabelled := sample("unlabelled", -1, zeros...)
	for _, c := range []struct {
		name  string
		cut   int // bytes off the end of the stream
		rows  []schema.Sample
		emits int
		want  string
	}{
		{"logits before an input", 0, []schema.Sample{good, large, infinite}, 1, "large"},
		{"an input before logits", 0, []schema.Sample{good, infinite, large}, 1, "infinite"},
		{"logits before a label", 0, []schema.Sample{large, unlabelled}, 0, "large"},
		{"a label before logits", 0, []schema.Sample{good, good, unlabelled, large}, 2, "unlabelled"},
		{"logits before the end", 0, []schema.Sample{good, large}, 1, "large"},
		{"logits before a cut", 4, []schema.Sample{good, large, good}, 1, "large"},
		{"a cut", 4, []schema.Sample{good, good, good}, 3, "cut off"},
	} {
		m := identity()
		m.weight[0][0] = 2
		s := identitySamples(m, c.rows...)
		data := s.bytes(t, slices.Repeat([]int{1}, len(c.rows))...)
		data = data[:len(data)-c.cut]
		for k := range 7 {
			depth := (k + 1) / 2
			var model Predictor = opaque{m}
			l := &lagging{linear: m, t: t, depth: depth}
			if k%2 == 1 {
				model = l
			} else if k > 0 {
				model = laggingWhole{opaque{m}, l}
			}
			for range 2 { // again, with a model that had an error
				emitted := 0
				_, err := Run(context.Background(), readerOf(t, bytes.NewReader(data)), model, Options{}, func(*schema.SamplesBatch, *Result) error {
					emitted++
					return nil
				})
				if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), c.want) || emitted != c.emits {
					t.Errorf("%s, depth %d: got %v after %d batches, want %s after %d", c.name, depth, err, emitted, c.want, c.emits)
				}
				if len(l.parts) > 0 {
					t.Errorf("%s, depth %d: %d minibatches are still queued", c.name, depth, len(l.parts))
				}
			}
			full, emitted := errors.New("full"), 0
			_, err := Run(context.Background(), readerOf(t, bytes.NewReader(data)), model, Options{}, func(*schema.SamplesBatch, *Result) error {
				emitted++
				return full
			})
			if c.emits > 0 && (err != full || emitted != 1) {
				t.Errorf("%s, depth %d: got %v after %d batches", c.name, depth, err, emitted)
			}
		}
	}
}

// After an error in the midst of a batch the model may be used again: nothing stays queued.
func TestQueuedIsDiscarded(t *testing.T) {
	m := identity()
	m.rows, m.weight[0][0] = 1, 2
	var rows []schema.Sample
	for k := range 4 {
		rows = append(rows, schema.Sample{ID: fmt.Sprint(k), Tensors: []any{[]float32{0, 0, 0}, []float32{0, 0, 0}}})
	}
	rows[0].Tensors[0] = []float32{3e38, 0, 0} // twice as much is not finite
	l := &lagging{linear: m, t: t, depth: 3}
	_, err := Run(context.Background(), identitySamples(m, rows...).reader(t), l, Options{}, func(*schema.SamplesBatch, *Result) error { return nil })
	if err == nil || l.most != 3 || len(l.parts) != 0 {
		t.Errorf("got %v, %d minibatches were queued and %d still are", err, l.most, len(l.parts))
	}
}

// within fails the test with what is wrong where c is not closed in a time that nothing takes.
func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Error(what)
	}
}

// The next batch is read while one is emitted; and one that is valued is emitted where the next is long in coming.
func TestReadsAhead(t *testing.T) {
	for depth := range 3 {
		m, s := random(rand.New(rand.NewPCG(6, 1)), 2, 3, 3)
		var model Predictor = m
		if depth > 0 {
			model = &lagging{linear: m, t: t, depth: depth}
		}
		r, w := io.Pipe() // without a buffer: what is written was read
		written, emitted, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			first := true
			_, err := Run(context.Background(), readerOf(t, r), model, Options{}, func(*schema.SamplesBatch, *Result) error {
				if first {
					first = false
					close(emitted)
					within(t, "the next batch is not read", written)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}()
		data := s.bytes(t, 1, 1, 1)
		part := len(s.bytes(t, 1))
		write := func(b []byte) {
			if _, err := w.Write(b); err != nil {
				t.Error(err)
			}
		}
		write(data[:part])
		within(t, fmt.Sprintf("depth %d: a batch waits for the next", depth), emitted)
		write(data[part : 2*part])
		close(written)
		write(data[2*part:])
		w.Close()
		within(t, "it does not end", done)
	}
}
