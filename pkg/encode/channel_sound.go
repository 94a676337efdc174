package encode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"mmtools/pkg/ffmpeg"
	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// SoundSpec makes a tensor of the sound in the files of a column: a spectrogram, (frames, bands) float32, or the samples.
type SoundSpec struct {
	Name       string // of the modality
	Column     string
	Start, End string // columns of the seconds in the file to take; "" for its beginning and its end
	Sound      Sound
}

// soundChannel decodes the sounds of one column.
type soundChannel struct {
	fileChannel
	clips   clipColumns
	sound   Sound
	shape   []int
	filters *resamplers
	tools   *children
	wavs    bool // the first file is called one
}

// ModalityName implements Spec.
func (s SoundSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s SoundSpec) Open(in *Inputs) (Channel, error) {
	clips, more := clipsOf(s.Start, s.End)
	files, err := in.files(s.Name, s.Column, more...)
	if err != nil {
		return nil, err
	}
	plan, err := s.Sound.plan()
	if err != nil {
		return nil, err
	}
	shape := []int{s.Sound.samples()}
	if plan != nil {
		shape = plan.Shape()
	}
	return &soundChannel{files, clips, s.Sound, shape, newResamplers(), &children{}, firstIsWAV(in.List, files.columns[0])}, nil
}

// firstIsWAV says whether a column's first file is called a wav. Only the speed depends on it.
func firstIsWAV(l List, column int) bool {
	for row := range l.Rows() {
		if name := l.Field(row, column); name != "" {
			return strings.EqualFold(path.Ext(name), ".wav")
		}
	}
	return true
}

func (c *soundChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Audio, Shape: c.shape}
}

func (c *soundChannel) Element() Element { return Float32 }
func (c *soundChannel) Options() any     { return c.sound }
func (c *soundChannel) hasClips() bool   { return !c.wavs }

func (c *soundChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.sound.plan()
	return &soundDecoder{soundChannel: c, plan: plan, wave: make([]float32, c.sound.samples())}, err
}

// soundDecoder decodes sounds; it belongs to one goroutine.
type soundDecoder struct {
	*soundChannel
	plan  *media.Spectrogram // nil for the wave itself
	wav   media.WAV
	mono  []float32
	part  []float32   // that wraps
	wave  []float32   // (samples)
	spare [][]float32 // for the sound of clips
}

// Decode implements ChannelDecoder. Only the part of the file that the tensor depends on is read.
func (d *soundDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	return decodeClip(ctx, d, dst, cell)
}

// begin implements clipDecoder. It decodes wav files itself.
func (d *soundDecoder) begin(_ context.Context, dst any, cell Cell) (*clip, error) {
	cut, err := d.clips.of(cell)
	if err != nil {
		return nil, err
	}
	f, size, err := d.folder.Open(cell.Fields[0])
	if err != nil {
		return nil, err
	}
	mono, err := d.readWAV(f, size, cut, cell.ID)
	if errors.Is(err, media.ErrForm) || errors.Is(err, media.ErrEncoding) {
		tools, err := d.tools.get()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return d.clip(tools, f, size, cut, dst.([]float32), cell.ID), nil
	}
	defer f.Close() // it was only read
	if err != nil {
		return nil, err
	}
	return nil, d.tensor(dst.([]float32), mono, d.wav.Rate)
}

