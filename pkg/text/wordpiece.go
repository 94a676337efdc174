package text

import (
	"bufio"
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// wordPiece cuts words into the longest pieces that the vocabulary holds, from the left (Devlin et al., NAACL 2019).
type wordPiece struct {
	ids     map[string]int64
	unknown int64
	prefix  string // of a piece that does not begin a word
	longest int    // characters of a word that is cut at all
}

// splitBERT calls piece with each word and each punctuation mark.
func splitBERT(s string, piece func(string) bool) {
	start := -1
	for i, r := range s {
		space, mark := unicode.IsSpace(r), punctuation(r)
		if !space && !mark {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && !piece(s[start:i]) {
			return
		}
		start = -1
		if mark && !piece(s[i:i+utf8.RuneLen(r)]) {
			return
		}
	}
	if start >= 0 {
		piece(s[start:])
	}
}

// punctuation is what BERT takes for it: all of ASCII that is no letter, digit, space or control character, and the category P.
func punctuation(r rune) bool {
	if r < 128 {
		return r >= '!' && r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~'
	}
	return unicode.Is(unicode.P, r)
}

// piece appends the ids of one word; a word with a part that no piece matches is unknown as a whole.
func (w *wordPiece) piece(word string, out []int64) []int64 {
	if utf8.RuneCountInString(word) > w.longest {
		return append(out, w.unknown)
	}
	before := len(out)
	var key []byte
	for start := 0; start < len(word); {
		end, found := len(word), false
		for ; end > start; end-- {
			if !utf8.RuneStart(at(word, end)) {
				continue
			}
			key = key[:0]
			if start > 0 {
				key = append(key, w.prefix...)
			}
			key = append(key, word[start:end]...)
			if id, ok := w.ids[string(key)]; ok {
				out, found = append(out, id), true
				break
			}
		}
		if !found {
			return append(out[:before], w.unknown)
		}
		start = end
	}
	return out
}

// at returns the byte, or one that starts a character behind the end.
func at(s string, i int) byte {
	if i == len(s) {
		return 0
	}
	return s[i]
}

// parseVocabulary reads vocab.txt: a token a line, its id the number of the line, from 0.
func parseVocabulary(data []byte, o TokenizerOptions) (*Tokenizer, error) {
	w := &wordPiece{ids: map[string]int64{}, prefix: "##", longest: 100}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := int64(0); lines.Scan(); n++ {
		token := lines.Text() // without the line's end
		if !utf8.ValidString(token) {
			return nil, fmt.Errorf("line %d: not UTF-8", n+1)
		}
		if _, twice := w.ids[token]; twice && token != "" {
			return nil, fmt.Errorf("line %d: token %q twice", n+1, token)
		}
		w.ids[token] = n
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(w.ids)+1, err)
	}
	delete(w.ids, "") // an empty line has a number, and stands for nothing
	special := map[string]int64{}
	for _, name := range []string{"[UNK]", "[CLS]", "[SEP]", "[PAD]"} {
		id, ok := w.ids[name]
		if !ok {
			return nil, fmt.Errorf("no line %s: want the vocab.txt of a BERT, a token a line", name)
		}
		special[name] = id
	}
	w.unknown = special["[UNK]"]
	return &Tokenizer{normal: bertNormalizer(true, true, !o.Cased, !o.Cased), split: splitBERT, ids: w.piece,
		prefix: []int64{special["[CLS]"]}, suffix: []int64{special["[SEP]"]}, padding: special["[PAD]"]}, nil
}
