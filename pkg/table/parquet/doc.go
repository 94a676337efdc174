// Package parquet reads Parquet files of other writers: a column of a row group, cell by cell, from a file that lies in memory.
//
// After the format's specification (github.com/apache/parquet-format, 2.11): data pages 1 and 2; the encodings PLAIN, RLE_DICTIONARY and PLAIN_DICTIONARY, RLE,
// DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT; Snappy, gzip, Brotli, zstd, LZ4_RAW. Flat columns, and lists, of
// texts, booleans and numbers: what else a column is, it says when it is read. Encrypted files are refused.
//
// Files are taken as hostile. What a header claims is held against the bytes that are there: pages are decoded where they lie, values one by one, and nothing is
// allocated by a count that a header names. A page expands to at most 1 GiB, and to no more than its bytes can; a chunk holds its dictionary and a page.
package parquet
