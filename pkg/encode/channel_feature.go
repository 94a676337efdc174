package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
	"mmtools/pkg/table"
)

// FeatureSpec takes numbers that are there already, float16 and uint8 where they are stored so and else float32: of a file for each sample, whose path the column holds, or of one file with
// all samples, or a folder of files that are called as their samples are, whose ids the column holds.
type FeatureSpec struct {
	Name   string // of the modality
	Column string
	File   string        // with all samples, or a folder; "" where the column says where each lies
	Values string        // what in the file holds the numbers, as table.Source says
	IDs    string        // and what the ids
	Shape  []int         // of a sample; nil for the file's own
	Kind   modality.Kind // "" for embedding

	all  *table.Features // of File, where it is open already; the channel closes it
	wide bool            // float32 whatever is stored: for a model
}

// ModalityName implements Spec.
func (s FeatureSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s FeatureSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.Column)
	if err != nil {
		return nil, err
	}
	c := &featureChannel{fileChannel: files, spec: s}
	if s.File != "" {
		err = c.openTable(in.List)
	} else {
		err = c.shapeOfFirst(in.List)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, c.reshape()
}

// featureChannel finds the features of a column's samples.
type featureChannel struct {
	fileChannel
	spec     FeatureSpec
	own      []int           // shape of a sample in the files
	element  Element         // of the stream
	shape    []int           // and in the stream
	all      *table.Features // nil where each sample has a file
	rows     map[string]int  // of all, by id
	leftover []string        // ids of all that the list has not
}

// openTable opens the file with all samples.
func (c *featureChannel) openTable(l List) error {
	var err error
	if c.all = c.spec.all; c.all != nil {
		// it was opened to see which samples there are
	} else if c.all, err = table.OpenFeatures(table.Source{Path: c.spec.File, Values: c.spec.Values, IDs: c.spec.IDs}); err != nil {
		return err
	}
	c.take(c.all)
	ids := c.all.IDs()
	if ids == nil { // samples by their place in the file, from 0
		ids = make([]string, c.all.Rows())
		for i := range ids {
			ids[i] = fmt.Sprint(i)
		}
	}
	c.rows = make(map[string]int, len(ids))
	for i, id := range ids {
		c.rows[id] = i
	}
	listed := make(map[string]bool, l.Rows())
	for row := range l.Rows() {
		listed[l.Field(row, c.columns[0])] = true
	}
	for _, id := range ids {
		if !listed[id] {
			c.leftover = append(c.leftover, id)
		}
	}
	return nil
}

// shapeOfFirst takes the shape of the first file that is there, of the whole list.
func (c *featureChannel) shapeOfFirst(l List) error {
	for row := range l.Rows() {
		path := l.Field(row, c.columns[0])
		if path == "" {
			continue
		}
		f, err := c.openFile(path)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return wrapCell(l, row, c.columns[0], fmt.Errorf("%s: %w", path, err))
		}
		c.take(f)
		return f.Close()
	}
	return errors.New("the column holds no file to take the shape from")
}

// take takes shape and element type from features.
func (c *featureChannel) take(f *table.Features) {
	if c.own, c.element = f.Shape(), f.Element(); c.spec.wide {
		c.element = Float32
	}
}

// reshape fixes the shape in the stream.
func (c *featureChannel) reshape() error {
	c.shape = c.own
	if c.spec.Shape == nil {
		return nil
	}
	c.shape = c.spec.Shape
	own, wanted := modality.Modality{Shape: c.own}, modality.Modality{Shape: c.shape}
	if own.Size() != wanted.Size() {
		return errors.Join(stream.Errorf("shape %v takes %d numbers: a sample has shape %v", c.shape, wanted.Size(), c.own), c.Close())
	}
	return nil
}

// maxFeatureFile bounds the file of one sample, which is read whole.
const maxFeatureFile = 1 << 31

