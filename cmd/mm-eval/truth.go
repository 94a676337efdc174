package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"mmtools/pkg/metric"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// truth says which modality of each sample is known to be noisy. It is held in memory: about 100 bytes a sample.
type truth struct {
	path, column string
	noisy        map[string]string // by id
}

// readTruth reads two columns of a CSV file with a heading line. Errors in what it holds are stream.ErrInput.
func readTruth(path, idColumn, column string) (*truth, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, stream.Errorf("%s: no heading line", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, wrongCSV(err))
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // spreadsheets write a byte order mark
	id, value := slices.Index(head, idColumn), slices.Index(head, column)
	for i, want := range []string{idColumn, column} {
		if []int{id, value}[i] < 0 {
			return nil, stream.Errorf("%s: no column %q; it has %s", path, want, strings.Join(head, ", "))
		}
	}
	t := &truth{path: path, column: column, noisy: map[string]string{}}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, wrongCSV(err))
		}
		if _, twice := t.noisy[row[id]]; twice {
			line, _ := r.FieldPos(id)
			return nil, stream.Errorf("%s: line %d: id %q comes twice", path, line, row[id])
		}
		t.noisy[strings.Clone(row[id])] = strings.Clone(row[value])
	}
}

// wrongCSV tells a file that is no CSV from one that cannot be read.
func wrongCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return stream.Errorf("%w", err)
	}
	return err
}

// knownRows collects the samples of a stream whose noisy modality is known and that have every modality.
type knownRows struct {
	truth      *truth
	modalities []string
	index      map[string]int // of a modality's name
	phi        []float64      // (rows,n)
	noisy      []int          // (rows)
	matched    int            // rows of the stream whose id the truth has
}

// against starts the comparison with a stream of these modalities. It is an error when no value of the truth is one.
func (t *truth) against(modalities []string) (*knownRows, error) {
	k := &knownRows{truth: t, modalities: modalities, index: map[string]int{}}
	for p, name := range modalities {
		k.index[name] = p
	}
	for _, value := range t.noisy {
		if _, ok := k.index[value]; ok {
			return k, nil
		}
	}
	return nil, stream.Errorf("%s: column %q names none of the modalities %s", t.path, t.column, strings.Join(modalities, ", "))
}

func (k *knownRows) add(b *schema.ContributionsBatch) {
	n := len(k.modalities)
rows:
	for i := range b.Rows() {
		value, ok := k.truth.noisy[b.ID(i)]
		if !ok {
			continue
		}
		k.matched++
		p, ok := k.index[value]
		if !ok {
			continue
		}
		first := len(k.phi)
		for q := range n {
			phi := b.Phi(q)[i]
			if phi != phi { // the sample lacks the modality: there is nothing to compare
				k.phi = k.phi[:first]
				continue rows
			}
			k.phi = append(k.phi, phi)
		}
		k.noisy = append(k.noisy, p)
	}
}

// agreement compares what was collected. A truth about other samples is an error.
func (k *knownRows) agreement(name string) (*metric.Agreement, error) {
	if k.matched == 0 {
		return nil, stream.Errorf("%s: none of its ids is in %s", name, k.truth.path)
	}
	a := metric.NoisyModality(k.phi, k.noisy, len(k.modalities))
	return &a, nil
}
