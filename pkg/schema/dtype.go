package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// DType is the element type of a modality's tensors in a stream.
type DType uint8

// The element types that a samples stream may hold.
const (
	Float32 DType = iota
	Float16
	Uint8
)

// String returns the name as Arrow writes it: "float32", "float16", "uint8".
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Float16:
		return "float16"
	case Uint8:
		return "uint8"
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Size returns the bytes of one element.
func (d DType) Size() int { return [...]int{4, 2, 1}[d] }

func (d DType) arrow() arrow.DataType {
	return [...]arrow.DataType{arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Uint8}[d]
}

// elements returns the number of elements of t, which must be of d, and its memory; nil for a t of another type.
func (d DType) elements(t any) (n int, raw []byte, ok bool) {
	switch t := t.(type) {
	case []float32:
		return len(t), view[byte](t), d == Float32
	case []float16.Num:
		return len(t), view[byte](t), d == Float16
	case []uint8:
		return len(t), t, d == Uint8
	}
	return 0, nil, false
}

// isNil reports whether t is nil or a nil slice: the sample lacks the modality.
func isNil(t any) bool {
	switch t := t.(type) {
	case nil:
		return true
	case []float32:
		return t == nil
	case []float16.Num:
		return t == nil
	case []uint8:
		return t == nil
	}
	return false
}

// The field metadata of a modality column: the canonical extension type, by which other readers know the tensor, and
// the modality's kind.
const (
	keyExtension     = "ARROW:extension:name"
	keyExtensionMeta = "ARROW:extension:metadata"
	keyModality      = "mm.modality"
	keyShape         = "mm.shape" // in place of the extension, for readers that refuse one
	fixedShapeTensor = "arrow.fixed_shape_tensor"
)

// tensorType is the extension's serialization; a permutation that is not the identity would give the shape another
// order than the memory has.
type tensorType struct {
	Shape       []int `json:"shape"`
	Permutation []int `json:"permutation,omitempty"`
}

// modalityField returns the column of a modality, after checking that it can be one.
func modalityField(m modality.Modality, d DType, lists bool) (arrow.Field, error) {
	size, err := checkShape(m.Shape)
	if err != nil {
		return arrow.Field{}, fmt.Errorf("modality %q: %w", m.Name, err)
	}
	if !slices.Contains(modality.Kinds, m.Kind) {
		return arrow.Field{}, fmt.Errorf("modality %q: kind %q is not known: want one of %v", m.Name, m.Kind, modality.Kinds)
	}
	if d > Uint8 {
		return arrow.Field{}, fmt.Errorf("modality %q: %s is not known", m.Name, d)
	}
	shape := m.Shape
	if shape == nil {
		shape = []int{}
	}
	metadata := arrow.NewMetadata([]string{keyExtension, keyExtensionMeta, keyModality},
		[]string{fixedShapeTensor, encode(tensorType{Shape: shape}), string(m.Kind)})
	if lists {
		metadata = arrow.NewMetadata([]string{keyShape, keyModality}, []string{encode(shape), string(m.Kind)})
	}
	return arrow.Field{Name: m.Name, Type: arrow.FixedSizeListOf(size, d.arrow()), Nullable: true, Metadata: metadata}, nil
}

// checkShape returns the number of elements of a shape, which fits a fixed-size list.
func checkShape(shape []int) (int32, error) {
	size := 1
	for _, d := range shape {
		if d <= 0 || d > math.MaxInt32/size {
			return 0, fmt.Errorf("shape %v is not possible", shape)
		}
		size *= d
	}
	return int32(size), nil
}

// parseModality returns the modality and element type of a column that mm.modalities names. A column without the
// extension type has the shape of mm.shape or else of its list; one without mm.modality is an embedding.
func parseModality(f arrow.Field) (modality.Modality, DType, error) {
	m := modality.Modality{Name: f.Name, Kind: modality.Embedding}
	list, ok := f.Type.(*arrow.FixedSizeListType)
	dtype := Float32
	if ok {
		switch list.Elem().ID() {
		case arrow.FLOAT32:
		case arrow.FLOAT16:
			dtype = Float16
		case arrow.UINT8:
			dtype = Uint8
		default:
			ok = false
		}
	}
	if !ok {
		return m, 0, stream.Errorf("column %q: got %s, want fixed_size_list of float32, float16 or uint8 with extension %s",
			f.Name, typeName(f.Type), fixedShapeTensor)
	}
	if kind, ok := f.Metadata.GetValue(keyModality); ok {
		if m.Kind = modality.Kind(kind); !slices.Contains(modality.Kinds, m.Kind) {
			return m, 0, stream.Errorf("column %q: %s %q is not known: want one of %v", f.Name, keyModality, kind, modality.Kinds)
		}
	}
	m.Shape = []int{int(list.Len())}
	name, extended := f.Metadata.GetValue(keyExtension)
	shape, shaped := f.Metadata.GetValue(keyShape)
	var t tensorType
	into := any(&t)
	switch {
	case extended && name != fixedShapeTensor:
		return m, 0, stream.Errorf("column %q: got extension %s, want %s", f.Name, name, fixedShapeTensor)
	case extended:
		shape, _ = f.Metadata.GetValue(keyExtensionMeta)
	case shaped:
		name, into = keyShape, &t.Shape
	default:
		return m, dtype, nil
	}
	err := json.Unmarshal([]byte(shape), into)
	if err != nil {
		err = fmt.Errorf("parsing %q: %w", shape, err)
	} else {
		m.Shape, err = t.shape(list.Len())
	}
	if err != nil {
		return m, 0, stream.Errorf("column %q: %s: %w", f.Name, name, err)
	}
	return m, dtype, nil
}

// shape holds the shape against the size of the lists.
func (t tensorType) shape(size int32) ([]int, error) {
	for i, p := range t.Permutation {
		if i != p {
			return nil, fmt.Errorf("permutation %v is not supported: write the tensor in row-major order", t.Permutation)
		}
	}
	n, err := checkShape(t.Shape)
	if err == nil && n != size {
		err = fmt.Errorf("shape %v in lists of %d", t.Shape, size)
	}
	return t.Shape, err
}
