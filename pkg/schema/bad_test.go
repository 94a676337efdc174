package schema

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mmtools/pkg/stream"
)

// readAll reads a stream of any kind to its end and looks at everything in it.
func readAll(r *stream.Reader) error {
	h, err := ParseHeader(r.Schema())
	if err != nil {
		return err
	}
	return readKind(r, h.Kind)
}

func readKind(r *stream.Reader, kind Kind) error {
	switch kind {
	case KindSamples:
		s, err := NewSamplesReader(r)
		if err != nil {
			return err
		}
		dst := make([]float32, 1<<10)
		return each(s.Next, func(b *SamplesBatch) error {
			for i := range b.Rows() {
				_, _, _ = len(b.ID(i)), b.Label(i), b.Coalition(i)
				for p, m := range s.Modalities() {
					if m.Size() <= len(dst) {
						b.CopyRow(p, i, dst)
					}
				}
			}
			return b.CheckFinite()
		})
	case KindModel:
		_, err := ReadModel(r)
		return err
	case KindContributions:
		c, err := NewContributionsReader(r)
		if err != nil {
			return err
		}
		return each(c.Next, func(b *ContributionsBatch) error {
			for i := range b.Rows() {
				_, _, _, _ = len(b.ID(i)), b.Row(i), b.Label(i), b.Prediction(i)
				b.Right(i)
				for p := range c.Contributions().Modalities {
					if x := b.Phi(p)[i]; x-x != 0 && x == x {
						panic("an infinite phi got through")
					}
				}
			}
			return nil
		})
	case KindPlan:
		p, err := NewPlanReader(r)
		if err != nil {
			return err
		}
		return each(p.Next, func(b *PlanBatch) error {
			for i := range b.Rows() {
				_ = len(b.At(i).ID)
			}
			return nil
		})
	default:
		p, err := NewPredictionsReader(r)
		if err != nil {
			return err
		}
		return each(p.Next, func(b *PredictionsBatch) error {
			for i := range b.Rows() {
				_ = len(b.At(i).ID)
			}
			return nil
		})
	}
}

func each[B any](next func() (B, error), f func(B) error) error {
	for {
		b, err := next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
	}
}

// odd writes a stream of columns and rows of our choice: JSON rows, metadata changed from that of a good stream (a value
// of "-" removes a key).
func odd(t *testing.T, good Header, kind Kind, change map[string]string, fields []arrow.Field, rows string, own ...pair) *stream.Reader {
	t.Helper()
	m, err := good.metadata(kind, own...)
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]string{}
	for i, key := range m.Keys() {
		metadata[key] = m.Values()[i]
	}
	for key, value := range change {
		if metadata[key] = value; value == "-" {
			delete(metadata, key)
		}
	}
	keys := slices.Sorted(maps.Keys(metadata))
	var values []string
	for _, key := range keys {
		values = append(values, metadata[key])
	}
	sorted := arrow.NewMetadata(keys, values)
	s := arrow.NewSchema(fields, &sorted)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := stream.NewWriter(&out, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	return reopen(t, out.Bytes(), false)
}

// field is a column with metadata of our choice, keys and values in turn.
func field(name string, dt arrow.DataType, keysAndValues ...string) arrow.Field {
	var keys, values []string
	for i := 0; i < len(keysAndValues); i += 2 {
		keys, values = append(keys, keysAndValues[i]), append(values, keysAndValues[i+1])
	}
	return arrow.Field{Name: name, Type: dt, Nullable: true, Metadata: arrow.NewMetadata(keys, values)}
}

