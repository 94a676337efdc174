// Package stream reads and writes Arrow IPC by the rules of this project's streams: nothing that comes from outside is
// half-trusted, and the end marker means success.
//
// A stream is
//
//	schema, batch, batch, ..., end marker        the stream format: pipes and files
//	magic, schema, batch, ..., footer, magic     the file format: files only
//
// and streams with equal schemas may follow one another, as `cat` joins them. The writer writes the end marker (or the
// footer) on its success path only, so a stream without one is an error: its writer failed or was cut off.
//
// A Reader decodes the record batch messages itself, because Arrow's own reader takes a truncated stream for a whole
// one, allocates what a header claims before the bytes are there, and copies every buffer. Here every length is held
// against what is really there before it is used:
//
//   - a message's metadata against Limits.Metadata;
//   - its body, in a mapped file, against the file; on a pipe, memory grows as bytes arrive, up to Limits.Batch;
//   - every buffer against the body, and against what the rows of its column need;
//   - a compressed buffer's claim against Limits.Batch and against what its bytes can expand to;
//   - offsets for order and range, text for UTF-8, null counts against the bitmaps.
//
// Buffers of a mapped file are slices of the mapping where they are uncompressed and aligned: a record costs a few small
// allocations whatever its size. A mapped file that another process truncates while it is read raises SIGBUS, as any
// mapping does; write beside and rename (Create) instead.
//
// Source: the Arrow columnar format, version 1.5, "Serialization and Interprocess Communication"; Message.fbs,
// Schema.fbs and File.fbs of Apache Arrow. Dictionaries and views of texts and bytes are read as plain columns of what they
// stand for. Not supported, with an error that names the column: unions, list views, run-end encoding, maps and big-endian data.
package stream
