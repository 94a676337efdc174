package encode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mmtools/pkg/modality"
	"mmtools/pkg/onnx"
)

// EncoderSpec runs an ONNX model over what another Spec makes: its output stands in the stream for the raw tensor.
type EncoderSpec struct {
	Inner Spec
	EncoderOptions
}

// EncoderOptions say how a model is fed and what is kept of it.
type EncoderOptions struct {
	Name   string // of the modality that it is run over
	File   string // the model
	Input  string // "" for the model's first; of token ids, input_ids where there is one
	Output string // "" for the model's first
	Pool   onnx.Pool
	Each   Each
	Batch  int       // rows a run; 0 for the model's own, or onnx.DefaultBatch
	Divide float64   // what numbers are divided by first; 0 for 255 of uint8 where the model takes floats, else 1
	Mean   []float64 // taken off then, one for all or one a channel
	Std    []float64 // and divided by at last
	Last   bool      // the model wants the channels last
	CUDA   bool
}

// Each says whether the model runs on the whole tensor or on each of its slices along the first axis, such as the frames of a video.
type Each string

// What becomes of slices.
const (
	Whole   Each = "none" // the tensor goes in whole
	EachAll Each = "all"  // the outputs of the slices, one after the other
	EachOne Each = "mean" // the mean of the outputs of the slices
)

// ModalityName implements Spec.
func (s EncoderSpec) ModalityName() string { return s.Name }

// Open implements Spec: it loads the model and runs it once, on zeros.
func (s EncoderSpec) Open(in *Inputs) (Channel, error) {
	feed, err := s.open(in)
	if err != nil {
		return nil, err
	}
	c, err := s.load(feed)
	if err != nil {
		return nil, errors.Join(err, feed.Close())
	}
	return c, nil
}

func (s EncoderSpec) open(in *Inputs) (encoderFeed, error) {
	if t, ok := s.Inner.(TextSpec); ok && t.Tokens != nil {
		return openTokenFeed(t, s.EncoderOptions, in)
	}
	spec := s.Inner
	if f, ok := spec.(FeatureSpec); ok {
		f.wide = true // features are no pixels, which are divided by 255
		spec = f
	}
	inner, err := spec.Open(in)
	if err != nil {
		return nil, err
	}
	return &tensorFeed{Channel: inner, o: s.EncoderOptions}, nil
}

// encoderFeed is what a model is fed with: a channel whose cells become a model's inputs. Modality and Element are those of the raw tensor.
type encoderFeed interface {
	Channel
	// plan fits the cells to the model and says how many rows each becomes.
	plan(m *onnx.Model) (p onnx.Plan, rows int, err error)
	// newFeeder returns a feeder for one goroutine. It may be an io.Closer.
	newFeeder() (feeder, error)
}

// feeder makes inputs.
type feeder interface {
	// feed decodes the cell. What it returns, a slice for each input, holds all of the cell's rows, and is valid until the next call.
	feed(ctx context.Context, cell Cell) ([]any, error)
	// ahead may decode some of the cells that are fed next, from the first on, and returns how many these are: it is called again after them.
	ahead(ctx context.Context, cells []Cell) int
}

func (s EncoderSpec) load(feed encoderFeed) (*encoderChannel, error) {
	sum, err := modelDigest(s.File)
	if err != nil {
		return nil, err
	}
	model, err := onnx.Open(s.File, onnx.Options{CUDA: s.CUDA})
	if err != nil {
		return nil, err
	}
	plan, rows, err := feed.plan(model)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	plan.Output, plan.Pool, plan.Batch = s.Output, s.Pool, s.Batch
	encoder, err := model.Encoder(plan)
	if err != nil {
		return nil, err
	}
	c := &encoderChannel{encoderFeed: feed, o: s.EncoderOptions, encoder: encoder, rows: rows, sum: sum, shape: encoder.Shape()}
	c.width = size(c.shape)
	if s.Each == EachAll {
		c.shape = append([]int{rows}, c.shape...)
	}
	return c, nil
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// encoderChannel is one modality whose tensors a model makes.
type encoderChannel struct {
	encoderFeed
	o       EncoderOptions
	encoder *onnx.Encoder
	rows    int // of the model, a cell
	width   int // numbers of a row's output
	shape   []int
	sum     string // of the model's file
}

// Modality implements Channel.
func (c *encoderChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.encoderFeed.Modality().Name, Kind: modality.Embedding, Shape: c.shape}
}

// Element implements Channel.
func (c *encoderChannel) Element() Element { return Float32 }

