package encode

import (
	"context"
	"errors"
	"fmt"
)

// mediaDecoder decodes rows of a Media; it belongs to one goroutine.
type mediaDecoder struct {
	*Media
	parts []part // of each modality
}

// NewDecoder implements Source.
func (m *Media) NewDecoder() (Decoder, error) {
	d := &mediaDecoder{Media: m}
	for _, c := range m.channels {
		decoder, err := c.NewDecoder()
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.parts = append(d.parts, part{decoder: decoder})
	}
	return d, nil
}

// Close closes the decoders that want it.
func (d *mediaDecoder) Close() error {
	var errs []error
	for _, p := range d.parts {
		errs = append(errs, closeIf(p.decoder))
	}
	return errors.Join(errs...)
}

// Decode implements Decoder, modality by modality.
func (d *mediaDecoder) Decode(ctx context.Context, first int, rows []Row, store [][]any) {
	for k := range rows {
		at := d.rows[first+k]
		row := &rows[k]
		*row = Row{Index: first + k, ID: d.list.Field(at, d.id), Label: d.labelOf(at), Tensors: row.Tensors, Failures: row.Failures[:0]}
		clear(row.Tensors)
	}
	for p := range d.parts {
		d.gather(p, first, rows, store)
	}
	decodeClips(ctx, d.parts, len(rows))
	for p := range d.parts {
		if ctx.Err() != nil {
			return
		}
		part := &d.parts[p]
		part.decodeRest(ctx)
		part.checkFinite(d.samples.Modalities[p].Shape)
		for i, k := range part.places {
			if err := part.errs[i]; err != nil {
				rows[k].Failures = append(rows[k].Failures, d.failure(p, part.cells[i], err))
				continue
			}
			rows[k].Tensors[p] = part.dst[i]
		}
	}
}

// gather collects the cells of modality p in the rows that have it, and where their tensors go.
func (d *mediaDecoder) gather(p, first int, rows []Row, store [][]any) {
	part := &d.parts[p]
	cells := part.cells[:cap(part.cells)] // whose fields are used again
	n := 0
	part.places, part.dst, part.errs = part.places[:0], part.dst[:0], part.errs[:0]
	for k := range rows {
		at := d.rows[first+k]
		if n == len(cells) {
			cells = append(cells, Cell{})
		}
		if !d.cell(&cells[n], d.channels[p], at) || d.absent[[2]int{at, p}] {
			continue
		}
		if store[k][p] == nil {
			store[k][p] = makeTensor(d.samples.Elements[p], d.samples.Modalities[p].Size())
		}
		part.places, part.dst, part.errs = append(part.places, k), append(part.dst, store[k][p]), append(part.errs, nil)
		n++
	}
	part.cells = cells[:n]
}

// part is what is to be decoded of one modality.
type part struct {
	decoder ChannelDecoder
	cells   []Cell // in the rows that have it
	places  []int  // of these rows, ascending
	dst     []any
	errs    []error
}

// decode decodes cell i by itself.
func (p *part) decode(ctx context.Context, i int) {
	if p.errs[i] = ctx.Err(); p.errs[i] == nil {
		p.errs[i] = safely(func() error { return p.decoder.Decode(ctx, p.dst[i], p.cells[i]) })
	}
}

// decodeRest decodes what is no clip, at once where the decoder can.
func (p *part) decodeRest(ctx context.Context) {
	switch decoder := p.decoder.(type) {
	case clipDecoder: // see decodeClips
	case BatchDecoder:
		if err := safely(func() error { decoder.DecodeBatch(ctx, p.dst, p.cells, p.errs); return nil }); err != nil {
			for i := range p.errs {
				p.errs[i] = err
			}
		}
	default:
		for i := range p.cells {
			p.decode(ctx, i)
		}
	}
}

// checkFinite makes an error of a tensor with a number that is not.
func (p *part) checkFinite(shape []int) {
	for i, t := range p.dst {
		if x, ok := t.([]float32); ok && p.errs[i] == nil {
			if j := notFinite(x); j >= 0 {
				p.errs[i] = fmt.Errorf("the tensor's element %v is not finite", position(j, shape))
			}
		}
	}
}

// safely runs decode and makes an error of a panic: a decoder of media that nobody vouches for must not end a run of hours.
func safely(decode func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder broke down: %v", p)
		}
	}()
	return decode()
}

// position returns the indices of element j of a row-major tensor.
func position(j int, shape []int) []int {
	at := make([]int, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		at[i], j = j%shape[i], j/shape[i]
	}
	return at
}
