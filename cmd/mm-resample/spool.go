package main

import (
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/cli"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// spooled is what is read of a stream, in a temporary file without a name: it is gone when the process is.
type spooled struct {
	file   *os.File
	reader *stream.Reader
}

func (s *spooled) Close() {
	if s.reader != nil {
		s.reader.Close()
	}
	s.file.Close()
}

// spool copies r, a pipe, to a temporary file and returns a reader of the copy.
func spool(ctx *cli.Context, in *stream.Reader, r *schema.ContributionsReader) (*spooled, *schema.ContributionsReader, error) {
	file, err := os.CreateTemp("", "mm-resample-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a temporary file: %w", err)
	}
	s := &spooled{file: file}
	copied, err := s.fill(ctx, in, r)
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return s, copied, nil
}

func (s *spooled) fill(ctx *cli.Context, in *stream.Reader, r *schema.ContributionsReader) (*schema.ContributionsReader, error) {
	if err := os.Remove(s.file.Name()); err != nil {
		return nil, fmt.Errorf("unlinking a temporary file: %w", err)
	}
	rows, err := copyTo(ctx, s.file, in.Schema(), r)
	if err != nil {
		return nil, err
	}
	size, err := s.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	ctx.Log.Info().Int64("samples", rows).Int64("bytes", size).Msg("copied the contributions of a pipe to a temporary file")
	if s.reader, err = stream.FromFile(s.file, stream.WithName(in.Name())); err != nil {
		return nil, err
	}
	return schema.NewContributionsReader(s.reader)
}

// copyTo writes the columns that a ContributionsReader has to find, and no others.
func copyTo(ctx *cli.Context, file *os.File, full *arrow.Schema, r *schema.ContributionsReader) (rows int64, err error) {
	names := []string{"id", "row", "label", "prediction"}
	for _, m := range r.Contributions().Modalities {
		names = append(names, "phi_"+m.Name)
	}
	var fields []arrow.Field
	var columns []int
	for _, name := range names {
		at := full.FieldIndices(name)[0] // r has found them
		columns, fields = append(columns, at), append(fields, full.Field(at))
	}
	metadata := full.Metadata()
	narrow := arrow.NewSchema(fields, &metadata)
	w, err := stream.NewWriter(file, narrow)
	if err != nil {
		return 0, fmt.Errorf("writing a temporary file: %w", err)
	}
	values := make([]arrow.Array, len(columns))
	err = each(ctx, r, func() error { return nil }, func(b *schema.ContributionsBatch) error {
		for k, at := range columns {
			values[k] = b.Record().Column(at)
		}
		record := array.NewRecord(narrow, values, int64(b.Rows()))
		defer record.Release()
		rows += int64(b.Rows())
		if err := w.Write(record); err != nil {
			return fmt.Errorf("writing a temporary file: %w", err)
		}
		return nil
	})
	if err != nil {
		return rows, err
	}
	if err := w.Close(); err != nil {
		return rows, fmt.Errorf("writing a temporary file: %w", err)
	}
	return rows, nil
}
