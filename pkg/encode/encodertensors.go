package encode

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/onnx"
)

// tensorFeed feeds a model with a channel's tensors.
type tensorFeed struct {
	Channel
	o     EncoderOptions
	input onnx.Port
	scale []float64 // (channels, or one) what to multiply with
	shift []float64 // and to add
	raw   bool      // uint8 goes in as it is
}

func (f *tensorFeed) plan(m *onnx.Model) (p onnx.Plan, rows int, err error) {
	shape := f.Modality().Shape
	rows = 1
	if f.o.Each != Whole {
		if len(shape) < 2 {
			return p, 0, fmt.Errorf("each=%s: a tensor of %v has no slices that are tensors", f.o.Each, shape)
		}
		rows, shape = shape[0], shape[1:]
	}
	inputs := m.Inputs()
	i := 0
	if f.o.Input != "" {
		i = slices.IndexFunc(inputs, func(p onnx.Port) bool { return p.Name == f.o.Input })
	}
	if i >= 0 && i < len(inputs) { // else the plan's own error says what there is
		f.input = inputs[i]
	}
	if err := f.normal(shape); err != nil {
		return p, 0, err
	}
	if whole := f.input.Type == onnx.Uint8 || f.input.Type == onnx.Int32 || f.input.Type == onnx.Int64; whole && !(f.raw && f.Element() == Uint8) {
		return p, 0, fmt.Errorf("input %s takes whole numbers, and %s is not made of such", f.input, f.Modality().Name)
	}
	if f.o.Last {
		if len(shape) < 3 {
			return p, 0, fmt.Errorf("layout=hwc: a tensor of %v has no channels, rows and columns", shape)
		}
		n := len(shape)
		shape = append(slices.Clone(shape[:n-3]), shape[n-2], shape[n-1], shape[n-3])
	}
	return onnx.Plan{Inputs: []onnx.Input{{Name: f.o.Input, Shape: shape}}, Mask: -1}, rows, nil
}

// normal works out what each channel is multiplied with and what is added: (x/divide - mean) / std.
func (f *tensorFeed) normal(shape []int) error {
	floats := f.input.Type == onnx.Float32 || f.input.Type == onnx.Float16 || f.input.Type == onnx.Float64
	divide := f.o.Divide
	if divide == 0 {
		divide = 1
		if floats && f.Element() == Uint8 {
			divide = 255
		}
	}
	f.raw = divide == 1 && f.o.Mean == nil && f.o.Std == nil
	channels := 1
	if len(shape) >= 3 {
		channels = shape[len(shape)-3]
	}
	n := max(len(f.o.Mean), len(f.o.Std), 1)
	for name, list := range map[string][]float64{"mean": f.o.Mean, "std": f.o.Std} {
		if len(list) > 1 && len(list) != channels || len(list) == 1 && n > 1 {
			return fmt.Errorf("%s: %d numbers for %d channels, of a tensor of %v", name, len(list), channels, shape)
		}
	}
	for c := range n {
		mean, std := 0.0, 1.0
		if f.o.Mean != nil {
			mean = f.o.Mean[c]
		}
		if f.o.Std != nil {
			std = f.o.Std[c]
		}
		if std == 0 {
			return errors.New("std: want no 0")
		}
		f.scale, f.shift = append(f.scale, 1/(divide*std)), append(f.shift, -mean/std)
	}
	return nil
}

// hasClips implements clipChannel.
func (f *tensorFeed) hasClips() bool {
	inner, ok := f.Channel.(clipChannel)
	return ok && inner.hasClips()
}

func (f *tensorFeed) newFeeder() (feeder, error) {
	decoder, err := f.NewDecoder()
	if err != nil {
		return nil, err
	}
	m := f.Modality()
	return &tensorFeeder{tensorFeed: f, part: part{decoder: decoder}, raw: makeTensor(f.Element(), m.Size()), x: make([]float32, m.Size()),
		y: make([]float32, m.Size())}, nil
}

// tensorFeeder decodes raw tensors and normalises them; it belongs to one goroutine.
type tensorFeeder struct {
	*tensorFeed
	part part // what ahead has decoded
	next int  // of its cells, the first that is not fed
	raw  any
	x, y []float32
}

// Close closes the raw decoder.
func (f *tensorFeeder) Close() error { return closeIf(f.part.decoder) }

// ahead decodes the first of the cells, together where ffmpeg does that, and returns how many.
func (f *tensorFeeder) ahead(ctx context.Context, cells []Cell) int {
	p := &f.part
	f.next, p.cells, p.places, p.errs = 0, nil, p.places[:0], p.errs[:0]
	if _, ok := p.decoder.(clipDecoder); !ok {
		return len(cells) // each as it is fed
	}
	raw := size(f.Modality().Shape)
	p.cells = cells[:min(len(cells), clipRows, max(1, clipBytes/(raw*f.Element().Size())))]
	for i := range p.cells {
		p.places, p.errs = append(p.places, i), append(p.errs, nil)
		if i == len(p.dst) {
			p.dst = append(p.dst, makeTensor(f.Element(), raw))
		}
	}
	decodeClips(ctx, []part{*p}, len(p.cells))
	return len(p.cells)
}

// decode makes the raw tensor of a cell, if ahead has not.
func (f *tensorFeeder) decode(ctx context.Context, cell Cell) error {
	if f.next == len(f.part.cells) {
		return f.part.decoder.Decode(ctx, f.raw, cell)
	}
	f.raw = f.part.dst[f.next]
	f.next++
	return f.part.errs[f.next-1]
}

func (f *tensorFeeder) feed(ctx context.Context, cell Cell) ([]any, error) {
	if err := f.decode(ctx, cell); err != nil {
		return nil, err
	}
	if bytes, ok := f.raw.([]uint8); ok && f.tensorFeed.raw && !f.o.Last {
		return []any{bytes}, nil
	}
	f.widen()
	shape := f.Modality().Shape
	plane := len(f.x)
	if len(f.scale) > 1 {
		plane = size(shape[len(shape)-2:])
	}
	for at := 0; at < len(f.x); at += plane {
		c := at / plane % len(f.scale)
		for i := range plane {
			f.x[at+i] = float32(float64(f.x[at+i])*f.scale[c] + f.shift[c])
		}
	}
	if !f.o.Last {
		return f.typed(f.x), nil
	}
	channelsLast(f.y, f.x, shape[len(shape)-3:])
	return f.typed(f.y), nil
}

// widen writes the raw tensor to x.
func (f *tensorFeeder) widen() {
	switch raw := f.raw.(type) {
	case []float32:
		copy(f.x, raw)
	case []uint8:
		for i, v := range raw {
			f.x[i] = float32(v)
		}
	default:
		panic(fmt.Sprintf("encode: an encoder over %T", raw))
	}
}

// typed returns whole numbers as such where the model wants them: pixels that only changed places.
func (f *tensorFeeder) typed(x []float32) []any {
	bytes, ok := f.raw.([]uint8)
	if !ok || !f.tensorFeed.raw {
		return []any{x}
	}
	for i, v := range x {
		bytes[i] = uint8(v)
	}
	return []any{bytes}
}

// channelsLast turns (..., C, H, W) into (..., H, W, C).
func channelsLast(dst, x []float32, shape []int) {
	channels, plane := shape[0], shape[1]*shape[2]
	for at := 0; at < len(x); at += channels * plane {
		for c := range channels {
			for i := range plane {
				dst[at+i*channels+c] = x[at+c*plane+i]
			}
		}
	}
}
