package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

// chunk lays out one RIFF chunk, padded to an even length.
func chunk(name string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return chunk("RIFF", body)
}

// formatChunk lays out a format chunk; tag 0xfffe gives the extensible form of sub-format sub.
func formatChunk(tag, channels uint16, rate uint32, bits, sub uint16) []byte {
	le := binary.LittleEndian
	align := channels * ((bits + 7) / 8)
	b := le.AppendUint16(nil, tag)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*uint32(align))
	b = le.AppendUint16(b, align)
	b = le.AppendUint16(b, bits)
	if tag == 0xfffe {
		b = le.AppendUint16(b, 22)   // bytes that follow
		b = le.AppendUint16(b, bits) // valid bits
		b = le.AppendUint32(b, 0)    // speakers
		b = le.AppendUint16(b, sub)
		b = append(b, subtype...)
	}
	return chunk("fmt ", b)
}

func openWAV(t *testing.T, file []byte) *WAV {
	t.Helper()
	var w WAV
	if err := w.Open(bytes.NewReader(file), int64(len(file))); err != nil {
		t.Fatal(err)
	}
	return &w
}

func TestWAVFormats(t *testing.T) {
	le := binary.LittleEndian
	// 0.5, -1, and the smallest step above zero of each encoding; scales are powers of two, so the values are exact.
	for _, c := range []struct {
		name      string
		tag, bits uint16
		data      []byte
		step      float32
	}{
		{"8 bits, unsigned", 1, 8, []byte{192, 0, 129}, 1.0 / (1 << 7)},
		{"16 bits", 1, 16, []byte{0x00, 0x40, 0x00, 0x80, 0x01, 0x00}, 1.0 / (1 << 15)},
		{"12 bits of 16", 1, 12, []byte{0x00, 0x40, 0x00, 0x80, 0x10, 0x00}, 1.0 / (1 << 11)},
		{"20 bits of 24", 1, 20, []byte{0, 0, 0x40, 0, 0, 0x80, 0x10, 0, 0}, 1.0 / (1 << 19)},
		{"24 bits", 1, 24, []byte{0, 0, 0x40, 0, 0, 0x80, 1, 0, 0}, 1.0 / (1 << 23)},
		{"32 bits", 1, 32, []byte{0, 0, 0, 0x40, 0, 0, 0, 0x80, 1, 0, 0, 0}, 1.0 / (1 << 31)},
		{"32 bit float", 3, 32, le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, math.Float32bits(.5)), math.Float32bits(-1)), math.Float32bits(1e-20)), 1e-20},
		{"64 bit float", 3, 64, le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, math.Float64bits(.5)), math.Float64bits(-1)), math.Float64bits(1e-20)), 1e-20},
	} {
		for _, extensible := range []bool{false, true} {
			name, format := c.name, formatChunk(c.tag, 1, 8000, c.bits, 0)
			if extensible {
				name, format = name+", extensible", formatChunk(0xfffe, 1, 8000, c.bits, c.tag)
			}
			t.Run(name, func(t *testing.T) {
				w := openWAV(t, riff(format, chunk("data", c.data)))
				if w.Rate != 8000 || w.Channels != 1 || w.Frames != 3 {
					t.Fatalf("got %+v", w)
				}
				got := make([]float32, 3)
				if err := w.ReadMono(got, 0); err != nil {
					t.Fatal(err)
				}
				for i, want := range []float32{0.5, -1, c.step} {
					if got[i] != want {
						t.Errorf("frame %d: got %v, want %v", i, got[i], want)
					}
				}
			})
		}
	}
}

func TestWAVMixesChannels(t *testing.T) {
	var data []byte
	for i := range 50000 { // several blocks of three channels: i, 2i, 3i thousandths of the step
		for c := 1; c <= 3; c++ {
			data = binary.LittleEndian.AppendUint16(data, uint16(int16((i%5000)*c-7500)))
		}
	}
	file := riff(chunk("LIST", []byte("odd")), chunk("data", data), formatChunk(1, 3, 44100, 16, 0), chunk("junk", []byte{1}))
	w := openWAV(t, file)
	if w.Frames != 50000 || w.Rate != 44100 {
		t.Fatalf("got %+v", w)
	}
	got := make([]float32, 49000)
	if err := w.ReadMono(got, 1000); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if want := float32(2*((i+1000)%5000)-7500) / (1 << 15); v != want {
			t.Fatalf("frame %d: got %v, want the mean %v", i+1000, v, want)
		}
	}
}

