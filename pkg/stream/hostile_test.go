package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// forms are the ways a stream lies on disk or in a pipe.
var forms = []struct {
	name string
	opts []Option
	file bool
}{
	{"stream", nil, false},
	{"stream zstd", []Option{WithCompression("zstd")}, false},
	{"stream lz4", []Option{WithCompression("lz4")}, false},
	{"file", []Option{WithFileFormat()}, true},
	{"file zstd", []Option{WithFileFormat(), WithCompression("zstd")}, true},
	{"file lz4", []Option{WithFileFormat(), WithCompression("lz4")}, true},
}

// openMapped reads bytes as OpenFile reads the mapping of a file that holds them.
func openMapped(b []byte, opts ...Option) (*Reader, error) {
	return newMapped(b, opts)
}

func openPiped(b []byte, opts ...Option) (*Reader, error) {
	return NewReader(bytes.NewReader(b), opts...)
}

// consume reads a stream to its end and looks at every value of every record, so that a buffer that is too short for
// its rows would panic here.
func consume(open func([]byte, ...Option) (*Reader, error), b []byte, opts ...Option) error {
	r, err := open(b, opts...)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for _, c := range rec.Columns() {
			look(c)
		}
	}
}

// look reads every value, children and all; few of them where a column of nulls claims a great many.
func look(a arrow.Array) {
	n := min(a.Len(), 1<<12)
	switch a := a.(type) {
	case array.ListLike:
		for i := range n {
			if from, to := a.ValueOffsets(i); from < 0 || from > to || to > int64(a.ListValues().Len()) {
				panic(fmt.Sprintf("list %d leads from %d to %d of %d", i, from, to, a.ListValues().Len()))
			}
		}
		look(a.ListValues())
	case *array.Struct:
		for i := range a.NumField() {
			look(a.Field(i))
		}
	case *array.Timestamp: // its text needs the time zone, which a corrupt one does not have
		for i := range n {
			_ = a.Value(i)
		}
	default:
		for i := range n {
			_ = a.ValueStr(i)
		}
	}
}

// allocated returns the bytes allocated on the heap since the program began, large blocks at once and small ones a
// little later; runtime.ReadMemStats, exact, stops the world for each of a hundred thousand cases.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func small(t testing.TB, opts ...Option) []byte {
	t.Helper()
	schema, rec := sample(t, memory.DefaultAllocator)
	defer rec.Release()
	return write(t, schema, rec, 2, opts...)
}

func TestTruncationAtEveryByte(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			b := small(t, form.opts...)
			for n := range b {
				opens := []func([]byte, ...Option) (*Reader, error){openMapped}
				if !form.file {
					opens = append(opens, openPiped)
				}
				for _, open := range opens {
					if err := consume(open, b[:n:n], WithName("in")); !errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), "in: ") {
						t.Fatalf("cut at %d of %d: got %v, want an input error that names the stream", n, len(b), err)
					}
				}
			}
			if err := consume(openMapped, b); err != nil {
				t.Errorf("whole: %v", err)
			}
		})
	}
}

// capped fails a test that allocates more than any small stream can need.
type capped struct {
	memory.Allocator
	t     testing.TB
	limit int
}

func (c capped) Allocate(n int) []byte {
	c.check(n)
	return c.Allocator.Allocate(n)
}

func (c capped) Reallocate(n int, b []byte) []byte {
	c.check(n)
	return c.Allocator.Reallocate(n, b)
}

func (c capped) check(n int) {
	if n > c.limit {
		c.t.Errorf("allocates %d bytes, the most is %d", n, c.limit)
	}
}

// TestCorruptionOfEveryByte: whatever a byte becomes, reading ends in an error or in values that can be read, in memory
// of the order of the stream's.
func TestCorruptionOfEveryByte(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			b := small(t, form.opts...)
			mem := capped{memory.NewGoAllocator(), t, 2 * firstChunk}
			for i := range b {
				for _, flip := range []byte{1 << (i % 8), 0xFF} {
					bad := bytes.Clone(b)
					bad[i] ^= flip
					before := allocated()
					errMapped := consume(openMapped, bad, WithAllocator(mem))
					var errPiped error
					if !form.file {
						errPiped = consume(openPiped, bad, WithAllocator(mem))
					}
					if got := allocated() - before; got > 64<<20 {
						t.Fatalf("byte %d ^ %#x: allocated %d bytes", i, flip, got)
					}
					for _, err := range []error{errMapped, errPiped} {
						if err != nil && !errors.Is(err, ErrInput) {
							t.Fatalf("byte %d ^ %#x: %v is not an input error", i, flip, err)
						}
					}
				}
			}
		})
	}
}

