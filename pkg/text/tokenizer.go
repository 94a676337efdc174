package text

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Tokenizer turns texts into the ids that a model of text was trained on. Goroutines may share one.
//
// It differs from Hugging Face's in one way, on purpose: special tokens such as [MASK] that stand in a text are taken for the characters
// that they are written with.
type Tokenizer struct {
	normal  []normalizer
	split   splitter
	ids     func(piece string, out []int64) []int64
	prefix  []int64 // special tokens before the text
	suffix  []int64 // and behind it
	padding int64
}

// TokenizerOptions hold for vocab.txt, which says nothing of itself but the tokens.
type TokenizerOptions struct {
	Cased bool // keep capitals and accents
}

// maxTokenizer bounds a tokenizer's file.
const maxTokenizer = 64 << 20

// ReadTokenizer reads BERT's vocab.txt, or tokenizer.json.
func ReadTokenizer(path string, o TokenizerOptions) (*Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxTokenizer+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTokenizer {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxTokenizer)
	}
	var t *Tokenizer
	if strings.HasSuffix(path, ".json") {
		t, err = parseTokenizer(data)
	} else {
		t, err = parseVocabulary(data, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Encode writes the ids of s and a mask that is 1 for each of them; both have the same length, into which the text is cut, and which
// padding fills up with a mask of 0. Special tokens are never cut.
func (t *Tokenizer) Encode(ids, mask []int64, s string) error {
	room := len(ids) - len(t.prefix) - len(t.suffix)
	if room < 0 || len(mask) != len(ids) {
		return fmt.Errorf("%d ids and a mask of %d: want as many of each, and %d for the special tokens", len(ids), len(mask),
			len(t.prefix)+len(t.suffix))
	}
	for _, n := range t.normal {
		s = n(s)
	}
	var found []int64
	t.split(s, func(piece string) bool {
		found = t.ids(piece, found)
		return len(found) < room
	})
	n := copy(ids, t.prefix)
	n += copy(ids[n:], found[:min(len(found), room)])
	n += copy(ids[n:], t.suffix)
	for i := range ids {
		mask[i] = 1
		if i >= n {
			ids[i], mask[i] = t.padding, 0
		}
	}
	return nil
}
