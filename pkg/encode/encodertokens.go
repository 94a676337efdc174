package encode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/onnx"
	"mmtools/pkg/text"
)

// tokenFeed feeds a model with token ids: its inputs are named as Hugging Face's exports name them.
type tokenFeed struct {
	textColumn
	o         EncoderOptions
	tokens    TokenOptions
	tokenizer *text.Tokenizer
	sum       string   // of the tokenizer's file
	names     []string // of the inputs in use
}

func openTokenFeed(s TextSpec, o EncoderOptions, in *Inputs) (encoderFeed, error) {
	column, err := s.column(in)
	if err != nil {
		return nil, err
	}
	if o.Each != Whole || o.Last || o.Divide != 0 || o.Mean != nil || o.Std != nil {
		return nil, errors.New("each, layout, divide, mean and std are not for token ids")
	}
	f := &tokenFeed{textColumn: column, o: o, tokens: *s.Tokens}
	if f.tokenizer, err = text.ReadTokenizer(s.Tokens.File, text.TokenizerOptions{Cased: s.Tokens.Cased}); err != nil {
		return nil, err
	}
	if f.sum, err = fileDigest(s.Tokens.File); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *tokenFeed) Modality() modality.Modality {
	return modality.Modality{Name: f.name, Kind: modality.Text, Shape: []int{f.tokens.Length}}
}

func (f *tokenFeed) Element() Element { return Float32 }

// Options implements Channel.
func (f *tokenFeed) Options() any {
	return struct {
		File, Cased bool
		Length      int
		Tokenizer   string
	}{f.file, f.tokens.Cased, f.tokens.Length, f.sum}
}

// NewDecoder implements Channel; the ids are for the model alone.
func (f *tokenFeed) NewDecoder() (ChannelDecoder, error) {
	return nil, errors.New("token ids are no tensor of a stream")
}

// plan gives the model ids, and a mask and segments where it asks for them.
func (f *tokenFeed) plan(m *onnx.Model) (p onnx.Plan, rows int, err error) {
	p.Mask = -1
	ids := f.o.Input
	has := func(name string) bool {
		return slices.ContainsFunc(m.Inputs(), func(p onnx.Port) bool { return p.Name == name })
	}
	if ids == "" && has("input_ids") {
		ids = "input_ids"
	}
	f.names = []string{ids}
	for _, name := range []string{"attention_mask", "token_type_ids"} {
		if has(name) && name != ids {
			f.names = append(f.names, name)
		}
	}
	for _, name := range f.names {
		p.Inputs = append(p.Inputs, onnx.Input{Name: name, Shape: []int{f.tokens.Length}})
	}
	if len(f.names) == 1 || f.names[1] != "attention_mask" { // the mean needs the mask all the same
		if f.o.Pool == onnx.Mean {
			return p, 0, errors.New("pool=mean: the model takes no attention_mask, and its mean would count the padding")
		}
		return p, 1, nil
	}
	p.Mask = 1
	return p, 1, nil
}

func (f *tokenFeed) newFeeder() (feeder, error) {
	n := f.tokens.Length
	return &tokenFeeder{f, make([]int64, n), make([]int64, n), make([]int64, n)}, nil
}

// tokenFeeder makes ids; it belongs to one goroutine.
type tokenFeeder struct {
	*tokenFeed
	ids, mask, segments []int64
}

func (f *tokenFeeder) ahead(_ context.Context, cells []Cell) int { return len(cells) } // a text costs nothing

func (f *tokenFeeder) feed(_ context.Context, cell Cell) ([]any, error) {
	s, err := f.text(cell)
	if err != nil {
		return nil, err
	}
	if err := f.tokenizer.Encode(f.ids, f.mask, s); err != nil {
		return nil, err
	}
	inputs := []any{f.ids}
	for _, name := range f.names[1:] {
		inputs = append(inputs, map[string][]int64{"attention_mask": f.mask, "token_type_ids": f.segments}[name])
	}
	return inputs, nil
}

// modelDigest hashes the model, and the file of its weights where they lie beside it under one of the usual names.
func modelDigest(path string) (string, error) {
	sum, err := fileDigest(path)
	for _, suffix := range []string{".data", "_data"} {
		more, dataErr := fileDigest(path + suffix)
		if errors.Is(dataErr, fs.ErrNotExist) {
			continue
		}
		sum, err = sum+" "+more, errors.Join(err, dataErr)
	}
	return sum, err
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