// openFile reads the file of one sample.
func (c *featureChannel) openFile(path string) (*table.Features, error) {
	f, size, err := c.folder.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	if size > maxFeatureFile {
		return nil, stream.Errorf("%d bytes, at most %d", size, int64(maxFeatureFile))
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	sample, err := table.OpenSample(path, data, c.spec.Values)
	return sample, unnamed(path, err)
}

// unnamed leaves out the path that a bad file's error begins with, for the caller puts it there.
func unnamed(path string, err error) error {
	if err == nil || !errors.Is(err, stream.ErrInput) {
		return err
	}
	return stream.Errorf("%s", strings.TrimPrefix(err.Error(), path+": "))
}

// Inspect implements Channel.
func (c *featureChannel) Inspect(cell Cell, d *Digest) error {
	if c.all == nil {
		return c.fileChannel.Inspect(cell, d)
	}
	row, ok := c.rows[cell.Fields[0]]
	if !ok || !c.all.Present(row) {
		return fmt.Errorf("no row in %s: %w", c.spec.File, ErrMissing)
	}
	d.Number(int64(row))
	return nil
}

// Leftover returns the ids that are in the file alone.
func (c *featureChannel) Leftover() Leftover { return Leftover{c.name, c.spec.File, c.leftover} }

func (c *featureChannel) Modality() modality.Modality {
	kind := c.spec.Kind
	if kind == "" {
		kind = modality.Embedding
	}
	return modality.Modality{Name: c.name, Kind: kind, Shape: c.shape}
}

func (c *featureChannel) Element() Element { return c.element }

// Options implements Channel. A file with all samples is hashed whole: the sizes of files, which stand for others, say nothing of it.
func (c *featureChannel) Options() any {
	options := struct{ Values, IDs, Digest string }{c.spec.Values, c.spec.IDs, ""}
	if c.all != nil {
		d := newDigest()
		d.Bytes(c.all.Bytes())
		options.Digest = d.String()
	}
	return options
}

// Close implements Channel.
func (c *featureChannel) Close() error {
	if c.all == nil {
		return nil
	}
	return c.all.Close()
}

func (c *featureChannel) NewDecoder() (ChannelDecoder, error) { return featureDecoder{c}, nil }

type featureDecoder struct{ *featureChannel }

// Decode implements ChannelDecoder.
func (d featureDecoder) Decode(_ context.Context, dst any, cell Cell) error {
	if d.all != nil {
		return d.read(d.all, d.rows[cell.Fields[0]], dst)
	}
	f, err := d.openFile(cell.Fields[0])
	if err != nil {
		return err
	}
	if got := f.Shape(); !slices.Equal(got, d.own) {
		return errors.Join(stream.Errorf("shape %v, the first file has %v", got, d.own), f.Close())
	}
	return errors.Join(unnamed(cell.Fields[0], d.read(f, 0, dst)), f.Close())
}

// read fills dst with a row of features, which are float32 or of the channel's own type.
func (d featureDecoder) read(f *table.Features, row int, dst any) error {
	if x, ok := dst.([]float32); ok {
		return f.Read(row, x)
	}
	if got := f.Element(); got != d.element {
		return stream.Errorf("%s, the first file has %s", got, d.element)
	}
	return f.Take(row, dst)
}

var featureKind = Kind{
	Name: "feature",
	Help: "Numbers that are there already: of an npy, npz or safetensors file for each sample, or of one file with all samples. Those that are stored as float16 or uint8 stay so, others become float32.",
	Keys: []Key{
		{"file", "FILE", "", "Take all samples from FILE (npy, npz, safetensors, csv, tsv, jsonl, parquet, arrow, feather); the column then holds their ids in it, or their rows, from 0, where it has none. Of a folder, each npy, npz and safetensors file in it is the sample of its name."},
		{"values", "NAME", "", "Take the numbers from the column, array or tensor NAME of the file, or from all columns that begin with NAME where a * follows; without it from the only one, and in npz and safetensors files with all samples every array is one."},
		{"ids", "NAME", "", "Take the ids from the column NAME of the file, or from the array of texts in an npz file; without it from the column id."},
		{"shape", "DxD", "", "Shape a sample so; without it it keeps the file's shape."},
		{"kind", "KIND", "embedding", "Say what it is: audio, image, video, flow, text or embedding."},
	},
	Parse: func(name, column string, v *Values) Spec {
		spec := parseFeature(name, column, v)
		spec.File = v.Text("file")
		return spec
	},
}

// parseFeature reads the settings that do not say where the numbers are.
func parseFeature(name, column string, v *Values) FeatureSpec {
	kinds := make([]string, len(modality.Kinds))
	for i, k := range modality.Kinds {
		kinds[i] = string(k)
	}
	return FeatureSpec{Name: name, Column: column, Values: v.Text("values"), IDs: v.Text("ids"), Shape: v.Shape("shape"),
		Kind: modality.Kind(v.OneOf("kind", kinds...))}
}
