package text

import (
	"encoding/json"
	"fmt"
	"strings"
)

// tokenizerFile is as much of tokenizer.json as is understood here. What is not is refused by name.
type tokenizerFile struct {
	AddedTokens []struct {
		ID      int64
		Content string
		Special bool
	} `json:"added_tokens"`
	Normalizer    *component
	PreTokenizer  *component `json:"pre_tokenizer"`
	PostProcessor *component `json:"post_processor"`
	Padding       *struct {
		PadID int64 `json:"pad_id"`
	}
	Model struct {
		Type     string
		Vocab    json.RawMessage // token to id; of Unigram a list
		Merges   []json.RawMessage
		UnkID    *int64  `json:"unk_id"`
		UnkToken *string `json:"unk_token"`
		Prefix   *string `json:"continuing_subword_prefix"`
		Suffix   *string `json:"end_of_word_suffix"`
		Longest  *int    `json:"max_input_chars_per_word"`
		Fallback bool    `json:"byte_fallback"`
		Whole    bool    `json:"ignore_merges"`
	}
	ids map[string]int64 // Vocab; of Unigram by place
}

// component is a normalizer, pre-tokenizer or post-processor.
type component struct {
	Type          string
	Normalizers   []component
	PreTokenizers []component `json:"pretokenizers"`
	Processors    []component

	CleanText          *bool `json:"clean_text"` // BertNormalizer
	HandleChineseChars *bool `json:"handle_chinese_chars"`
	StripAccents       *bool `json:"strip_accents"`
	Lowercase          *bool
	AddPrefixSpace     *bool                            `json:"add_prefix_space"` // ByteLevel
	UseRegex           *bool                            `json:"use_regex"`
	Pattern            *pattern                         // Replace, Split
	Content            string                           // Replace
	Behavior           string                           // Split
	Invert             bool                             // Split
	Left               bool                             `json:"strip_left"` // Strip
	Right              bool                             `json:"strip_right"`
	CharsMap           string                           `json:"precompiled_charsmap"` // Precompiled
	Replacement        *string                          // Metaspace
	PrependScheme      *string                          `json:"prepend_scheme"`
	SplitMarks         *bool                            `json:"split"`
	CLS, SEP           []any                            // BertProcessing, RobertaProcessing: [token, id]
	Single             []map[string]any                 // TemplateProcessing
	SpecialTokens      map[string]struct{ IDs []int64 } `json:"special_tokens"`
}

// parts returns what a Sequence is made of, or the component itself.
func (c *component) parts() []component {
	if c == nil {
		return nil
	}
	if c.Type == "Sequence" {
		return append(append(c.Normalizers, c.PreTokenizers...), c.Processors...)
	}
	return []component{*c}
}

func is(flag *bool, otherwise bool) bool {
	if flag == nil {
		return otherwise
	}
	return *flag
}

// parseTokenizer reads tokenizer.json.
func parseTokenizer(data []byte) (*Tokenizer, error) {
	var f tokenizerFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	t := &Tokenizer{}
	if err := f.vocabulary(); err != nil {
		return nil, err
	}
	if err := f.normalizers(t); err != nil {
		return nil, err
	}
	if err := f.splitter(t); err != nil {
		return nil, err
	}
	if err := f.model(t); err != nil {
		return nil, err
	}
	if err := f.specials(t); err != nil {
		return nil, err
	}
	if f.Padding != nil {
		t.padding = f.Padding.PadID
		return t, nil
	}
	for _, name := range []string{"[PAD]", "<pad>", "<|endoftext|>"} {
		if id, ok := f.token(name); ok {
			t.padding = id
			break
		}
	}
	return t, nil
}

// token returns the id of a token, of the vocabulary or added.
func (f *tokenizerFile) token(name string) (int64, bool) {
	for _, a := range f.AddedTokens {
		if a.Content == name {
			return a.ID, true
		}
	}
	id, ok := f.ids[name]
	return id, ok
}

// vocabulary reads the tokens' ids.
func (f *tokenizerFile) vocabulary() error {
	if len(f.Model.Vocab) > 0 && f.Model.Vocab[0] == '{' {
		if err := json.Unmarshal(f.Model.Vocab, &f.ids); err != nil {
			return fmt.Errorf("vocabulary: %w", err)
		}
		return nil
	}
	var list [][]any
	if json.Unmarshal(f.Model.Vocab, &list) == nil {
		f.ids = make(map[string]int64, len(list))
		for i, entry := range list {
			if len(entry) == 0 {
				continue // the model refuses it
			}
			if token, ok := entry[0].(string); ok {
				f.ids[token] = int64(i)
			}
		}
	}
	return nil
}

