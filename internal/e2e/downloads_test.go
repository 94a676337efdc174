package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// downloads lays tiny folders in the shape of data sets' downloads into the script's folder, with the lists beside the media: sounds of one
// tone a class and three frames of one grey a class.
func downloads(ts *testscript.TestScript, _ bool, _ []string) {
	lists := map[string]string{}
	put := func(path string, data []byte) {
		path = ts.MkAbs(path)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
		ts.Check(os.WriteFile(path, data, 0o666))
	}
	clip := func(sound, frames string, class int) {
		put(sound, wav(300*float64(1+class)))
		for i := range 3 {
			if frames != "" {
				put(fmt.Sprintf("%s/frame_%05d.png", frames, i+1), grey(40*class+5*i))
			}
		}
	}
	for i := range 12 {
		split := []string{"train", "train", "test"}[i%3]
		actor := fmt.Sprintf("10%02d_IEO", i)
		class := []string{"NEU", "HAP"}[i%2]
		clip("CREMA-D/AudioWAV/"+actor+"_"+class+"_XX.wav", "CREMA-D/Image-01-FPS/"+actor+"_"+class+"_XX", i%2)
		lists["CREMA-D/"+split+".csv"] += fmt.Sprintf("%s_%s_XX,%s\n", actor, class, class)

		video := fmt.Sprintf("abcdefghi%02d", i)
		subset, label := map[string]string{"train": "training", "test": "testing"}[split], []string{"bowling", "singing"}[i%2]
		id, place := fmt.Sprintf("%s_%d", video, i), fmt.Sprintf("MM-Debiased/vggsound/audio/%s_%06d.wav", video, i)
		if i%4 == 3 {
			id = fmt.Sprintf("%s_%06d_%06d", video, i, i+10)
			place = fmt.Sprintf("MM-Debiased/kinetics400/train_wav/%s.wav", id)
		}
		clip(place, "", i%2)
		lists["MM-Debiased/MM-Debiased.json"] += fmt.Sprintf("%s%q: {\"subset\": %q, \"label\": %q}", map[bool]string{true: "{", false: ", "}[i == 0], id, subset, label)

		clip(fmt.Sprintf("my-clips/%s/%s/clip%d.wav", split, label, i), fmt.Sprintf("my-clips/%s/%s/clip%d", split, label, i), i%2)
	}
	lists["MM-Debiased/MM-Debiased.json"] += "}"
	for path, text := range lists {
		put(path, []byte(text))
	}
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

func grey(level int) []byte {
	m := image.NewGray(image.Rect(0, 0, 20, 16))
	for i := range m.Pix {
		m.Pix[i] = color.Gray{Y: uint8(level + i%3)}.Y
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // a picture in memory
	}
	return b.Bytes()
}
