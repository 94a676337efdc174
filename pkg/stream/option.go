package stream

import (
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Default limits; a field of Limits that is zero takes its default.
const (
	DefaultMetadata = 64 << 20
	DefaultBatch    = 8 << 30
	DefaultFields   = 1 << 16
	DefaultDepth    = 32
)

// Limits bound what a stream can make its reader allocate.
type Limits struct {
	Metadata int64 // bytes of one message's metadata, and of the text in a schema
	Batch    int64 // bytes of one batch's body on a pipe, and of its buffers once decompressed
	Fields   int   // columns of a schema, nested ones included
	Depth    int   // nesting of a column's type
}

func (l Limits) withDefaults() Limits {
	if l.Metadata <= 0 {
		l.Metadata = DefaultMetadata
	}
	if l.Batch <= 0 {
		l.Batch = DefaultBatch
	}
	if l.Fields <= 0 {
		l.Fields = DefaultFields
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	return l
}

type config struct {
	name        string
	mem         memory.Allocator
	limits      Limits
	compression string
	fileFormat  bool
}

func newConfig(opts []Option) config {
	c := config{name: "stream", mem: memory.DefaultAllocator}
	for _, o := range opts {
		o(&c)
	}
	c.limits = c.limits.withDefaults()
	return c
}

// Option sets an option of a Reader or a Writer.
type Option func(*config)

// WithName sets the name that the errors of a Reader begin with, such as "stdin".
func WithName(name string) Option { return func(c *config) { c.name = name } }

// WithAllocator sets where memory is taken from: message bodies on a pipe, and buffers that must be copied or
// decompressed. Mapped memory is not allocated.
func WithAllocator(mem memory.Allocator) Option { return func(c *config) { c.mem = mem } }

// WithLimits sets the limits of a Reader.
func WithLimits(l Limits) Option { return func(c *config) { c.limits = l } }

// WithCompression sets how a Writer compresses buffers: "zstd", "lz4", or "none" or "" for not at all.
func WithCompression(codec string) Option { return func(c *config) { c.compression = codec } }

// WithFileFormat makes a Writer write the file format (random access, a footer) in place of the stream format.
func WithFileFormat() Option { return func(c *config) { c.fileFormat = true } }