func (f *tokenizerFile) model(t *Tokenizer) error {
	m := f.Model
	parts := f.PreTokenizer.parts()
	last := parts[len(parts)-1].Type
	unknown := int64(-1)
	if m.UnkToken != nil && *m.UnkToken != "" {
		id, ok := f.token(*m.UnkToken)
		if !ok {
			return fmt.Errorf("the unknown token %q is not in the vocabulary", *m.UnkToken)
		}
		unknown = id
	}
	switch {
	case len(f.ids) == 0:
		return fmt.Errorf("model %q without a vocabulary", m.Type)
	case m.Type == "Unigram" && last != "ByteLevel":
		special := map[string]bool{}
		for _, a := range f.AddedTokens {
			special[a.Content] = special[a.Content] || a.Special
		}
		u, err := parseUnigram(m.Vocab, m.UnkID, m.Fallback, special)
		if err != nil {
			return fmt.Errorf("model Unigram: %w", err)
		}
		t.ids = u.piece
	case (m.Type == "WordPiece" || m.Type == "") && last == "BertPreTokenizer" && m.Merges == nil:
		w := &wordPiece{ids: f.ids, unknown: unknown, prefix: "##", longest: 100}
		if unknown < 0 {
			return fmt.Errorf("model WordPiece without an unknown token")
		}
		if m.Prefix != nil {
			w.prefix = *m.Prefix
		}
		if m.Longest != nil {
			w.longest = min(*m.Longest, 1<<12)
		}
		t.ids = w.piece
	case m.Type == "BPE" && last == "ByteLevel" && !m.Fallback && text(m.Prefix) == "":
		b := &bytePair{ids: f.ids, ranks: map[[2]string]int{}, unknown: unknown, suffix: text(m.Suffix), whole: m.Whole}
		for rank, raw := range m.Merges {
			pair, err := parseMerge(raw)
			if err != nil {
				return fmt.Errorf("merge %d: %w", rank, err)
			}
			if _, twice := b.ranks[pair]; !twice {
				b.ranks[pair] = rank
			}
		}
		t.ids = b.piece
	default:
		return fmt.Errorf("model %q behind %s is not supported: want WordPiece, Unigram, or BPE over bytes without a prefix", m.Type, last)
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// parseMerge reads "a b" or ["a","b"].
func parseMerge(raw json.RawMessage) (pair [2]string, err error) {
	var line string
	var list []string
	if json.Unmarshal(raw, &line) == nil {
		list = strings.Split(line, " ")
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return pair, err
	}
	if len(list) != 2 || list[0] == "" || list[1] == "" {
		return pair, fmt.Errorf("%s: want two tokens", raw)
	}
	return [2]string{list[0], list[1]}, nil
}

// specials reads what stands before and behind a text.
func (f *tokenizerFile) specials(t *Tokenizer) error {
	for _, c := range f.PostProcessor.parts() {
		switch c.Type {
		case "ByteLevel": // says how to cut offsets, which nothing here has
		case "BertProcessing", "RobertaProcessing":
			for _, s := range []struct {
				pair []any
				out  *[]int64
			}{{c.CLS, &t.prefix}, {c.SEP, &t.suffix}} {
				if len(s.pair) != 2 {
					return fmt.Errorf("post-processor %s: want cls and sep of [token, id]", c.Type)
				}
				id, ok := s.pair[1].(float64)
				if !ok {
					return fmt.Errorf("post-processor %s: id %v: want a number", c.Type, s.pair[1])
				}
				*s.out = append(*s.out, int64(id))
			}
		case "TemplateProcessing":
			if err := c.template(t); err != nil {
				return fmt.Errorf("post-processor %s: %w", c.Type, err)
			}
		default:
			return fmt.Errorf("post-processor %q is not supported", c.Type)
		}
	}
	return nil
}

// template reads [{"SpecialToken":{"id":"[CLS]"}},{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"[SEP]"}}].
func (c component) template(t *Tokenizer) error {
	out, sequences := &t.prefix, 0
	for _, item := range c.Single {
		if _, ok := item["Sequence"]; ok {
			out = &t.suffix
			sequences++
			continue
		}
		token, _ := item["SpecialToken"].(map[string]any)
		name, _ := token["id"].(string)
		known, ok := c.SpecialTokens[name]
		if !ok {
			return fmt.Errorf("special token %q has no ids", name)
		}
		*out = append(*out, known.IDs...)
	}
	if sequences != 1 {
		return fmt.Errorf("%d sequences: want one", sequences)
	}
	return nil
}
