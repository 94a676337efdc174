package valuation

import (
	"context"
	"errors"
	"io"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

// predictionsBatch is how many samples of a predictions stream are handed on at once.
const predictionsBatch = 1024

// RunPredictions values every modality of every sample of a predictions stream, which holds what some classifier
// predicts for every coalition of every sample: the rows of a sample together, in any order, so that memory does not
// grow with the stream. The modalities that none of a sample's coalitions name are those that it lacks; of the others
// every coalition has to be there, save the empty one, which counts for nothing but its own accuracy and as wrong where
// it is not given. emit gets the samples' ids and the position of the first; its arguments are borrowed until it
// returns, and Result.Logits is nil. name is what errors call the stream.
//
// Errors that are stream.ErrInput: a coalition missing or given twice, a modality that the stream does not name, a
// sample without a label or with two, a prediction or label that is no class.
func RunPredictions(ctx context.Context, in *schema.PredictionsReader, name string, emit func(ids []string, first int64, r *Result) error) (Summary, error) {
	h := in.Header()
	n := len(h.Modalities)
	if n < 1 || n > shapley.MaxPlayers {
		return Summary{}, stream.Errorf("%s: %d modalities, want 1 to %d to value every coalition", name, n, shapley.MaxPlayers)
	}
	g := newGrouping(name, h)
	g.emit = emit
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		b, err := in.Next()
		if errors.Is(err, io.EOF) {
			if err := g.finish(); err != nil {
				return Summary{}, err
			}
			return g.game.summary, g.flush()
		}
		if err != nil {
			return Summary{}, err
		}
		for i := range b.Rows() {
			if err := g.add(b.At(i)); err != nil {
				return Summary{}, err
			}
		}
	}
}

// grouping collects the rows of one sample after another.
type grouping struct {
	name    string // of the stream
	names   []string
	classes int
	emit    func(ids []string, first int64, r *Result) error
	game    *game
	row     int64 // of the stream

	open        bool // a sample is under way
	id          string
	label       int32
	union       modality.Coalition // of the coalitions seen
	distinct    int                // of them, the empty one not counted
	seen, right []bool             // (2^n)
	largest     modality.Coalition // seen so far, and what is predicted for it
	prediction  int32

	ids    []string
	first  int64 // position of the first of ids among the samples
	result Result
}

func newGrouping(name string, h schema.Header) *grouping {
	n := len(h.Modalities)
	g := &grouping{
		name: name, names: modality.Names(h.Modalities), classes: len(h.Classes), game: newGame(n),
		seen: make([]bool, 1<<n), right: make([]bool, 1<<n),
	}
	rows := predictionsBatch
	if n > 6 {
		rows = max(1, predictionsBatch>>(n-6)) // the rows of Right together stay as small as with 6 modalities
	}
	g.result.reset(rows, n, 0)
	g.result.Rows, g.result.Logits = 0, nil
	return g
}

// add takes in one row of the stream.
func (g *grouping) add(p schema.Prediction) error {
	if !g.open || p.ID != g.id {
		if err := g.finish(); err != nil {
			return err
		}
		if err := g.start(p); err != nil {
			return err
		}
	}
	switch {
	case p.Coalition&^modality.All(len(g.names)) != 0:
		return g.errorf("coalition %#x has a modality beyond the %d of the stream", uint64(p.Coalition), len(g.names))
	case g.seen[p.Coalition]:
		return g.errorf("coalition %s is given twice", p.Coalition.Label(g.names))
	case p.Label != g.label:
		return g.errorf("label %d, but %d in the rows before it", p.Label, g.label)
	case p.Prediction < 0 || int(p.Prediction) >= g.classes:
		return g.errorf("prediction %d, want 0 to %d", p.Prediction, g.classes-1)
	}
	g.seen[p.Coalition], g.right[p.Coalition] = true, p.Prediction == p.Label
	g.union |= p.Coalition
	if p.Coalition != 0 {
		g.distinct++
	}
	if p.Coalition.Size() >= g.largest.Size() {
		g.largest, g.prediction = p.Coalition, p.Prediction
	}
	g.row++
	return nil
}

// start begins the sample of row p.
func (g *grouping) start(p schema.Prediction) error {
	g.open, g.id, g.label = true, strings.Clone(p.ID), p.Label // the row is borrowed
	g.union, g.distinct, g.largest = 0, 0, 0
	clear(g.seen)
	clear(g.right)
	if p.Label < 0 {
		return g.errorf("no label, and whether a coalition is right cannot be told without one")
	}
	if int(p.Label) >= g.classes {
		return g.errorf("label %d, want 0 to %d", p.Label, g.classes-1)
	}
	return nil
}

// finish values the sample under way, if any.
func (g *grouping) finish() error {
	if !g.open {
		return nil
	}
	g.open = false
	m := g.union.Size()
	if missing := 1<<m - 1 - g.distinct; missing > 0 { // all seen are subsets of the union, and distinct
		return stream.Errorf("%s: the rows of id %q before row %d: %d of the %d coalitions of %s are missing, among them %s",
			g.name, g.id, g.row, missing, 1<<m-1, g.union.Label(g.names), g.unseen().Label(g.names))
	}
	n, r := len(g.names), &g.result
	won := g.game.won[:1<<m]
	gather(g.union, g.right, won)
	spread(g.union, won, g.right)
	r.Label[r.Rows], r.Prediction[r.Rows] = g.label, g.prediction
	g.game.count(g.right)
	g.game.value(g.union, won, r.Phi[r.Rows*n:][:n])
	if r.Right != nil {
		copy(r.Right[r.Rows<<n:], g.right)
	}
	r.Rows++
	g.ids = append(g.ids, g.id)
	if r.Rows == cap(r.Label) {
		return g.flush()
	}
	return nil
}

// unseen returns the first coalition of the union that has not been given.
func (g *grouping) unseen() modality.Coalition {
	for c := (0 - g.union) & g.union; c != 0; c = (c - g.union) & g.union { // the subsets of the union, in order
		if !g.seen[c] {
			return c
		}
	}
	panic("valuation: no coalition is missing")
}

// flush hands on the samples that are valued.
func (g *grouping) flush() error {
	r := g.result // its slices cut to the rows in use
	if r.Rows == 0 {
		return nil
	}
	n := len(g.names)
	r.Label, r.Prediction, r.Phi = r.Label[:r.Rows], r.Prediction[:r.Rows], r.Phi[:r.Rows*n]
	if r.Right != nil {
		r.Right = r.Right[:r.Rows<<n]
	}
	err := g.emit(g.ids, g.first, &r)
	g.first += int64(r.Rows)
	g.ids, g.result.Rows = g.ids[:0], 0
	return err
}

func (g *grouping) errorf(format string, args ...any) error {
	return stream.Errorf("%s: row %d, id %q: %w", g.name, g.row, g.id, stream.Errorf(format, args...))
}