// Options implements Channel. The device shapes the tensors by no more than rounding, and where the file lies not at all.
func (c *encoderChannel) Options() any {
	o := c.o
	o.File, o.CUDA = "", false
	return struct {
		Encoder EncoderOptions
		Model   string
		Raw     modality.Modality
		Inner   any
	}{o, c.sum, c.encoderFeed.Modality(), c.encoderFeed.Options()}
}

// hasClips implements clipChannel.
func (c *encoderChannel) hasClips() bool {
	feed, ok := c.encoderFeed.(*tensorFeed)
	return ok && feed.hasClips()
}

// Close implements Channel.
func (c *encoderChannel) Close() error { return errors.Join(c.encoder.Close(), c.encoderFeed.Close()) }

// NewDecoder implements Channel.
func (c *encoderChannel) NewDecoder() (ChannelDecoder, error) {
	feed, err := c.newFeeder()
	if err != nil {
		return nil, err
	}
	d := &encoderDecoder{encoderChannel: c, feeder: feed, out: make([]float32, c.width), sums: make([]float64, c.width)}
	if d.runner, err = c.encoder.NewRunner(); err != nil {
		return nil, errors.Join(err, closeIf(feed))
	}
	return d, nil
}

func closeIf(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// encoderDecoder runs a model on batches; it belongs to one goroutine. A cell's rows may lie in several batches.
type encoderDecoder struct {
	*encoderChannel
	feeder feeder
	runner *onnx.Runner
	places []place   // of the batch's rows
	out    []float32 // one row's output
	sums   []float64 // over the rows of one cell
}

// place is a cell and one of its rows.
type place struct{ cell, row int }

// Close frees the runner.
func (d *encoderDecoder) Close() error { return errors.Join(d.runner.Close(), closeIf(d.feeder)) }

// Decode implements ChannelDecoder.
func (d *encoderDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	errs := []error{nil}
	d.DecodeBatch(ctx, []any{dst}, []Cell{cell}, errs)
	return errs[0]
}

// DecodeBatch implements BatchDecoder.
func (d *encoderDecoder) DecodeBatch(ctx context.Context, dst []any, cells []Cell, errs []error) {
	d.places = d.places[:0]
	ahead := 0
	for i, cell := range cells {
		if i == ahead {
			ahead += d.feeder.ahead(ctx, cells[i:])
		}
		inputs, err := d.feeder.feed(ctx, cell)
		if err != nil {
			errs[i] = err
			continue
		}
		for row := 0; row < d.rows && errs[i] == nil; row++ {
			if errs[i] = d.put(inputs, row); errs[i] != nil {
				break // rows of this cell that stand in the batch already are run and dropped
			}
			d.places = append(d.places, place{i, row})
			if len(d.places) == d.encoder.Batch() {
				d.run(ctx, dst, errs)
			}
		}
	}
	if len(d.places) > 0 {
		d.run(ctx, dst, errs)
	}
}

// put sets the next row of the batch to one row of a cell.
func (d *encoderDecoder) put(inputs []any, row int) error {
	for k, x := range inputs {
		var part any
		switch x := x.(type) {
		case []float32:
			n := len(x) / d.rows
			part = x[row*n : (row+1)*n]
		case []uint8:
			n := len(x) / d.rows
			part = x[row*n : (row+1)*n]
		case []int64:
			n := len(x) / d.rows
			part = x[row*n : (row+1)*n]
		}
		if err := d.runner.Put(k, len(d.places), part); err != nil {
			return err
		}
	}
	return nil
}

// run runs the batch and hands its rows out.
func (d *encoderDecoder) run(ctx context.Context, dst []any, errs []error) {
	err := ctx.Err()
	if err == nil {
		err = d.runner.Run(len(d.places))
	}
	for k, p := range d.places {
		if errs[p.cell] = cmpErr(errs[p.cell], err); errs[p.cell] != nil {
			continue
		}
		d.runner.Take(k, d.out)
		d.keep(dst[p.cell].([]float32), p.row)
	}
	d.places = d.places[:0]
}

func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// keep writes a row's output to its cell's tensor. The rows of a cell come in order.
func (d *encoderDecoder) keep(dst []float32, row int) {
	if d.o.Each != EachOne {
		copy(dst[row*d.width:], d.out)
		return
	}
	if row == 0 {
		clear(d.sums)
	}
	for j, v := range d.out {
		d.sums[j] += float64(v)
	}
	if row == d.rows-1 {
		for j, sum := range d.sums {
			dst[j] = float32(sum / float64(d.rows))
		}
	}
}
