package encode

import (
	"context"
	"errors"
	"fmt"

	"mmtools/pkg/modality"
	"mmtools/pkg/table"
)

// Element is the type in which a modality's numbers are kept.
type Element = table.Element

// The element types of the samples stream.
const (
	Float32 = table.Float32
	Float16 = table.Float16
	Uint8   = table.Uint8
)

// Samples is what is known of all samples before the first is decoded.
type Samples struct {
	Modalities []modality.Modality
	Elements   []Element // of each modality
	Classes    []string  // in label order; none where nothing is labelled
	Digest     string    // "sha256:<hex>" over what the samples are made from and the options that shape them
}

// Row is one sample.
type Row struct {
	Index    int // in the source
	ID       string
	Label    int32     // -1 where unlabelled
	Tensors  []any     // of each modality []float32, []float16.Num or []uint8, row major; nil where the sample lacks it
	Failures []Failure // of the modalities that could not be decoded: their tensors are nil
}

// Failure is one modality of one sample that is missing or could not be decoded.
type Failure struct {
	Row      int    // of the list, from 0
	ID       string // of the sample
	Modality string
	Path     string // as the list has it
	Missing  bool   // it is not there, and not broken
	Err      error  // names the place in the list, and the file
}

// Source is a list of samples to decode.
type Source interface {
	Samples() Samples
	// Rows returns the number of samples.
	Rows() int
	// NewDecoder returns a decoder for one goroutine. It may be an io.Closer.
	NewDecoder() (Decoder, error)
	// Close frees files and mappings; what decoders gave out is invalid from then on.
	Close() error
}

// Decoder decodes samples of a Source.
type Decoder interface {
	// Decode fills rows with samples first, first+1 and so on. It reuses the tensors that it finds in store, one slot for each
	// modality of each row, and leaves new ones there. What cannot be decoded is a failure of its row; it returns early, with rows half
	// filled, only where ctx is done.
	Decode(ctx context.Context, first int, rows []Row, store [][]any)
}

// maxElements bounds the tensor of one modality of one sample: 1 GiB of float32.
const maxElements = 1 << 28

// checkModalities returns an error for modalities that a samples stream cannot hold.
func checkModalities(ms []modality.Modality) error {
	if len(ms) == 0 {
		return errors.New("no modality: want at least one")
	}
	if len(ms) > modality.Max {
		return fmt.Errorf("%d modalities: at most %d", len(ms), modality.Max)
	}
	seen := map[string]bool{}
	for _, m := range ms {
		if err := modality.CheckName(m.Name); err != nil {
			return err
		}
		if seen[m.Name] {
			return fmt.Errorf("modality %q twice", m.Name)
		}
		seen[m.Name] = true
		size := 1
		for _, d := range m.Shape {
			if d < 1 || d > maxElements/size {
				return fmt.Errorf("modality %q: shape %v: want 1 to %d elements", m.Name, m.Shape, maxElements)
			}
			size *= d
		}
	}
	return nil
}

// tensor returns the n elements that store[p] holds, making them where it does not.
func tensor[T any](store []any, p, n int) []T {
	if t, ok := store[p].([]T); ok && len(t) == n {
		return t
	}
	t := make([]T, n)
	store[p] = t
	return t
}