// patch writes a little-endian number over b at the only place where old stands.
func patch(t *testing.T, b []byte, old, new int64) []byte {
	t.Helper()
	find, put := binary.LittleEndian.AppendUint64(nil, uint64(old)), binary.LittleEndian.AppendUint64(nil, uint64(new))
	if bytes.Count(b, find) == 0 {
		t.Fatalf("the stream does not hold the number %d", old)
	}
	return bytes.ReplaceAll(b, find, put)
}

// TestHostileHeaders: a header that claims terabytes is an error at once, in little memory.
func TestHostileHeaders(t *testing.T) {
	const tera = 1 << 43
	// 1237 values of two bytes, which the body pads to 2480: three numbers that stand nowhere else in the stream.
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int16}}, nil)
	values := array.NewInt16Builder(memory.DefaultAllocator)
	for range 1237 {
		values.Append(0x5555)
	}
	rec := array.NewRecord(schema, []arrow.Array{values.NewArray()}, 1237)
	plain := write(t, schema, rec, 1)
	packed := write(t, schema, rec, 1, WithCompression("zstd"))
	const raw, body = 2474, 2480

	claim := func(at int, n uint32) []byte {
		b := bytes.Clone(plain)
		binary.LittleEndian.PutUint32(b[at:], n)
		return b
	}
	first := int(binary.LittleEndian.Uint32(plain[4:])) + 8 // where the record batch message begins
	for _, test := range []struct {
		name string
		b    []byte
		want string
	}{
		{"schema metadata", claim(4, 1<<31-1), "bytes of metadata, the limit is"},
		{"negative schema metadata", claim(4, 1<<31), "bytes of metadata, the limit is"},
		{"schema metadata within the limit", claim(4, 1<<26), "without its end marker"},
		{"batch metadata", claim(first+4, 1<<31-1), "bytes of metadata, the limit is"},
		{"buffer length", patch(t, plain, raw, tera), "does not lie in the body"},
		{"negative buffer length", patch(t, plain, raw, -8), "does not lie in the body"},
		{"body length", patch(t, plain, body, tera), ""},
		{"body length within the limit", patch(t, plain, body, DefaultBatch), "without its end marker"},
		{"negative body length", patch(t, plain, body, -8), "claims a body of"},
		{"rows", patch(t, plain, 1237, tera), "claims"},
		{"rows of one column too many", patch(t, plain, 1237, 1238), "bytes, want 2476"},
		{"compressed length", patch(t, packed, raw, tera), "expand to"},
		{"compressed length a little over", patch(t, packed, raw, raw+8), "does not expand to what it claims"},
		{"compressed length too short", patch(t, packed, raw, raw-8), "bytes, want"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, open := range map[string]func([]byte, ...Option) (*Reader, error){"mapped": openMapped, "piped": openPiped} {
				mem := capped{memory.NewGoAllocator(), t, 4 * firstChunk}
				before := allocated()
				err := consume(open, test.b, WithAllocator(mem))
				if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: got %v, want an input error with %q", name, err, test.want)
				}
				if got := allocated() - before; got > 16<<20 {
					t.Errorf("%s: allocated %d bytes", name, got)
				}
			}
		})
	}
}