// clip says what ffmpeg is to do for a tensor.
func (d *soundDecoder) clip(tools *ffmpeg.Tools, f *os.File, size int64, cut ffmpeg.Cut, dst []float32, id string) *clip {
	if longest := d.sound.longest(); longest > 0 {
		longest += 0.1 // for the resampler's filter
		if cut.Duration <= 0 || cut.Duration > longest {
			cut.Duration = longest
		}
	}
	seconds := cut.Duration
	if said, known := ffmpeg.ReadHeader(f, size); known && (seconds <= 0 || said.SoundDuration < seconds) {
		seconds = said.SoundDuration
	}
	job := &ffmpeg.SoundJob{File: f, Cut: cut, Limit: maxSoundSamples}
	if n := len(d.spare); n > 0 {
		job.Samples, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	samples := int(min(seconds, maxSoundSamples/usualRate) * usualRate)
	return &clip{
		tools: tools, file: f, job: job,
		load: load{bytes: size, samples: samples, alone: samples == 0},
		finish: func() error {
			err := d.cropped(dst, job.Samples, job.Rate, id)
			if len(d.spare) < maxClips {
				d.spare = append(d.spare, job.Samples)
			}
			return err
		},
	}
}

// cropped makes the tensor of a part of a sound.
func (d *soundDecoder) cropped(dst, mono []float32, rate int, id string) error {
	filter, err := d.filters.get(rate, d.sound.Rate)
	if err != nil {
		return err
	}
	part := d.sound.spanOf(int64(len(mono)), int64(filter.Need(len(d.wave))), rate, id)
	return d.tensor(dst, d.cut(mono, part), rate)
}

// cut returns a part of a sound.
func (d *soundDecoder) cut(sound []float32, part span) []float32 {
	if !part.wraps(int64(len(sound))) {
		return sound[part.first:][:part.count]
	}
	d.part = d.part[:0]
	for at := part.first; int64(len(d.part)) < part.count; at = 0 {
		rest := part.count - int64(len(d.part))
		d.part = append(d.part, sound[at:min(int64(len(sound)), at+rest)]...)
	}
	return d.part
}

// tensor makes the tensor of a sound.
func (d *soundDecoder) tensor(dst, mono []float32, rate int) error {
	if len(mono) == 0 {
		return errors.New("no sound: the file, or the part of it, is empty")
	}
	n, err := d.resample(mono, rate)
	if err != nil {
		return err
	}
	return d.transform(dst, n)
}

// readWAV reads the part of a wav file that is wanted.
func (d *soundDecoder) readWAV(f *os.File, size int64, cut ffmpeg.Cut, id string) ([]float32, error) {
	if err := d.wav.Open(f, size); err != nil {
		return nil, err
	}
	filter, err := d.filters.get(d.wav.Rate, d.sound.Rate)
	if err != nil {
		return nil, err
	}
	rate := float64(d.wav.Rate)
	first, end := min(d.wav.Frames, int64(cut.Start*rate+0.5)), d.wav.Frames
	if cut.Duration > 0 && cut.Duration*rate < float64(end-first) {
		end = first + int64(cut.Duration*rate+0.5)
	}
	part := d.sound.spanOf(end-first, int64(filter.Need(len(d.wave))), d.wav.Rate, id)
	if !part.wraps(end - first) {
		return d.readMono(first+part.first, part.count)
	}
	mono, err := d.readMono(first, end-first) // which is shorter than the seconds that the part lies in
	if err != nil {
		return nil, err
	}
	return d.cut(mono, part), nil
}

func (d *soundDecoder) readMono(first, n int64) ([]float32, error) {
	if int64(cap(d.mono)) < n {
		d.mono = make([]float32, n)
	}
	return d.mono[:n], d.wav.ReadMono(d.mono[:n], first)
}

// resample fills the wave from a sound, and returns how much of it is the sound; the rest is still to be filled.
func (d *soundDecoder) resample(mono []float32, rate int) (int, error) {
	filter, err := d.filters.get(rate, d.sound.Rate)
	if err != nil {
		return 0, err
	}
	n := min(len(d.wave), filter.Len(len(mono)))
	filter.Resample(d.wave[:n], mono)
	if d.sound.Clip {
		for i, v := range d.wave[:n] {
			d.wave[i] = max(-1, min(1, v))
		}
	}
	return n, nil
}

// transform makes the tensor of the wave, whose first n samples are the sound.
func (d *soundDecoder) transform(dst []float32, n int) error {
	wave := d.wave
	switch fit := d.sound.Fit; fit {
	case LateFit:
		wave = wave[:n]
	case "":
		fit = media.Pad
		fallthrough
	default:
		if err := fit.Apply(wave, n); err != nil {
			return err
		}
	}
	if d.plan == nil {
		copy(dst, wave)
		return nil
	}
	return d.plan.Transform(dst, wave)
}

// clipColumns say which of a cell's fields are seconds.
type clipColumns struct{ start, end int } // 0 for none

// clipsOf returns the places of two columns, either "", in a cell that has them after its first, and their names.
func clipsOf(start, end string) (c clipColumns, names []string) {
	if start != "" {
		names = append(names, start)
		c.start = len(names)
	}
	if end != "" {
		names = append(names, end)
		c.end = len(names)
	}
	return c, names
}

// of returns the part of the file that a cell's seconds name; an empty field stands for the beginning or the end.
func (c clipColumns) of(cell Cell) (cut ffmpeg.Cut, err error) {
	read := func(place int, what string) (float64, error) {
		if place == 0 || cell.Fields[place] == "" {
			return 0, nil
		}
		s, err := strconv.ParseFloat(cell.Fields[place], 64)
		if err != nil || !(s >= 0 && s < 1e9) {
			return 0, fmt.Errorf("%s %q: want seconds", what, cell.Fields[place])
		}
		return s, nil
	}
	if cut.Start, err = read(c.start, "start"); err != nil {
		return cut, err
	}
	end, err := read(c.end, "end")
	if err != nil {
		return cut, err
	}
	if c.end != 0 && cell.Fields[c.end] != "" {
		if end <= cut.Start {
			return cut, fmt.Errorf("end %g: not after the start, %g", end, cut.Start)
		}
		cut.Duration = end - cut.Start
	}
	return cut, nil
}
