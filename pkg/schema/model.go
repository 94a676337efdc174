package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/stream"
)

// The roles of a model's tensors.
const (
	RoleParameter = "parameter" // trained
	RoleBuffer    = "buffer"    // part of the model, not trained: statistics
	RoleOptimizer = "optimizer" // moments, by the name of their parameter
	RoleBest      = "best"      // the parameters and buffers of the best epoch so far
)

// Tensor is one row of a model stream.
type Tensor struct {
	Name  string // PyTorch's naming
	Role  string
	Shape []int     // empty for a scalar
	Data  []float32 // row major
}

// Model is a model stream as a whole: it is held in memory.
type Model struct {
	Header
	Spec    json.RawMessage // what the model is; pkg/network defines it
	State   json.RawMessage // where its training stands
	Tensors []Tensor
	SHA256  string // over the rows, in hexadecimal; set by ReadModel, computed by WriteModel
}

// Digest returns the digest by which other streams name the model.
func (m Model) Digest() string { return "sha256:" + m.SHA256 }

var modelFields = []arrow.Field{
	{Name: "name", Type: arrow.BinaryTypes.String},
	{Name: "role", Type: arrow.BinaryTypes.String},
	{Name: "shape", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)},
	{Name: "data", Type: arrow.BinaryTypes.LargeBinary},
}

