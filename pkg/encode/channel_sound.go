package encode

import (
	"context"
	"errors"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// SoundSpec makes a log-mel spectrogram, (frames, mels) float32, of the wav files of a column.
type SoundSpec struct {
	Name   string // of the modality
	Column string
	Sound  Sound
}

// soundChannel decodes the sounds of one column.
type soundChannel struct {
	fileChannel
	sound   Sound
	shape   []int
	filters *resamplers
}

// ModalityName implements Spec.
func (s SoundSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s SoundSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.Column)
	if err != nil {
		return nil, err
	}
	plan, err := s.Sound.plan()
	if err != nil {
		return nil, err
	}
	return &soundChannel{files, s.Sound, plan.Shape(), newResamplers()}, nil
}

func (c *soundChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Audio, Shape: c.shape}
}

func (c *soundChannel) Element() Element { return Float32 }
func (c *soundChannel) Options() any     { return c.sound }

func (c *soundChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.sound.plan()
	return &soundDecoder{soundChannel: c, plan: plan, wave: make([]float32, c.sound.samples())}, err
}

// soundDecoder decodes wav files; it belongs to one goroutine.
type soundDecoder struct {
	*soundChannel
	plan *media.LogMel
	wav  media.WAV
	mono []float32
	wave []float32 // (samples)
}

// Decode implements ChannelDecoder. Only the part of the file that the spectrogram depends on is read.
func (d *soundDecoder) Decode(_ context.Context, dst any, cell Cell) error {
	f, size, err := d.folder.Open(cell.Fields[0])
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	if err := d.wav.Open(f, size); err != nil {
		return err
	}
	if d.wav.Frames == 0 {
		return errors.New("no sound: the data chunk is empty")
	}
	filter, err := d.filters.get(d.wav.Rate, d.sound.Rate)
	if err != nil {
		return err
	}
	frames := int(min(d.wav.Frames, int64(filter.Need(len(d.wave)))))
	if cap(d.mono) < frames {
		d.mono = make([]float32, frames)
	}
	mono := d.mono[:frames]
	if err := d.wav.ReadMono(mono, 0); err != nil {
		return err
	}
	n := min(len(d.wave), filter.Len(frames))
	filter.Resample(d.wave[:n], mono)
	clear(d.wave[n:])
	d.plan.Transform(dst.([]float32), d.wave)
	return nil
}

var soundKind = Kind{
	Name: "audio",
	Help: "A log-mel spectrogram of the sound in a wav file.",
	Keys: []Key{
		{"rate", "HZ", "16000", "Resample to HZ frames a second."},
		{"seconds", "S", "1", "Cut after S seconds, and fill shorter sounds up with silence."},
		{"n-fft", "N", "512", "Take the spectrum over N samples."},
		{"window", "N", "0", "Weigh them with a Hann window of N samples; 0 takes that of n-fft."},
		{"hop", "N", "256", "Move N samples from one spectrum to the next."},
		{"mels", "N", "64", "Sum the spectrum in N mel bands."},
	},
	Parse: func(name, column string, v *Values) Spec {
		return SoundSpec{name, column, Sound{Rate: v.Int("rate"), Seconds: v.Float("seconds"), NFFT: v.Int("n-fft"),
			Window: v.Int("window"), Hop: v.Int("hop"), Mels: v.Int("mels")}}
	},
}
