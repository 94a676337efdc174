// Package table reads tables of other writers: rows of named columns whose cells are text, numbers or vectors of numbers.
//
//	CSV, TSV             a first line that names the columns; a vector is numbers with blanks, commas or semicolons between them
//	JSON lines           an object a line; a key that a line lacks is null there
//	Parquet              flat columns, and lists of numbers; every encoding; Snappy, gzip, Brotli, zstd, LZ4_RAW
//	Arrow IPC, Feather   both formats; list, large list, fixed-size list, dictionaries, views; LZ4, zstd
//
// A Reader goes through a table once, row by row, in memory that does not grow with the rows: Rows keeps the text of some columns,
// and Features the vectors of one, with what NumPy (npy, npz) and safetensors files hold. Features lie in a mapped file, the
// given one where it holds them as they are and else a temporary one without a name in TMPDIR, so that they need not fit into memory.
//
// Files are taken as hostile: what a header claims is held against the bytes that are there, and errors in what a file holds are
// stream.ErrInput and name the file, row and column. Parquet is decoded by pkg/table/parquet.
package table
