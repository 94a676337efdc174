package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"mmtools/internal/exits"
	"mmtools/internal/onnxfixture"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mm-encode": main, "show": show})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: fixtures,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits.Command}, Condition: condition})
}

// condition: onnx, where there is an ONNX Runtime to test with; card, where there is an NVIDIA card that it may find.
func condition(name string) (bool, error) {
	switch name {
	case "onnx":
		return onnxfixture.Find() != "", nil
	case "card":
		_, err := os.Stat("/dev/nvidiactl")
		return err == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// fixtures lays tiny arrays, sounds and images of four samples into a script's folder.
func fixtures(env *testscript.Env) error {
	var mel, pixels, nan []byte
	for i := range 4 * 6 {
		mel = binary.LittleEndian.AppendUint32(mel, math.Float32bits(float32(i)/4))
		pixels = append(pixels, byte(10*i))
	}
	for _, v := range []float64{0, 1, 2, math.NaN()} {
		nan = binary.LittleEndian.AppendUint64(nan, math.Float64bits(v))
	}
	files := map[string][]byte{
		"mel.npy":    npy("<f4", "(4, 6)", mel),
		"pixels.npy": npy("|u1", "(4, 2, 3)", pixels),
		"one.npy":    npy("<f4", "(2, 3)", mel[:24]),
		"nan.npy":    npy("<f8", "(4,)", nan),
		"labels.npy": npy("|i1", "(4,)", []byte{0, 2, 1, 0}),
		"names.npy":  npy("|S3", "(4,)", []byte("cat\x00\x00\x00dogcat")),
		"mask.npy":   npy("|b1", "(4,)", []byte{1, 0, 0, 1}),
		"none.npy":   npy("|b1", "(4,)", make([]byte, 4)),

		"each/one.npy": npy("|u1", "(2,)", []byte{1, 2}),
		"each/two.npy": npy("|u1", "(2,)", []byte{3, 4}),
		"odd/a.npy":    npy("|u1", "(2,)", []byte{1, 2}),
		"odd/b.npy":    npy("|u1", "(3,)", []byte{1, 2, 3}),
	}
	var data bytes.Buffer
	z := zip.NewWriter(&data)
	for name, array := range map[string][]byte{"mel": files["mel.npy"], "labels": files["labels.npy"], "names": files["names.npy"], "clips": npy("|S1", "(4,)", []byte("3201"))} {
		w, err := z.Create(name + ".npy")
		if err != nil {
			return err
		}
		if _, err := w.Write(array); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	files["data.npz"] = data.Bytes()
	for i, name := range []string{"a", "b", "c", "d"} {
		files["wav/"+name+".wav"] = tone(8000, 1000+500*i, float64(300*(i+1)))
		m := image.NewGray(image.Rect(0, 0, 4, 3))
		for j := range m.Pix {
			m.Pix[j] = uint8(20*i + j)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			return err
		}
		files["png/"+name+".png"] = b.Bytes()
	}
	files["wav/cut.wav"] = files["wav/a.wav"][:100]
	files["planes.onnx"] = onnxfixture.Planes(3, []float32{1, 2, 3}).Bytes()
	files["tokens.onnx"] = onnxfixture.Tokens(6, 2, []float32{0, 0, 1, 1, 2, 4, 3, 9, 4, 16, 5, 25 + 4}).Bytes()
	env.Setenv("MM_ONNXRUNTIME", onnxfixture.Find())
	for name, data := range files {
		path := filepath.Join(env.WorkDir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// npy lays out a version 1.0 npy file in C order.
func npy(descr, shape string, data []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(b, header...), data...)
}

// tone is a mono 16-bit wav of a sine.
func tone(rate, frames int, hertz float64) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), 16, 0, 0, 0, 1, 0, 1, 0)
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(2*rate))
	b = le.AppendUint32(append(append(b, 2, 0, 16, 0), "data"...), uint32(2*frames))
	for i := range frames {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hertz*float64(i)/float64(rate)))))
	}
	return b
}

// show prints the samples stream that comes in: its header, then a line a sample with the first numbers of each modality.
func show() {
	if err := showStream(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

func showStream(in io.Reader, out io.Writer) error {
	r, err := stream.NewReader(in)
	if err != nil {
		return err
	}
	s, err := schema.NewSamplesReader(r)
	if err != nil {
		return err
	}
	h := s.Header()
	fmt.Fprintf(out, "tool %s\nclasses %q\ndigest %.7s %d\n", h.Tool, h.Classes, h.Digest.Samples, len(h.Digest.Samples))
	for p, m := range h.Modalities {
		fmt.Fprintf(out, "modality %s %s %v %s\n", m.Name, m.Kind, m.Shape, s.DTypes()[p])
	}
	for {
		b, err := s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Rows() {
			fmt.Fprintf(out, "%s %d", b.ID(i), b.Label(i))
			for p, m := range h.Modalities {
				x := make([]float32, m.Size())
				b.CopyRow(p, i, x)
				if !b.Present(p, i) {
					fmt.Fprintf(out, " %s -", m.Name)
					continue
				}
				fmt.Fprintf(out, " %s %.4g", m.Name, x[:min(len(x), 3)])
			}
			fmt.Fprintln(out)
		}
	}
}