func TestWAVRefuses(t *testing.T) {
	pcm, two := formatChunk(1, 1, 8000, 16, 0), chunk("data", []byte{1, 0, 2, 0})
	claim := func(n uint32) []byte { return binary.LittleEndian.AppendUint32([]byte("data"), n) }
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "shorter"},
		{"another format", []byte("OggS and so on, long enough"), "RIFF"},
		{"big endian", append([]byte("RIFX\x00\x00\x00\x00WAVE"), pcm...), "RIFF"},
		{"4 GiB claimed", riff(pcm, append(claim(math.MaxUint32), 1, 0)), `chunk "data" at byte 36 claims 4294967295`},
		{"cut", riff(pcm, two)[:46], "claims 4 bytes: the file has 2 more"},
		{"no data", riff(pcm), "no data chunk"},
		{"no format", riff(two), "no format chunk"},
		{"two formats", riff(pcm, pcm, two), "second format"},
		{"two data chunks", riff(two, two, pcm), "second data"},
		{"short format", riff(chunk("fmt ", make([]byte, 14)), two), "16 or more"},
		{"no channels", riff(formatChunk(1, 0, 8000, 16, 0), two), "0 channels"},
		{"no rate", riff(formatChunk(1, 1, 0, 16, 0), two), "rate 0"},
		{"mp3 inside", riff(formatChunk(0x55, 1, 8000, 16, 0), two), "encoding 85"},
		{"40 bits", riff(formatChunk(1, 1, 8000, 40, 0), two), "of 40 bits"},
		{"16 bit floats", riff(formatChunk(3, 1, 8000, 16, 0), two), "of 16 bits"},
		{"unknown sub-format", riff(bytes.Replace(formatChunk(0xfffe, 1, 8000, 16, 1), []byte(subtype), make([]byte, 14), 1), two), "sub-format"},
		{"extensible cut", riff(chunk("fmt ", formatChunk(0xfffe, 1, 8000, 16, 1)[8:24]), two), "sub-format"},
		{"half a frame", riff(pcm, chunk("data", []byte{1, 2, 3})), "whole number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w WAV
			err := w.Open(bytes.NewReader(c.file), int64(len(c.file)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	t.Run("wrong bytes a frame", func(t *testing.T) {
		file := riff(pcm, two)
		file[12+8+12] = 4
		var w WAV
		if err := w.Open(bytes.NewReader(file), int64(len(file))); err == nil || !strings.Contains(err.Error(), "4 bytes a frame") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("24 bits in 4 bytes", func(t *testing.T) {
		file := riff(formatChunk(1, 2, 8000, 24, 0), chunk("data", make([]byte, 24)))
		file[12+8+12] = 8
		var w WAV
		if err := w.Open(bytes.NewReader(file), int64(len(file))); err == nil || errors.Is(err, ErrEncoding) || !strings.Contains(err.Error(), "integers or floats") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not finite", func(t *testing.T) {
		data := binary.LittleEndian.AppendUint32(make([]byte, 8), math.Float32bits(float32(math.NaN())))
		w := openWAV(t, riff(formatChunk(3, 1, 8000, 32, 0), chunk("data", data)))
		if err := w.ReadMono(make([]float32, 3), 0); err == nil || !strings.Contains(err.Error(), "frame 2 ") {
			t.Errorf("got %v, want an error that names frame 2", err)
		}
	})
	t.Run("file shrinks", func(t *testing.T) {
		file := riff(pcm, two)
		var w WAV
		if err := w.Open(bytes.NewReader(file[:len(file)-1]), int64(len(file))); err != nil {
			t.Fatal(err)
		}
		if err := w.ReadMono(make([]float32, 2), 0); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
			t.Errorf("got %v", err)
		}
	})
}

// rf64 lays out a file whose data chunk's size stands in a ds64 chunk; table adds sizes of others.
func rf64(form string, dataSize uint64, table []byte, chunks ...[]byte) []byte {
	le := binary.LittleEndian
	ds64 := le.AppendUint64(nil, 0) // of the file, which nobody reads
	ds64 = le.AppendUint64(ds64, dataSize)
	ds64 = le.AppendUint64(ds64, 0) // frames
	ds64 = le.AppendUint32(ds64, uint32(len(table)/12))
	file := riff(append([][]byte{chunk("ds64", append(ds64, table...))}, chunks...)...)
	copy(file, form)
	le.PutUint32(file[4:], math.MaxUint32)
	return file
}

// longChunk is a chunk whose size must be looked up.
func longChunk(name string, data []byte) []byte {
	b := chunk(name, data)
	binary.LittleEndian.PutUint32(b[4:], math.MaxUint32)
	return b
}

func TestRF64(t *testing.T) {
	pcm, data := formatChunk(1, 1, 8000, 16, 0), []byte{0, 0x40, 0, 0x80}
	table := append([]byte("junk"), 3, 0, 0, 0, 0, 0, 0, 0)
	for _, form := range []string{"RF64", "BW64"} {
		w := openWAV(t, rf64(form, 4, table, pcm, longChunk("junk", []byte{1, 2, 3}), longChunk("data", data)))
		got := make([]float32, 2)
		if err := w.ReadMono(got, 0); err != nil || w.Frames != 2 || got[0] != 0.5 || got[1] != -1 {
			t.Errorf("%s: got %v, %d frames, %v", form, got, w.Frames, err)
		}
	}
	if w := openWAV(t, rf64("RF64", 99, nil, pcm, chunk("data", data))); w.Frames != 2 {
		t.Errorf("a size that fits stands in the chunk itself: got %d frames", w.Frames)
	}
	cut := rf64("RF64", 4, nil, pcm, longChunk("data", data))
	cut[12+8+24] = 9 // a table that is not there
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"5 GiB claimed", rf64("RF64", 5<<30, nil, pcm, longChunk("data", data)), `claims 5368709120 bytes: the file has 4 more`},
		{"half of all bytes claimed", rf64("RF64", 1<<63, nil, pcm, longChunk("data", data)), `chunk "data" of 9223372036854775808 bytes`},
		{"no ds64", func() []byte { f := riff(pcm, longChunk("data", data)); copy(f, "RF64"); return f }(), "no ds64 chunk before it"},
		{"no entry", rf64("RF64", 4, nil, pcm, longChunk("junk", data), longChunk("data", data)), `chunk "junk"`},
		{"short ds64", func() []byte { f := riff(chunk("ds64", make([]byte, 20)), pcm); copy(f, "RF64"); return f }(), "want 28"},
		{"table beyond the chunk", cut, "a table of 9 sizes"},
	} {
		var w WAV
		if err := w.Open(bytes.NewReader(c.file), int64(len(c.file))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(rf64("RF64", 40, append([]byte("junk"), 2, 0, 0, 0, 0, 0, 0, 0), formatChunk(1, 2, 8000, 16, 0), longChunk("junk", []byte{1, 2}), longChunk("data", make([]byte, 40))))
	f.Add(rf64("BW64", 1<<40, nil, formatChunk(3, 1, 8000, 32, 0), longChunk("data", make([]byte, 40))))
	f.Add(riff(formatChunk(1, 2, 8000, 16, 0), chunk("data", make([]byte, 40))))
	f.Add(riff(chunk("data", make([]byte, 48)), formatChunk(0xfffe, 1, 8000, 24, 1)))
	f.Add(riff(formatChunk(3, 1, 8000, 64, 0), chunk("data", make([]byte, 40))))
	f.Fuzz(func(t *testing.T, file []byte) {
		var w WAV
		if err := w.Open(bytes.NewReader(file), int64(len(file))); err != nil {
			return
		}
		if w.Frames < 0 || w.Frames > int64(len(file)) || w.Rate < 1 || w.Channels < 1 {
			t.Fatalf("%+v from %d bytes", w, len(file))
		}
		got := make([]float32, w.Frames)
		if err := w.ReadMono(got, 0); err != nil {
			return
		}
		for i, v := range got {
			if v-v != 0 {
				t.Fatalf("frame %d: %v", i, v)
			}
		}
	})
}
