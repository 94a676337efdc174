package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/rogpeppe/go-internal/testscript"
)

// settings reads KEY=VALUE arguments over their defaults.
func settings(ts *testscript.TestScript, args []string, defaults map[string]string) map[string]string {
	for _, a := range args {
		key, value, ok := strings.Cut(a, "=")
		if _, known := defaults[key]; !ok || !known {
			ts.Fatalf("unknown setting %q", a)
		}
		defaults[key] = value
	}
	return defaults
}

func atoi(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// samples FILE [KEY=VALUE ...] writes a samples stream of two modalities, audio (8) and image (6), whose classes can be
// learned; of each sample one modality, by turns, is buried in noise. nan=ROW puts a NaN into that row.
func samples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: samples FILE [KEY=VALUE ...]")
	}
	s := settings(ts, args[1:], map[string]string{"rows": "120", "seed": "1", "classes": "3", "nan": "-1", "audio": "8", "image": "6", "prefix": "s", "without": ""})
	classes, nan := atoi(ts, s["classes"]), atoi(ts, s["nan"])
	var without *schema.Fold // whose samples are drawn, and not written
	if s["without"] != "" {
		fold, err := schema.ParseFold(s["without"])
		ts.Check(err)
		without = &fold
	}
	head := schema.Samples{DTypes: []schema.DType{schema.Float32, schema.Float32}}
	head.Tool = "e2e"
	head.Modalities = []modality.Modality{
		{Name: "audio", Kind: modality.Audio, Shape: []int{atoi(ts, s["audio"])}},
		{Name: "image", Kind: modality.Image, Shape: []int{atoi(ts, s["image"])}},
	}
	for c := range classes {
		head.Classes = append(head.Classes, fmt.Sprintf("class%d", c))
	}
	var b bytes.Buffer
	w, err := schema.NewSamplesWriter(&b, head)
	ts.Check(err)
	r := rng.Stream(uint64(atoi(ts, s["seed"])), "samples")
	for row := range atoi(ts, s["rows"]) {
		label := r.IntN(classes)
		sample := schema.Sample{ID: fmt.Sprintf("%s%04d", s["prefix"], row), Label: int32(label)}
		for p, m := range head.Modalities {
			x := make([]float32, m.Size())
			noise := 0.3
			if row%2 == p {
				noise = 3
			}
			for i := range x {
				x[i] = float32(noise * r.NormFloat64())
				if i%classes == label {
					x[i]++
				}
			}
			if row == nan {
				x[0] = float32(math.NaN())
			}
			sample.Tensors = append(sample.Tensors, x)
		}
		if without == nil || !without.Has(sample.ID) {
			ts.Check(w.Append(sample))
		}
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o666))
}

// edit IN OUT [KEY=VALUE ...] [-COLUMN ...] [COLUMN:NAME ...] writes a stream again with metadata set, columns left out,
// and columns renamed: a stream that is well-formed and wrong.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: edit IN OUT [KEY=VALUE ...] [-COLUMN ...] [COLUMN:NAME ...]")
	}
	r, err := stream.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer r.Close()
	old := r.Schema()
	metadata := old.Metadata().ToMap()
	fields := slices.Clone(old.Fields())
	keep := make([]int, len(fields))
	for i := range keep {
		keep[i] = i
	}
	for _, a := range args[2:] {
		if name, ok := strings.CutPrefix(a, "-"); ok {
			at := slices.IndexFunc(fields, func(f arrow.Field) bool { return f.Name == name })
			keep = slices.DeleteFunc(keep, func(i int) bool { return i == at })
		} else if key, value, ok := strings.Cut(a, "="); ok {
			metadata[key] = value
		} else if from, to, ok := strings.Cut(a, ":"); ok {
			fields[slices.IndexFunc(fields, func(f arrow.Field) bool { return f.Name == from })].Name = to
		}
	}
	var kept []arrow.Field
	for _, i := range keep {
		kept = append(kept, fields[i])
	}
	all := arrow.MetadataFrom(metadata)
	changed := arrow.NewSchema(kept, &all)
	var b bytes.Buffer
	w, err := stream.NewWriter(&b, changed)
	ts.Check(err)
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		var columns []arrow.Array
		for _, i := range keep {
			columns = append(columns, record.Column(i))
		}
		ts.Check(w.Write(array.NewRecord(changed, columns, record.NumRows())))
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o666))
}

// npy FILE DTYPE ROWS COLUMNS SEED writes a NumPy file (format 1.0): f4 normal numbers, i8 classes 0, 1, 2 for COLUMNS 0 (a
// vector), b1 true in every third row. The same ROWS and SEED give features that tell the classes.
func npy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: npy FILE f4|i8|b1 ROWS COLUMNS SEED")
	}
	rows, columns := atoi(ts, args[2]), atoi(ts, args[3])
	labels := rng.Stream(uint64(atoi(ts, args[4])), "labels")
	noise := rng.Stream(uint64(atoi(ts, args[4])), "features", columns)
	var data bytes.Buffer
	shape := fmt.Sprintf("(%d,)", rows)
	if columns > 0 {
		shape = fmt.Sprintf("(%d, %d)", rows, columns)
	}
	for row := range rows {
		label := labels.IntN(3)
		var value any
		switch args[1] {
		case "f4":
			value = features(noise, label, columns)
		case "i8":
			value = int64(label)
		case "b1":
			value = row%3 == 0
		}
		ts.Check(binary.Write(&data, binary.LittleEndian, value))
	}
	descr := map[string]string{"f4": "<f4", "i8": "<i8", "b1": "|b1"}[args[1]]
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	file = append(append(file, head...), data.Bytes()...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o666))
}

func features(r *rand.Rand, label, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if i%3 == label {
			x[i] += 2
		}
	}
	return x
}