func TestBadStreams(t *testing.T) {
	one := header()
	one.Modalities = one.Modalities[:1] // audio
	var (
		text, i32 = arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32
		f32       = arrow.PrimitiveTypes.Float32
		id, label = field("id", text), field("label", i32)
		audio     = field("audio", arrow.FixedSizeListOf(2, f32))
		samples   = []arrow.Field{id, label, audio}
		row       = field("row", arrow.PrimitiveTypes.Int64)
		keep      = field("keep", arrow.PrimitiveTypes.Uint64)
		weight    = field("weight", f32)
		predicted = field("prediction", i32)
		phi       = field("phi_audio", arrow.PrimitiveTypes.Float64)
		coalition = field("coalition", arrow.PrimitiveTypes.Uint64)
		tensor    = func(meta string) []arrow.Field {
			return []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyExtension, fixedShapeTensor, keyExtensionMeta, meta)}
		}
	)
	const good = `{"id":"x","label":1,"audio":[1,2]}`
	for _, test := range []struct {
		name   string
		kind   Kind
		change map[string]string
		fields []arrow.Field
		rows   string
		want   string // of the error; "" for none
	}{
		{"good", KindSamples, nil, samples, good, ""},
		{"columns in another order", KindSamples, nil, []arrow.Field{audio, label, id}, good, ""},
		{"a column more", KindSamples, nil, append(samples[:3:3], field("fold", i32)), good, ""},
		{"minor version", KindSamples, map[string]string{keyVersion: "1.9"}, samples, good, ""},
		{"plain list of a kind", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyModality, "text")}, good, ""},
		{"tensor", KindSamples, nil, tensor(`{"shape":[2,1],"permutation":[0,1]}`), good, ""},

		{"not ours", KindSamples, map[string]string{keyStream: "-"}, samples, good, "metadata has no key mm.stream"},
		{"unknown kind", KindSamples, map[string]string{keyStream: "sample"}, samples, good, `in: mm.stream "sample" is not known`},
		{"another kind", KindSamples, map[string]string{keyStream: "plan"}, samples, good, "in: got a plan stream, want samples"},
		{"version 2", KindSamples, map[string]string{keyVersion: "2"}, samples, good, `in: samples stream of version "2", want 1`},
		{"version 10", KindSamples, map[string]string{keyVersion: "10.1"}, samples, good, `version "10.1", want 1`},
		{"no version", KindSamples, map[string]string{keyVersion: "-"}, samples, good, `version "", want 1`},
		{"seed", KindSamples, map[string]string{keySeed: "x"}, samples, good, `metadata mm.seed: got "x", want an integer from 0`},
		{"no modalities", KindSamples, map[string]string{keyModalities: "-"}, samples, good, "has no key mm.modalities"},
		{"modalities of another type", KindSamples, map[string]string{keyModalities: `{"audio":1}`}, samples, good, "metadata mm.modalities: "},
		{"a modality twice", KindSamples, map[string]string{keyModalities: `["audio","audio"]`}, samples, good, `"audio" is there twice`},
		{"a reserved name", KindSamples, map[string]string{keyModalities: `["label"]`}, samples, good, "reserved"},
		{"classes", KindSamples, map[string]string{keyClasses: `["a"`}, samples, good, "metadata mm.classes: "},
		{"digest", KindSamples, map[string]string{keyDigest: `[]`}, samples, good, "metadata mm.digest: "},

		{"no id", KindSamples, nil, []arrow.Field{label, audio}, `{"label":1,"audio":[1,2]}`, `in: column "id" is missing`},
		{"no modality column", KindSamples, nil, []arrow.Field{id, label}, `{"id":"x","label":1}`, `in: column "audio" is missing`},
		{"two of a name", KindSamples, nil, []arrow.Field{id, label, audio, audio}, "", `in: column "audio" is there 2 times`},
		{"label type", KindSamples, nil, []arrow.Field{id, field("label", arrow.PrimitiveTypes.Int64), audio}, good, `in: column "label": got int64, want int32`},
		{"tensor type", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64))}, good,
			`in: column "audio": got fixed_size_list<item: float64>[2], want fixed_size_list of float32, float16 or uint8 with extension arrow.fixed_shape_tensor`},
		{"list type", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.ListOf(f32))}, good, `in: column "audio": got list<item: float32, nullable>, want fixed_size_list of`},
		{"another extension", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyExtension, "x.y")}, good, `column "audio": got extension x.y`},
		{"unknown kind of modality", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyModality, "smell")}, good, `mm.modality "smell" is not known`},
		{"shape of another size", KindSamples, nil, tensor(`{"shape":[3]}`), good, "shape [3] in lists of 2"},
		{"shape that overflows", KindSamples, nil, tensor(`{"shape":[4294967296,4294967296,2]}`), good, "is not possible"},
		{"shape of nothing", KindSamples, nil, tensor(`{"shape":[2,0]}`), good, "shape [2 0] is not possible"},
		{"no shape", KindSamples, nil, tensor(``), good, `column "audio": arrow.fixed_shape_tensor: parsing ""`},
		{"list's shape of another size", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyShape, "[3]")}, good, `column "audio": mm.shape: shape [3] in lists of 2`},
		{"list's shape is none", KindSamples, nil, []arrow.Field{id, label, field("audio", arrow.FixedSizeListOf(2, f32), keyShape, "2")}, good, `column "audio": mm.shape: parsing "2"`},
		{"permutation", KindSamples, nil, tensor(`{"shape":[2,1],"permutation":[1,0]}`), good, "permutation [1 0] is not supported"},

		{"null id", KindSamples, nil, samples, good + `{"id":null,"label":1,"audio":[1,2]}`, "in: row 1: id is null"},
		{"label too high", KindSamples, nil, samples, good + `{"id":"y","label":3,"audio":[1,2]}`, `in: row 1 (id "y"): label 3 outside 0..2, the classes`},
		{"label too low", KindSamples, nil, samples, `{"id":"y","label":-1,"audio":[1,2]}`, `in: row 0 (id "y"): label -1 outside 0..2`},
		{"label without classes", KindSamples, map[string]string{keyClasses: "-"}, samples, `{"id":"y","label":-2,"audio":[1,2]}`, `label -2, want 0 or above`},
		{"null element", KindSamples, nil, samples, good + `{"id":"y","label":0,"audio":[1,null]}`, `in: column "audio": an element of row 1 of the batch is null`},

		{"plan", KindPlan, nil, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":0}`, ""},
		{"plan without weight", KindPlan, nil, []arrow.Field{row, id, keep}, `{"row":1,"id":"x","keep":1}`, `column "weight" is missing`},
		{"plan of a negative row", KindPlan, nil, []arrow.Field{row, id, keep, weight}, `{"row":-1,"id":"x","keep":1,"weight":1}`, `row 0 (id "x"): row -1`},
		{"plan of an unknown modality", KindPlan, nil, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":2,"weight":1}`, "keep 0x2 has modalities outside the 1 of the stream"},
		{"plan of a negative weight", KindPlan, nil, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":-1}`, "weight -1"},
		{"plan without a weight", KindPlan, nil, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":null}`, "weight is null"},
		{"plan with a strange epoch", KindPlan, map[string]string{keyEpoch: "-3"}, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":1}`, "metadata mm.epoch"},
		{"plan with a strange strength", KindPlan, map[string]string{keyStrength: "NaN"}, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":1}`, "metadata mm.strength"},
		{"plan with a strange shuffle", KindPlan, map[string]string{keyShuffle: "1"}, []arrow.Field{row, id, keep, weight}, `{"row":1,"id":"x","keep":1,"weight":1}`, "metadata mm.shuffle"},

		{"contributions", KindContributions, nil, []arrow.Field{id, row, label, predicted, phi}, `{"id":"x","row":1,"label":null,"prediction":1,"phi_audio":null}`, ""},
		{"contributions without phi", KindContributions, nil, []arrow.Field{id, row, label, predicted}, `{"id":"x","row":1,"label":1,"prediction":1}`, `column "phi_audio" is missing`},
		{"contributions without a prediction", KindContributions, nil, []arrow.Field{id, row, label, predicted, phi},
			`{"id":"x","row":1,"label":null,"prediction":null,"phi_audio":1}`, `row 0 (id "x"): prediction is null`},
		{"contributions of a negative row", KindContributions, nil, []arrow.Field{id, row, label, predicted, phi},
			`{"id":"x","row":-4,"label":null,"prediction":1,"phi_audio":1}`, "row -4"},
		{"right of another size", KindContributions, nil, []arrow.Field{id, row, label, predicted, phi, field("right", arrow.FixedSizeListOf(4, arrow.FixedWidthTypes.Boolean))},
			`{"id":"x","row":1,"label":1,"prediction":1,"phi_audio":1,"right":[true,true,true,true]}`, `column "right": got fixed_size_list<item: bool>[4], want fixed_size_list<item: bool>[2]`},

		{"predictions", KindPredictions, nil, []arrow.Field{id, label, coalition, predicted}, `{"id":"x","label":1,"coalition":1,"prediction":2}`, ""},
		{"predictions without classes", KindPredictions, map[string]string{keyClasses: "-"}, []arrow.Field{id, label, coalition, predicted},
			`{"id":"x","label":1,"coalition":1,"prediction":2}`, "metadata has no key mm.classes"},
		{"predictions of a class too many", KindPredictions, nil, []arrow.Field{id, label, coalition, predicted},
			`{"id":"x","label":1,"coalition":1,"prediction":3}`, `prediction 3 outside 0..2`},
		{"logits of another size", KindPredictions, nil, []arrow.Field{id, label, coalition, predicted, field("logits", arrow.FixedSizeListOf(2, f32))},
			`{"id":"x","label":1,"coalition":1,"prediction":1,"logits":[1,2]}`, `column "logits": got fixed_size_list<item: float32>[2], want fixed_size_list<item: float32>[3]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := "[" + strings.ReplaceAll(test.rows, "}{", "},{") + "]"
			err := readKind(odd(t, one, test.kind, test.change, test.fields, rows), test.kind)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "in: ")):
				t.Errorf("got %v, want an input error with %q", err, test.want)
			}
		})
	}
}

func TestBadModels(t *testing.T) {
	m := Model{Header: header(), Tensors: []Tensor{{Name: "w", Role: RoleParameter, Shape: []int{2}, Data: []float32{1, 2}}}}
	sum := HashTensors(m.Tensors)
	const row = `{"name":"w","role":"parameter","shape":[2],"data":"AACAPwAAAEA="}` // 1 and 2
	for _, test := range []struct {
		name, rows, sum, spec, want string
	}{
		{"good", row, sum, `{}`, ""},
		{"another sum", row, strings.Repeat("0", 64), `{}`, "rows have SHA-256"},
		{"no sum", row, "", `{}`, "rows have SHA-256"},
		{"a row less", "", sum, `{}`, "rows have SHA-256"},
		{"spec", row, sum, `{`, "metadata mm.spec is not JSON"},
		{"shape", `{"name":"w","role":"parameter","shape":[3],"data":"AACAPwAAAEA="}`, sum, `{}`, "shape [3] with 2 elements"},
		{"negative shape", `{"name":"w","role":"parameter","shape":[-2],"data":"AACAPwAAAEA="}`, sum, `{}`, "shape [-2] is not possible"},
		{"huge shape", `{"name":"w","role":"parameter","shape":[4294967296,4294967296],"data":"AACAPwAAAEA="}`, sum, `{}`, "is not possible"},
		{"bytes", `{"name":"w","role":"parameter","shape":[2],"data":"AACAPwAAAEAA"}`, sum, `{}`, "9 bytes are no float32"},
		{"no name", `{"name":"","role":"parameter","shape":[2],"data":"AACAPwAAAEA="}`, sum, `{}`, "no name"},
		{"null", `{"name":"w","role":"parameter","shape":[null,2],"data":"AACAPwAAAEA="}`, sum, `{}`, "is null"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fields := slices.Clone(modelFields)
			for i := range fields {
				fields[i].Nullable = true
			}
			r := odd(t, m.Header, KindModel, nil, fields, "["+test.rows+"]", pair{keySHA256, test.sum}, pair{keySpec, test.spec})
			_, err := ReadModel(r)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an input error with %q", err, test.want)
			}
		})
	}
}

// every returns a small stream of every kind.
func every(t testing.TB, opts ...stream.Option) map[Kind][]byte {
	var model bytes.Buffer
	m := Model{Header: header(), Spec: []byte(`{"a":1}`), Tensors: []Tensor{
		{Name: "w", Role: RoleParameter, Shape: []int{2, 1}, Data: []float32{1, 2}}, {Name: "b", Role: RoleBest, Shape: []int{1}, Data: []float32{3}}}}
	if err := WriteModel(&model, m, opts...); err != nil {
		t.Fatal(err)
	}
	return map[Kind][]byte{
		KindSamples: writeSamples(t, header(), someSamples(), opts...), KindModel: model.Bytes(),
		KindContributions: writeContributions(t, opts...),
		KindPlan:          writePlan(t, []PlanRow{{Row: 1, ID: "x", Keep: 3, Weight: 1}, {Row: 2, ID: "y", Keep: 1, Weight: 2}}, opts...),
		KindPredictions: writePredictions(t, []Prediction{
			{ID: "a", Label: 1, Coalition: 7, Prediction: 2, Logits: []float32{1, 2, 3}}, {ID: "b", Label: -1, Coalition: 1, Prediction: 0}}, opts...),
	}
}

var formats = map[string][]stream.Option{
	"stream":   nil,
	"file lz4": {stream.WithFileFormat(), stream.WithCompression("lz4")},
}

// readBytes reads bytes as a pipe, or, in the file format, as a mapped file.
func readBytes(t testing.TB, b []byte, kind Kind, path string) error {
	r, err := open(t, b, path)
	if err != nil {
		return err
	}
	defer r.Close()
	return readKind(r, kind)
}

func TestEveryKindTruncatedAtEveryByte(t *testing.T) {
	for name, opts := range formats {
		for kind, b := range every(t, opts...) {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				path := scratch(t, name)
				for n := range b {
					if err := readBytes(t, b[:n], kind, path); !errors.Is(err, stream.ErrInput) {
						t.Fatalf("cut at %d of %d: got %v, want an input error", n, len(b), err)
					}
				}
				if err := readBytes(t, b, kind, path); err != nil {
					t.Errorf("whole: %v", err)
				}
			})
		}
	}
}

func TestEveryKindCorruptedAtEveryByte(t *testing.T) {
	for name, opts := range formats {
		for kind, b := range every(t, opts...) {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				path := scratch(t, name)
				for i := range b {
					bad := bytes.Clone(b)
					bad[i] ^= 1 << (i % 8)
					if err := readBytes(t, bad, kind, path); err != nil && !errors.Is(err, stream.ErrInput) {
						t.Fatalf("byte %d: %v is not an input error", i, err)
					}
				}
			})
		}
	}
}

func FuzzKinds(f *testing.F) {
	for _, opts := range formats {
		for _, b := range every(f, opts...) {
			f.Add(b)
		}
	}
	path := f.TempDir() + "/in.arrow"
	f.Fuzz(func(t *testing.T, b []byte) {
		at := ""
		if bytes.HasPrefix(b, []byte("ARROW1")) {
			at = path
		}
		r, err := open(t, b, at, stream.WithLimits(stream.Limits{Batch: 1 << 24, Metadata: 1 << 20}))
		if err == nil {
			defer r.Close()
			err = readAll(r)
		}
		if err != nil && !errors.Is(err, stream.ErrInput) {
			t.Errorf("%v is not an input error", err)
		}
	})
}
