// Package schema gives the rows of each stream their types: samples, model, contributions, plan and predictions, as
// docs/streams.md defines them.
//
// A writer of each kind takes rows and writes the columns and the mm.* metadata; a reader of each kind takes a
// stream.Reader, holds its columns against the kind and every value against its range, and yields batches.
//
// Batches are borrowed until the next call of Next; Retain keeps one. Columns and ids are views of the batch's memory
// where they can be: copy (strings.Clone) what must outlive it. Reading a row allocates nothing.
//
// Errors about what a stream holds are stream.ErrInput, begin with the stream's name and say what was got and wanted;
// rows are counted from 0 over the whole stream.
package schema
