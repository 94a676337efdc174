package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// clipMedia are the files that can be made of a clip of a class, two seconds long. Those of ffmpeg's making are nil without it.
type clipMedia struct {
	wav, mp4, avi, flv   []byte
	frames, flowX, flowY [][]byte // jpegs
}

// makeMedia makes a class's: a tone of its own, and pictures of a brightness of their own that move.
func makeMedia(ts *testscript.TestScript, class int) clipMedia {
	m := clipMedia{wav: wav(300 * float64(1+class))}
	for i := range 10 {
		m.frames = append(m.frames, grey(40*class+50+5*i))
		m.flowX = append(m.flowX, grey(128+20*class+i))
		m.flowY = append(m.flowY, grey(128-20*class-i))
	}
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return m
	}
	dir := ts.MkAbs(fmt.Sprintf("media-of-class-%d", class))
	ts.Check(os.Mkdir(dir, 0o777))
	defer os.RemoveAll(dir) // read by then
	cmd := exec.Command(ffmpeg, "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=96x64:rate=5:duration=2,hue=h=%d", 120*class),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=%d:sample_rate=22050:duration=2", 300*(1+class)),
		"-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "clip.mp4", "-c:v", "mpeg4", "-c:a", "pcm_s16le", "clip.avi", "-c:v", "flv", "-c:a", "pcm_s16le", "clip.flv")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("making videos: %v: %s", err, out)
	}
	for name, data := range map[string]*[]byte{"clip.mp4": &m.mp4, "clip.avi": &m.avi, "clip.flv": &m.flv} {
		*data, err = os.ReadFile(filepath.Join(dir, name))
		ts.Check(err)
	}
	return m
}

// spectrogram is an npy file of 1,024 frames of 128 bands, as the published Kinetics-Sounds features are, of one level a class.
func spectrogram(class int) []byte {
	const frames, bands = 1024, 128
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }\n", frames, bands)
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	b = append(b, header...)
	for i := range frames * bands {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(class)-0.5+float32(i%7)/8))
	}
	return b
}

// wav is half a second of a tone, 16 bits, 16 kHz.
func wav(hertz float64) []byte {
	const rate, frames = 16000, 8000
	le := binary.LittleEndian
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), 16, 0, 0, 0, 1, 0, 1, 0)
	b = le.AppendUint32(le.AppendUint32(b, rate), 2*rate)
	b = le.AppendUint32(append(append(b, 2, 0, 16, 0), "data"...), 2*frames)
	for i := range frames {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hertz*float64(i)/rate))))
	}
	return b
}

// grey is a jpeg of 20x16 pixels around a level.
func grey(level int) []byte {
	m := image.NewGray(image.Rect(0, 0, 20, 16))
	for i := range m.Pix {
		m.Pix[i] = uint8(level + i%3)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err) // a picture in memory
	}
	return b.Bytes()
}