// HashTensors returns the SHA-256 over the rows of a model, in hexadecimal: for every tensor in order its name, its
// role, its shape and its data, each after its length (characters, dimensions, bytes) in eight bytes, all little endian,
// dimensions in eight bytes each.
func HashTensors(tensors []Tensor) string {
	h := sha256.New()
	for _, t := range tensors {
		hashRow(h, t)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashRow(h hash.Hash, t Tensor) {
	var head []byte
	number := func(n int) { head = binary.LittleEndian.AppendUint64(head, uint64(n)) }
	for _, s := range []string{t.Name, t.Role} {
		number(len(s))
		head = append(head, s...)
	}
	number(len(t.Shape))
	for _, d := range t.Shape {
		number(d)
	}
	data := view[byte](t.Data)
	number(len(data))
	h.Write(head)
	h.Write(data)
}

// WriteModel writes a whole model stream, end marker included. Every tensor is a batch of its own, so that its data is
// written from where it lies.
func WriteModel(w io.Writer, m Model, opts ...stream.Option) error {
	for _, t := range m.Tensors {
		if err := checkTensor(t); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	spec, err := compact(m.Spec)
	if err != nil {
		return fmt.Errorf("model specification: %w", err)
	}
	state, err := compact(m.State)
	if err != nil {
		return fmt.Errorf("model state: %w", err)
	}
	metadata, err := m.metadata(KindModel, pair{keySpec, spec}, pair{keyState, state}, pair{keySHA256, HashTensors(m.Tensors)})
	if err != nil {
		return err
	}
	s := arrow.NewSchema(modelFields, metadata)
	out, err := stream.NewWriter(w, s, opts...)
	if err != nil {
		return err
	}
	for _, t := range m.Tensors {
		if err := writeRecord(out, s, tensorColumns(t), 1); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return out.Close()
}

// compact returns JSON without white space, so that the same value is the same bytes; "" for none.
func compact(raw json.RawMessage) (string, error) {
	var out bytes.Buffer
	if len(raw) == 0 {
		return "", nil
	}
	err := json.Compact(&out, raw)
	return out.String(), err
}

// checkTensor holds the shape against the data.
func checkTensor(t Tensor) error {
	if t.Name == "" || t.Role == "" {
		return fmt.Errorf("has no name or no role")
	}
	size := 1
	for _, d := range t.Shape {
		if d < 0 || d > 0 && size > math.MaxInt/4/d {
			return fmt.Errorf("shape %v is not possible", t.Shape)
		}
		size *= d
	}
	if size != len(t.Data) {
		return fmt.Errorf("shape %v with %d elements", t.Shape, len(t.Data))
	}
	return nil
}

// tensorColumns returns the columns of a batch of one row.
func tensorColumns(t Tensor) []arrow.Array {
	text := func(s string) arrow.Array {
		var column texts
		column.append(s)
		return column.array()
	}
	shape := make([]int64, len(t.Shape))
	for i, d := range t.Shape {
		shape[i] = int64(d)
	}
	dims := fixed(arrow.PrimitiveTypes.Int64, shape, nil)
	defer dims.Release()
	data := view[byte](t.Data)
	return []arrow.Array{
		text(t.Name), text(t.Role),
		varied(modelFields[2].Type, []int32{0, int32(len(shape))}, dims),
		blob(data),
	}
}

// ReadModel reads a model stream to its end and holds its rows against mm.sha256. Nothing of the model is the reader's memory.
func ReadModel(r *stream.Reader) (Model, error) {
	m, verify, err := readModel(r, false, nil)
	if err != nil {
		return Model{}, err
	}
	if err := verify(); err != nil {
		return Model{}, err
	}
	return m, nil
}

// BorrowModel is ReadModel for a model that is put elsewhere at once: the data of its tensors stays where a mapped file has
// it, valid until the reader is closed, and mm.sha256 is still being computed when it returns. Nothing may come of the model
// before verify has returned nil, and verify has to be called before the reader is closed. Tensors of the roles in without are
// held against mm.sha256 too, but left out: what does not train needs no moments.
func BorrowModel(r *stream.Reader, without ...string) (m Model, verify func() error, err error) {
	return readModel(r, true, without)
}

func readModel(r *stream.Reader, borrow bool, without []string) (m Model, verify func() error, err error) {
	h, err := readHeader(r, KindModel)
	if err != nil {
		return Model{}, nil, err
	}
	get := func(key string) string {
		v, _ := r.Schema().Metadata().GetValue(key)
		return v
	}
	m = Model{Header: h, Spec: raw(get(keySpec)), State: raw(get(keyState)), SHA256: get(keySHA256)}
	for _, part := range []struct {
		key string
		raw json.RawMessage
	}{{keySpec, m.Spec}, {keyState, m.State}} {
		if part.raw != nil && !json.Valid(part.raw) {
			return Model{}, nil, stream.Errorf("%s: metadata %s is not JSON", r.Name(), part.key)
		}
	}
	l, columns := newLayout(r), [4]int{}
	for i, f := range modelFields {
		if columns[i], err = l.typed(f.Name, f.Type); err != nil {
			return Model{}, nil, err
		}
	}
	// On another thread, since it takes longer than the rest. What it is behind by is held in memory, unless it is borrowed.
	pending := 16
	if borrow && r.Mapped() {
		pending = 4096
	}
	sum := newHasher(pending)
	defer func() {
		if err != nil {
			sum.stop()
		}
	}()
	keep := func(role string) bool { return !slices.Contains(without, role) }
	rows := 0
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Model{}, nil, err
		}
		tensors, err := readTensors(record, columns, rows, r, func(role string) bool {
			return !borrow || !r.Mapped()
		})
		if err != nil {
			return Model{}, nil, err
		}
		rows += len(tensors)
		for _, t := range tensors {
			sum.add(t)
			if keep(t.Role) {
				m.Tensors = append(m.Tensors, t)
			}
		}
	}
	name, want := r.Name(), m.SHA256
	return m, func() error {
		if got := sum.stop(); got != want {
			return stream.Errorf("%s: rows have SHA-256 %s, metadata %s says %q", name, got, keySHA256, want)
		}
		return nil
	}, nil
}

func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// readTensors returns the tensors of a record, whose data is copied where the role says so.
func readTensors(record arrow.Record, columns [4]int, first int, r *stream.Reader, copied func(role string) bool) ([]Tensor, error) {
	names, roles := record.Column(columns[0]).(*array.String), record.Column(columns[1]).(*array.String)
	shapes, blobs := record.Column(columns[2]).(*array.List), record.Column(columns[3]).(*array.LargeBinary)
	check := rows{name: r.Name(), first: int64(first)}
	for i, f := range modelFields {
		if err := check.whole(f.Name, record.Column(columns[i])); err != nil {
			return nil, err
		}
	}
	dims := shapes.ListValues().(*array.Int64)
	if err := check.whole("a dimension of shape", dims); err != nil {
		return nil, err
	}
	var to []Tensor
	for i := range int(record.NumRows()) {
		t := Tensor{Name: string([]byte(names.Value(i))), Role: string([]byte(roles.Value(i)))}
		from, to64 := shapes.ValueOffsets(i)
		for _, d := range dims.Int64Values()[from:to64] {
			t.Shape = append(t.Shape, int(d))
		}
		data := blobs.Value(i)
		if len(data)%4 != 0 {
			return nil, check.errorf(i, "tensor %q: %d bytes are no float32", t.Name, len(data))
		}
		if copied(t.Role) || !aligned(data) {
			t.Data = make([]float32, len(data)/4)
			copy(view[byte](t.Data), data)
		} else {
			t.Data = view[float32](data)
		}
		if err := checkTensor(t); err != nil {
			return nil, check.errorf(i, "tensor %q: %w", t.Name, err)
		}
		to = append(to, t)
	}
	return to, nil
}