func TestJoining(t *testing.T) {
	schema, rec := sample(t, memory.DefaultAllocator)
	b := write(t, schema, rec, 2)
	empty := write(t, schema, rec, 0)
	meta := func(keys, values []string) []byte {
		m := arrow.NewMetadata(keys, values)
		other := arrow.NewSchema(schema.Fields(), &m)
		return write(t, other, array.NewRecord(other, rec.Columns(), rec.NumRows()), 1)
	}
	fewer := arrow.NewSchema(schema.Fields()[:2], ptr(schema.Metadata()))
	short := write(t, fewer, array.NewRecord(fewer, rec.Columns()[:2], rec.NumRows()), 1)
	for _, test := range []struct {
		name    string
		b       []byte
		batches int
		want    string // of the error; "" for none
	}{
		{"one", b, 2, ""},
		{"no rows", empty, 0, ""},
		{"three", slicesConcat(b, b, b), 6, ""},
		{"empty ones between", slicesConcat(empty, b, empty, empty, b), 4, ""},
		{"foreign metadata differs", slicesConcat(b, meta([]string{"mm.stream", "other"}, []string{"samples", "y"})), 3, ""},
		{"kind differs", slicesConcat(b, meta([]string{"mm.stream"}, []string{"plan"})), 2, `metadata mm.stream is "plan", first "samples"`},
		{"another run's samples", slicesConcat(b, meta([]string{"mm.stream", "mm.tool", "mm.digest"}, []string{"samples", "x 2", "{}"})), 3, ""},
		{"another run's plan", slicesConcat(meta([]string{"mm.stream", "mm.digest"}, []string{"plan", "1"}),
			meta([]string{"mm.stream", "mm.digest"}, []string{"plan", "2"})), 1, `metadata mm.digest is "2", first "1"`},
		{"a key is missing", slicesConcat(b, meta([]string{"other"}, []string{"x"})), 2, `metadata mm.stream is missing, first "samples"`},
		{"a column is missing", slicesConcat(b, short), 2, `column "x" is only in the first stream`},
		{"a column more", slicesConcat(short, b), 1, `column "x" is only in the later stream`},
		{"first without marker", slicesConcat(b[:len(b)-8], b), 2, "kind 1 where a record batch or the end marker should be"},
		{"last without marker", slicesConcat(b, b[:len(b)-8]), 4, "without its end marker"},
		{"one byte after", append(bytes.Clone(b), 0), 2, "bytes after the end marker"},
		{"a line after", append(bytes.Clone(b), "hello, world\n"...), 2, "bytes after the end marker"},
		{"two markers", append(bytes.Clone(b), b[len(b)-8:]...), 2, "after the end marker"},
		{"the file format after", slicesConcat(b, write(t, schema, rec, 1, WithFileFormat())), 2, "after the end marker"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, open := range map[string]func([]byte, ...Option) (*Reader, error){"mapped": openMapped, "piped": openPiped} {
				r, err := open(test.b, WithName("in"))
				if err != nil {
					t.Fatal(err)
				}
				n, err := drain(r)
				if n != test.batches {
					t.Errorf("%s: %d batches, want %d", name, n, test.batches)
				}
				switch {
				case test.want == "" && err != nil:
					t.Errorf("%s: %v", name, err)
				case test.want != "" && (!errors.Is(err, ErrInput) || !strings.Contains(err.Error(), test.want)):
					t.Errorf("%s: got %v, want an input error with %q", name, err, test.want)
				case test.want != "" && !strings.HasPrefix(err.Error(), fmt.Sprintf("in: batch %d: ", n)):
					t.Errorf("%s: %v does not name the place", name, err)
				}
				if _, again := r.Next(); test.want != "" && again != err {
					t.Errorf("%s: a second call gives %v, want the same error", name, again)
				}
				r.Close()
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestNotAStream(t *testing.T) {
	file := small(t, WithFileFormat())
	for _, test := range []struct {
		name string
		b    []byte
		open func([]byte, ...Option) (*Reader, error)
		want string
	}{
		{"nothing in a pipe", nil, openPiped, "no bytes at all"},
		{"nothing in a file", nil, openMapped, "no bytes at all"},
		{"text", []byte("id,label\na,1\n"), openPiped, "not an Arrow stream"},
		{"a png", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), openMapped, "not an Arrow stream"},
		{"the file format in a pipe", file, openPiped, "in the Arrow file format"},
		{"two of the file format", slicesConcat(file, file), openMapped, "cannot be joined"},
		{"the file format and a byte", append(bytes.Clone(file), 0), openMapped, "without its footer"},
		{"an end marker alone", []byte("\xff\xff\xff\xff\x00\x00\x00\x00"), openPiped, "in place of a schema"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := consume(test.open, test.b, WithName("in"))
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an input error with %q", err, test.want)
			}
		})
	}
}

func TestReadErrorIsNotInput(t *testing.T) {
	b := small(t)
	broken := errors.New("device gone")
	for _, n := range []int{0, 4, 100, len(b) - 30} {
		r, err := NewReader(io.MultiReader(bytes.NewReader(b[:n]), errReader{broken}))
		if err == nil {
			_, err = drain(r)
		}
		if !errors.Is(err, broken) || errors.Is(err, ErrInput) {
			t.Errorf("after %d bytes: got %v, want the reader's error and no input error", n, err)
		}
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
