package encode

import (
	"reflect"
	"strings"
	"testing"

	"mmtools/pkg/media"
)

func TestParseSpec(t *testing.T) {
	sound := Sound{Transform: LogMel, Rate: 16000, Seconds: 1, Fit: media.Pad,
		Spectrogram: media.SpectrogramOptions{NFFT: 512, Hop: 256, Mels: 64, Scale: media.Slaney, Area: true}}
	with := func(change func(*Sound)) Sound { s := sound; change(&s); return s }
	for _, c := range []struct {
		text     string
		defaults map[string]string
		want     SoundSpec
	}{
		{"wav", nil, SoundSpec{Name: "audio", Column: "wav", Sound: sound}},
		{"left=wav", nil, SoundSpec{Name: "left", Column: "wav", Sound: sound}},
		{"left=wav:rate=8000,mels=40", nil, SoundSpec{Name: "left", Column: "wav", Sound: with(func(s *Sound) { s.Rate, s.Spectrogram.Mels = 8000, 40 })}},
		{"wav:seconds=0.5", nil, SoundSpec{Name: "audio", Column: "wav", Sound: with(func(s *Sound) { s.Seconds = 0.5 })}},
		{"wav:rate=8000", map[string]string{"rate": "44100", "hop": "128"}, SoundSpec{Name: "audio", Column: "wav", Sound: with(func(s *Sound) { s.Rate, s.Spectrogram.Hop = 8000, 128 })}},
		{"a:b", nil, SoundSpec{Name: "audio", Column: "a:b", Sound: sound}}, // a column's own colon
		{"x=a:b:rate=8000", nil, SoundSpec{Name: "x", Column: "a:b", Sound: with(func(s *Sound) { s.Rate = 8000 })}},
		{"=wav", nil, SoundSpec{Name: "audio", Column: "=wav", Sound: sound}},
	} {
		got, err := soundKind.ParseSpec(c.text, c.defaults)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", c.text, got, err, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{"wav:rat=8000", `no setting "rat": want transform, rate, seconds`},
		{"wav:rate=fast", "rate=fast: want a whole number"},
		{"wav:seconds=NaN", "seconds=NaN: want a number"},
		{"wav:rate", "want rate=HZ"},
		{"wav:rate=1,rate=2", "rate twice"},
		{"", "no column"},
		{"1=wav", "1"},
		{"label=wav", "reserved"},
	} {
		if _, err := soundKind.ParseSpec(c.text, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.text, err, c.want)
		}
	}
}

// Every kind parses with nothing but a column, and its keys' defaults can be read.
func TestKinds(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Kinds {
		if names[k.Name] {
			t.Errorf("kind %s twice", k.Name)
		}
		names[k.Name] = true
		column := "c"
		if k.Name == "flow" {
			column = "x+y"
		}
		spec, err := k.ParseSpec(column, nil)
		if err != nil || spec.ModalityName() != k.Name {
			t.Errorf("kind %s: %v, %v", k.Name, spec, err)
		}
		for _, key := range k.Keys {
			if !strings.HasSuffix(key.Help, ".") || key.Placeholder == "" && key.Default != "false" {
				t.Errorf("kind %s: key %s: want a placeholder and a sentence of help", k.Name, key.Name)
			}
		}
	}
}

// Whatever a spec says, it is read or refused, and what is read names a modality and leaves no setting out of bounds unseen.
func FuzzParseSpec(f *testing.F) {
	for _, text := range []string{"wav", "a=wav:rate=8000,mels=40", "a:b:size=3x4,mode=grey", "=:,=", "x=y:rate"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range Kinds {
			spec, err := k.ParseSpec(text, nil)
			if err == nil && spec.ModalityName() == "" {
				t.Errorf("%s %q: a modality without a name", k.Name, text)
			}
		}
	})
}

// Whatever a file holds, it is a list with rows as wide as its columns, or an error that names it.
func FuzzReadManifest(f *testing.F) {
	for _, text := range []string{"id,label\na,1\n", "id\n\"a\nb\"\n", "\ufeffid\n", "a,a\n", "id\n\xff\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := write(t, t.TempDir(), "list.csv", text)
		l, err := ReadManifest(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		for row := range l.Rows() {
			for column := range l.Columns() {
				l.Field(row, column)
			}
			l.Place(row)
		}
	})
}
