package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"mmtools/pkg/schema"
)

// WriteSafetensors writes tensors, in float32, as a safetensors file; their roles are not kept. The same tensors give the
// same bytes. Two of one name, or the name __metadata__, are an error.
func WriteSafetensors(w io.Writer, tensors []schema.Tensor) error {
	header, err := safeHeader(tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return fmt.Errorf("writing the length of the header: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("writing the header: %w", err)
	}
	chunk := make([]byte, 0, 1<<18)
	for _, t := range tensors {
		for rest := t.Data; len(rest) > 0; {
			n := min(len(rest), cap(chunk)/4)
			chunk = chunk[:0]
			for _, v := range rest[:n] {
				chunk = binary.LittleEndian.AppendUint32(chunk, math.Float32bits(v))
			}
			if _, err := w.Write(chunk); err != nil {
				return fmt.Errorf("writing tensor %q: %w", t.Name, err)
			}
			rest = rest[n:]
		}
	}
	return nil
}

// safeHeader returns the header, padded with spaces so that the data is aligned to 8 bytes.
func safeHeader(tensors []schema.Tensor) ([]byte, error) {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	var header bytes.Buffer
	header.WriteString(`{"__metadata__":{"format":"pt"}`) // libraries on PyTorch refuse a file without
	seen, at := map[string]bool{"__metadata__": true}, int64(0)
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("writing tensor %q: the name is taken", t.Name)
		}
		seen[t.Name] = true
		size := 1
		for _, d := range t.Shape {
			size *= d
		}
		if size != len(t.Data) {
			return nil, fmt.Errorf("writing tensor %q: %d elements for shape %v", t.Name, len(t.Data), t.Shape)
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, fmt.Errorf("writing tensor %q: %w", t.Name, err)
		}
		end := at + 4*int64(size)
		value, err := json.Marshal(entry{DType: "F32", Shape: append([]int{}, t.Shape...), Offsets: [2]int64{at, end}})
		if err != nil {
			return nil, fmt.Errorf("writing tensor %q: %w", t.Name, err)
		}
		fmt.Fprintf(&header, ",%s:%s", name, value)
		at = end
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	return header.Bytes(), nil
}
