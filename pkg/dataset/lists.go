package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// maxLine bounds a line of a list.
const maxLine = 1 << 16

// maxEntries bounds the clips of a list: 20 times those of Kinetics-700.
const maxEntries = 1 << 24

// lists is where a data set's lists are.
type lists struct {
	fs   fs.FS
	file string // the only one; "" for all by their names
	fold int
}

// part is a list and the split that its name says.
type part struct{ file, split string }

// parts returns the lists that are there, of groups of names of which the first that is there counts: of each split one. It is an error
// where none is.
func (l *lists) parts(groups ...[]part) ([]part, error) {
	if l.file != "" {
		return []part{{l.file, splitOfName(l.file)}}, nil
	}
	var found []part
	var names []string
	for _, group := range groups {
		for _, p := range group {
			names = append(names, p.file)
			if _, err := fs.Stat(l.fs, p.file); err == nil {
				found = append(found, p)
				break
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no list: want %s: %w", strings.Join(names, " or "), fs.ErrNotExist)
	}
	return found, nil
}

// splitOfName guesses the split from a list's name; "" where it says none.
func splitOfName(file string) string {
	name := strings.ToLower(file)
	switch {
	case strings.Contains(name, "train"):
		return Train
	case strings.Contains(name, "val"):
		return Validation
	case strings.Contains(name, "test"):
		return Test
	}
	return ""
}

// lines calls line with each line of a list that is not blank, without its end, and names file and line in errors.
func (l *lists) lines(file string, line func(text, place string) error) error {
	f, err := l.fs.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	scanner := bufio.NewScanner(f)
	scanner.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for scanner.Scan() {
		n++
		place := fmt.Sprintf("%s: line %d", file, n)
		text := scanner.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if text = strings.TrimRight(text, "\r"); strings.TrimSpace(text) == "" {
			continue
		}
		if n > maxEntries {
			return stream.Errorf("%s: more than %d lines", file, maxEntries)
		}
		if !utf8.ValidString(text) {
			return stream.Errorf("%s: not UTF-8 text", place)
		}
		if err := line(text, place); err != nil {
			return stream.Errorf("%s: %w", place, err)
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return stream.Errorf("%s: line %d: more than %d bytes", file, n+1, maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
