package encode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"mmtools/pkg/modality"

	"github.com/apache/arrow/go/v17/arrow/float16"
)

// Spec says which modality to make of a list, before the list is open: one struct a kind, in a file of its own (SoundSpec,
// PictureSpec).
type Spec interface {
	// ModalityName returns what the modality will be called.
	ModalityName() string
	// Open returns the modality's channel. It reads what fixes the tensors' shape, and no more.
	Open(in *Inputs) (Channel, error)
}

// Inputs is what a Spec can look at to open its channel.
type Inputs struct {
	List   List
	Folder *Folder // that the list's paths are relative to
}

// Cell is what the list says of one modality of one sample.
type Cell struct {
	Row    int      // of the list, from 0
	ID     string   // of the sample
	Fields []string // of the channel's columns, in their order; the first is not empty
}

// Channel is one modality of a list's samples: how a cell becomes a tensor.
type Channel interface {
	Modality() modality.Modality
	Element() Element
	// Columns returns the places of the list's columns that a cell holds. A sample whose first is empty lacks the modality.
	Columns() []int
	// Options returns what shapes the tensors, beside modality and element, as a value for JSON: the digest covers it.
	Options() any
	// Inspect adds to d what says which tensor the cell becomes and is known without decoding it: the sizes of its files. The fields
	// themselves are added by the caller. What is not there is an error that is ErrMissing or fs.ErrNotExist.
	Inspect(cell Cell, d *Digest) error
	// NewDecoder returns a decoder for one goroutine. It may be an io.Closer.
	NewDecoder() (ChannelDecoder, error)
	Close() error
}

// ChannelDecoder decodes cells of a Channel.
type ChannelDecoder interface {
	// Decode fills dst, a slice of the channel's element with as many as its modality has, row major. The caller refuses numbers
	// that are not finite, and names the cell's first field in errors.
	Decode(ctx context.Context, dst any, cell Cell) error
}

// BatchDecoder is a ChannelDecoder that is faster with several cells at once, as encoders are. The caller uses DecodeBatch alone.
type BatchDecoder interface {
	ChannelDecoder
	// DecodeBatch fills dst[i] from cells[i], or sets errs[i], which is nil before.
	DecodeBatch(ctx context.Context, dst []any, cells []Cell, errs []error)
}

// ErrMissing is what is wrong with a cell whose file, or whose row in a table, is not there.
var ErrMissing = errors.New("missing")

// isMissing tells what is not there from what is broken.
func isMissing(err error) bool { return errors.Is(err, ErrMissing) || errors.Is(err, fs.ErrNotExist) }

// makeTensor returns a new tensor of n elements.
func makeTensor(e Element, n int) any {
	switch e {
	case Uint8:
		return make([]uint8, n)
	case Float16:
		return make([]float16.Num, n)
	case Float32:
		return make([]float32, n)
	}
	panic(fmt.Sprintf("encode: element type %q", e))
}
