package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// mediaDecoder decodes rows of a Media; it belongs to one goroutine.
type mediaDecoder struct {
	*Media
	decoders []ChannelDecoder // of each modality
	cells    []Cell           // of one modality, of the rows that have it
	places   []int            // of these cells in the group
	dst      []any
	errs     []error
}

// NewDecoder implements Source.
func (m *Media) NewDecoder() (Decoder, error) {
	d := &mediaDecoder{Media: m}
	for _, c := range m.channels {
		decoder, err := c.NewDecoder()
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.decoders = append(d.decoders, decoder)
	}
	return d, nil
}

// Close closes the decoders that want it.
func (d *mediaDecoder) Close() error {
	var errs []error
	for _, decoder := range d.decoders {
		if c, ok := decoder.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
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
	for p := range d.channels {
		if ctx.Err() != nil {
			return
		}
		d.gather(p, first, rows, store)
		d.decodeChannel(ctx, p)
		for i, k := range d.places {
			if err := d.errs[i]; err != nil {
				rows[k].Failures = append(rows[k].Failures, d.failure(p, d.cells[i], err))
				continue
			}
			rows[k].Tensors[p] = d.dst[i]
		}
	}
}

// gather collects the cells of modality p in the rows that have it, and where their tensors go.
func (d *mediaDecoder) gather(p, first int, rows []Row, store [][]any) {
	if d.cells == nil {
		d.cells = make([]Cell, len(rows))
	}
	n := 0
	d.places, d.dst, d.errs = d.places[:0], d.dst[:0], d.errs[:0]
	for k := range rows {
		at := d.rows[first+k]
		if n == len(d.cells) {
			d.cells = append(d.cells, Cell{})
		}
		if !d.cell(&d.cells[n], d.channels[p], at) || d.absent[[2]int{at, p}] {
			continue
		}
		if store[k][p] == nil {
			store[k][p] = makeTensor(d.samples.Elements[p], d.samples.Modalities[p].Size())
		}
		d.places, d.dst, d.errs = append(d.places, k), append(d.dst, store[k][p]), append(d.errs, nil)
		n++
	}
}

// decodeChannel decodes the cells gathered, at once where the channel can.
func (d *mediaDecoder) decodeChannel(ctx context.Context, p int) {
	cells := d.cells[:len(d.places)]
	if batch, ok := d.decoders[p].(BatchDecoder); ok {
		if err := safely(func() error { batch.DecodeBatch(ctx, d.dst, cells, d.errs); return nil }); err != nil {
			for i := range d.errs {
				d.errs[i] = err
			}
		}
	} else {
		for i := range cells {
			if d.errs[i] = ctx.Err(); d.errs[i] != nil {
				return
			}
			d.errs[i] = safely(func() error { return d.decoders[p].Decode(ctx, d.dst[i], cells[i]) })
		}
	}
	shape := d.samples.Modalities[p].Shape
	for i, t := range d.dst {
		if x, ok := t.([]float32); ok && d.errs[i] == nil {
			if j := notFinite(x); j >= 0 {
				d.errs[i] = fmt.Errorf("the tensor's element %v is not finite", position(j, shape))
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
