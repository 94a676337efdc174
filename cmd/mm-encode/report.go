package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

// entry is a line of the report.
type entry struct {
	Row      int    `json:"row"` // of the list, from 0; -1 of what is not in it
	ID       string `json:"id"`
	Modality string `json:"modality"`
	Path     string `json:"path"`
	Missing  bool   `json:"missing"`
	Reason   string `json:"reason"`
}

// report gathers what was missing or broken.
type report struct {
	entries         []entry
	missing, broken int
	marked          int // entries that a journal holds already
}

func (r *report) add(f encode.Failure) {
	r.restore(entry{f.Row, f.ID, f.Modality, f.Path, f.Missing, f.Err.Error()})
}

// leftover adds ids that the list has not. They are counted neither as missing nor as broken.
func (r *report) leftover(l encode.Leftover) {
	for _, id := range l.IDs {
		r.entries = append(r.entries, entry{Row: -1, ID: id, Modality: l.Modality, Path: l.File, Reason: "the list has no such id"})
	}
}

// restore adds an entry as it was.
func (r *report) restore(e entry) {
	if e.Missing {
		r.missing++
	} else {
		r.broken++
	}
	r.entries = append(r.entries, e)
}

// write writes the report to a file, or nothing for "".
func (r *report) write(ctx *cli.Context, path string) error {
	if path == "" {
		return nil
	}
	out, err := ctx.CreateText(path)
	if err != nil {
		return err
	}
	defer out.Abort()
	if strings.HasSuffix(path, ".csv") {
		err = r.csv(out)
	} else {
		err = r.lines(out)
	}
	if err != nil {
		return err
	}
	return out.Commit()
}

func (r *report) lines(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, e := range r.entries {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write([]string{"row", "id", "modality", "path", "missing", "reason"})
	for _, e := range r.entries {
		c.Write([]string{strconv.Itoa(e.Row), e.ID, e.Modality, e.Path, strconv.FormatBool(e.Missing), e.Reason})
	}
	c.Flush()
	return c.Error()
}
