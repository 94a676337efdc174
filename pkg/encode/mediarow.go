package encode

import (
	"errors"
	"fmt"
	"os"

	"mmtools/pkg/media"
)

// mediaDecoder decodes rows of a Media; it belongs to one goroutine.
type mediaDecoder struct {
	*Media
	sounds   []*soundDecoder // of each modality, nil for the other kind
	pictures []*media.Imager
}

// NewDecoder implements Source.
func (m *Media) NewDecoder() (Decoder, error) {
	d := &mediaDecoder{Media: m, sounds: make([]*soundDecoder, len(m.channels)), pictures: make([]*media.Imager, len(m.channels))}
	for p, c := range m.channels {
		var err error
		if c.picture != nil {
			d.pictures[p], err = c.picture.plan()
		} else {
			s := &soundDecoder{sound: *c.sound, filters: m.filters, wave: make([]float32, c.sound.samples())}
			s.plan, err = c.sound.plan()
			d.sounds[p] = s
		}
		if err != nil {
			return nil, err // both plans were made once before
		}
	}
	return d, nil
}

// Decode implements Decoder.
func (d *mediaDecoder) Decode(i int, row *Row, store []any) error {
	at := d.rows[i]
	fields := d.manifest.rows[at]
	row.ID, row.Label = fields[d.id], -1
	if d.label >= 0 && fields[d.label] != "" {
		row.Label = d.classes[fields[d.label]]
	}
	for p, c := range d.channels {
		row.Tensors[p] = nil
		if fields[c.column] == "" {
			continue
		}
		if err := d.file(p, fields[c.column], row, store); err != nil {
			return d.wrap(at, c, err)
		}
	}
	return nil
}

// file decodes one file of modality p.
func (d *mediaDecoder) file(p int, path string, row *Row, store []any) error {
	f, size, err := d.root.open(path)
	if err != nil {
		return err
	}
	n := d.samples.Modalities[p].Size()
	if d.pictures[p] != nil {
		t := tensor[uint8](store, p, n)
		row.Tensors[p], err = t, d.pictures[p].Decode(t, f)
	} else {
		t := tensor[float32](store, p, n)
		row.Tensors[p], err = t, d.sound(p, t, f, size)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// sound decodes a wav file; a sound so loud that its power has no float32 is an error.
func (d *mediaDecoder) sound(p int, t []float32, f *os.File, size int64) error {
	if err := d.sounds[p].decode(t, f, size); err != nil {
		return err
	}
	if j := notFinite(t); j >= 0 {
		mels := d.sounds[p].sound.Mels
		return fmt.Errorf("frame %d, band %d: the spectrogram is not finite", j/mels, j%mels)
	}
	return nil
}
