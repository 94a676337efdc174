package main

import (
	"io"
	"os"
	"path/filepath"

	"mmtools/pkg/cli"
	"mmtools/pkg/report"
)

// files are what a run writes beside its product. They take their names together, once all are written: a run that fails
// halfway leaves every old one as it was.
type files struct {
	ctx  *cli.Context
	open []*cli.Product
}

// figure draws f into the file, whose ending says how.
func (s *files) figure(path string, f *report.Figure) error {
	format, err := report.FormatOf(path)
	if err != nil {
		return cli.Usage("%w", err)
	}
	return s.write(path, func(w io.Writer) error { return f.Write(w, format) })
}

// page writes p into the file.
func (s *files) page(path string, p *report.Page) error { return s.write(path, p.Write) }

func (s *files) write(path string, write func(io.Writer) error) error {
	out, err := s.ctx.CreateText(path)
	if err != nil {
		return err
	}
	s.open = append(s.open, out)
	return write(out)
}

// stream opens the file for a stream; its writer is closed before commit.
func (s *files) stream(path string) (io.Writer, error) {
	out, err := s.ctx.Create(path)
	if err != nil {
		return nil, err
	}
	s.open = append(s.open, out)
	return out, nil
}

// commit gives the files their names. Call it once, on the success path.
func (s *files) commit() error {
	for _, out := range s.open {
		if err := out.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// abort drops the files that have no name yet.
func (s *files) abort() {
	for _, out := range s.open {
		out.Abort()
	}
}

// figures draws figures into the folder, which is made where it is missing, as NAME.svg.
func (s *files) figures(folder string, names []string, figures []*report.Figure) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for i, f := range figures {
		if err := s.figure(filepath.Join(folder, names[i]+".svg"), f); err != nil {
			return err
		}
	}
	return nil
}
