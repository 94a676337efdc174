package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mmtools/pkg/modality"
	"mmtools/pkg/text"
)

// TextSpec makes hashed n-grams, (size) float32, of a column's texts, or token ids for an encoder.
type TextSpec struct {
	Name   string // of the modality
	Column string
	File   bool // the column holds paths of text files, not the texts
	Hash   text.HashOptions
	Tokens *TokenOptions // nil for n-grams; ids are no modality by themselves
}

// TokenOptions say how texts become token ids.
type TokenOptions struct {
	File   string // vocab.txt or tokenizer.json
	Cased  bool   // of vocab.txt
	Length int    // ids a text
}

const (
	maxText   = 16 << 20 // bytes of a text file
	maxTokens = 1 << 16
)

// textColumn gives the texts of a column.
type textColumn struct {
	fileChannel
	file bool
}

// ModalityName implements Spec.
func (s TextSpec) ModalityName() string { return s.Name }

// column opens the texts.
func (s TextSpec) column(in *Inputs) (textColumn, error) {
	files, err := in.files(s.Name, s.Column)
	return textColumn{files, s.File}, err
}

// Open implements Spec.
func (s TextSpec) Open(in *Inputs) (Channel, error) {
	if s.Tokens != nil {
		return nil, errors.New("token ids are for a model: name one with --encoder, or leave the tokenizer out for hashed n-grams")
	}
	column, err := s.column(in)
	if err != nil {
		return nil, err
	}
	if _, err := text.NewHasher(s.Hash); err != nil {
		return nil, err
	}
	return &textChannel{column, s.Hash}, nil
}

// Inspect implements Channel. A text in the list is in the digest already.
func (c textColumn) Inspect(cell Cell, d *Digest) error {
	if !c.file {
		return nil
	}
	return c.fileChannel.Inspect(cell, d)
}

// text returns a cell's text.
func (c textColumn) text(cell Cell) (string, error) {
	if !c.file {
		return cell.Fields[0], nil
	}
	f, size, err := c.folder.Open(cell.Fields[0])
	if err != nil {
		return "", err
	}
	defer f.Close() // it was only read
	if size > maxText {
		return "", fmt.Errorf("a text of %d bytes: want at most %d", size, maxText)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxText))
	return string(data), err
}

// textChannel hashes the texts of one column.
type textChannel struct {
	textColumn
	hash text.HashOptions
}

func (c *textChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Text, Shape: []int{c.hash.Size}}
}

func (c *textChannel) Element() Element { return Float32 }

// Options implements Channel.
func (c *textChannel) Options() any {
	return struct {
		File bool
		Hash text.HashOptions
	}{c.file, c.hash}
}

func (c *textChannel) NewDecoder() (ChannelDecoder, error) {
	hasher, err := text.NewHasher(c.hash)
	return &textDecoder{c, hasher}, err
}

// textDecoder hashes texts; it belongs to one goroutine.
type textDecoder struct {
	*textChannel
	hasher *text.Hasher
}

// Decode implements ChannelDecoder.
func (d *textDecoder) Decode(_ context.Context, dst any, cell Cell) error {
	s, err := d.text(cell)
	if err != nil {
		return err
	}
	d.hasher.Hash(dst.([]float32), s)
	return nil
}

var textKind = Kind{
	Name: "text",
	Help: "Hashed word and character n-grams of a text; with a tokenizer, token ids for --encoder.",
	Keys: []Key{
		{"file", "true", "false", "The column holds paths of UTF-8 text files, not the texts."},
		{"size", "N", "4096", "Hash into a vector of N numbers."},
		{"words", "MIN-MAX", "1-2", "Take runs of MIN to MAX words; none takes no words."},
		{"chars", "MIN-MAX", "none", "Take runs of MIN to MAX characters within words, a space on either side included; such as 3-5."},
		{"seed", "N", "0", "Seed the hash with N."},
		{"counts", "true", "false", "Keep the signed counts, not divided by the vector's Euclidean length."},
		{"tokenizer", "FILE", "", "Turn texts into the token ids of a model, by BERT's vocab.txt, or by a tokenizer.json of WordPiece, of byte-level BPE as RoBERTa and CLIP have it, or of Unigram as T5 and XLM-RoBERTa do."},
		{"length", "N", "128", "Cut, or fill up with padding, to N token ids."},
		{"cased", "true", "false", "Keep capitals and accents where the tokenizer is a vocab.txt."},
	},
	Parse: func(name, column string, v *Values) Spec {
		s := TextSpec{Name: name, Column: column, File: v.Bool("file"), Hash: text.HashOptions{Size: v.Int("size"), Words: grams(v, "words"),
			Chars: grams(v, "chars"), Counts: v.Bool("counts")}}
		seed, err := strconv.ParseUint(v.Text("seed"), 10, 64)
		if err != nil {
			v.refuse("seed", "a whole number from 0")
		}
		s.Hash.Seed = seed
		tokens := TokenOptions{File: v.Text("tokenizer"), Cased: v.Bool("cased"), Length: v.Int("length")}
		if tokens.File != "" {
			s.Tokens = &tokens
		}
		if tokens.Length < 1 || tokens.Length > maxTokens {
			v.refuse("length", fmt.Sprintf("a number from 1 to %d", maxTokens))
		}
		if _, err := text.NewHasher(s.Hash); err != nil && v.err == nil {
			v.err = err
		}
		return s
	},
}

// grams reads MIN-MAX, N, or none.
func grams(v *Values, name string) text.Range {
	setting := v.Text(name)
	if setting == "none" {
		return text.Range{}
	}
	low, high, two := strings.Cut(setting, "-")
	if !two {
		high = low
	}
	min, err := strconv.Atoi(low)
	max, err2 := strconv.Atoi(high)
	if err != nil || err2 != nil || min < 1 {
		v.refuse(name, "MIN-MAX, such as 1-2, or none")
	}
	return text.Range{Min: min, Max: max}
}
