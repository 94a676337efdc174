package text

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tokenFixture is testdata/tokens.json: ids by @huggingface/tokenizers, written by scripts/reference/tokens.mjs.
type tokenFixture struct {
	Vocab []string
	Cases []struct {
		Name  string
		File  json.RawMessage
		Texts []struct {
			Text string
			IDs  []int64
		}
	}
}

func readTokens(t testing.TB) tokenFixture {
	t.Helper()
	data, err := os.ReadFile("testdata/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var f tokenFixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) != 8 || len(f.Cases[0].Texts) < 10 {
		t.Fatalf("%d cases", len(f.Cases))
	}
	return f
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// encodeAll returns the ids of s without padding.
func encodeAll(t testing.TB, k *Tokenizer, s string, length int) []int64 {
	t.Helper()
	ids, mask := make([]int64, length), make([]int64, length)
	if err := k.Encode(ids, mask, s); err != nil {
		t.Fatal(err)
	}
	n := 0
	for n < length && mask[n] == 1 {
		n++
	}
	for i := n; i < length; i++ {
		if mask[i] != 0 || ids[i] != k.padding {
			t.Fatalf("%q: id %d, mask %d behind the end", s, ids[i], mask[i])
		}
	}
	return ids[:n]
}

func TestTokensEqualReference(t *testing.T) {
	fixture := readTokens(t)
	for _, c := range fixture.Cases {
		k, err := ReadTokenizer(writeFile(t, "tokenizer.json", c.File), TokenizerOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, x := range c.Texts {
			if got := encodeAll(t, k, x.Text, 256); !slices.Equal(got, x.IDs) {
				t.Errorf("%s: %q: got %v, want %v", c.Name, x.Text, got, x.IDs)
			}
		}
	}
	for i, cased := range []bool{false, true} {
		k, err := ReadTokenizer(writeFile(t, "vocab.txt", []byte(strings.Join(fixture.Vocab, "\n")+"\n")), TokenizerOptions{Cased: cased})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range fixture.Cases[i].Texts {
			if got := encodeAll(t, k, x.Text, 256); !slices.Equal(got, x.IDs) {
				t.Errorf("vocab.txt, cased %v: %q: got %v, want %v", cased, x.Text, got, x.IDs)
			}
		}
	}
}

// TestTokensEqualSentencePiece: testdata/sentencepiece.json has ids by SentencePiece itself, with normalisation rules of several characters and with
// bytes for what is unknown, written by scripts/reference/sentencepiece_tokens.py.
func TestTokensEqualSentencePiece(t *testing.T) {
	data, err := os.ReadFile("testdata/sentencepiece.json")
	if err != nil {
		t.Fatal(err)
	}
	var f tokenFixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) != 2 {
		t.Fatalf("%d cases", len(f.Cases))
	}
	for _, c := range f.Cases {
		k, err := ReadTokenizer(writeFile(t, "tokenizer.json", c.File), TokenizerOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, x := range c.Texts {
			if got := encodeAll(t, k, x.Text, 256); !slices.Equal(got, x.IDs) {
				t.Errorf("%s: %q: got %v, want %v", c.Name, x.Text, got, x.IDs)
			}
		}
	}
}

// TestCharsMap: broken ones are refused, or read as far as they go.
func TestCharsMap(t *testing.T) {
	for _, encoded := range []string{"", "AA==", "BAAAAA==", "/////w==", "!", "BQAAAAAAAAAA"} {
		if _, err := parseCharsMap(encoded); err == nil {
			t.Errorf("%q: no error", encoded)
		}
	}
}

// TestTokensCut: a text that is too long loses its end, not its special tokens; one that is short gets padding.
func TestTokensCut(t *testing.T) {
	vocab := "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfox\ndog\n"
	k, err := ReadTokenizer(writeFile(t, "vocab.txt", []byte(vocab)), TokenizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ids, mask := make([]int64, 5), make([]int64, 5)
	for s, want := range map[string][2][]int64{
		"fox":                 {{2, 4, 3, 0, 0}, {1, 1, 1, 0, 0}},
		"fox dog fox":         {{2, 4, 5, 4, 3}, {1, 1, 1, 1, 1}},
		"fox dog cat fox fox": {{2, 4, 5, 1, 3}, {1, 1, 1, 1, 1}},
		"":                    {{2, 3, 0, 0, 0}, {1, 1, 0, 0, 0}},
	} {
		if err := k.Encode(ids, mask, s); err != nil || !slices.Equal(ids, want[0]) || !slices.Equal(mask, want[1]) {
			t.Errorf("%q: %v %v, %v; want %v", s, ids, mask, err, want)
		}
	}
	if err := k.Encode(ids[:1], mask[:1], "fox"); err == nil {
		t.Error("no room for the special tokens, and no error")
	}
}

// TestLongPiece: a piece of 200,000 characters takes no time that grows with its square.
func TestLongPiece(t *testing.T) {
	fixture := readTokens(t)
	for _, c := range fixture.Cases {
		k, err := ReadTokenizer(writeFile(t, "tokenizer.json", c.File), TokenizerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan []int64, 1)
		go func() { done <- encodeAll(t, k, strings.Repeat("the", 66666), 32) }()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: not done after 30 s", c.Name)
		}
	}
}

func TestTokenizersRefused(t *testing.T) {
	good := string(readTokens(t).Cases[2].File)
	for name, c := range map[string]struct{ file, data, want string }{
		"no vocabulary":  {"vocab.txt", "a\nb\n", "no line [UNK]"},
		"twice":          {"vocab.txt", "[UNK]\na\na\n", `line 3: token "a" twice`},
		"not UTF-8":      {"vocab.txt", "[UNK]\n\xff\n", "line 2: not UTF-8"},
		"not JSON":       {"tokenizer.json", "[UNK]", "tokenizer.json"},
		"empty object":   {"tokenizer.json", "{}", "no pre-tokenizer"},
		"another model":  {"tokenizer.json", strings.Replace(good, `"type":"BPE"`, `"type":"Unigram"`, 1), `model "Unigram" behind ByteLevel is not supported`},
		"prefix":         {"tokenizer.json", strings.Replace(good, `"continuing_subword_prefix":""`, `"continuing_subword_prefix":"##"`, 1), "over bytes without a prefix"},
		"normalizer":     {"tokenizer.json", strings.Replace(good, `"normalizer":null`, `"normalizer":{"type":"Precompiled"}`, 1), "normalizer Precompiled: no size"},
		"look-ahead":     {"tokenizer.json", strings.Replace(good, `{"type":"ByteLevel"`, `{"type":"Split","behavior":"Isolated","pattern":{"Regex":"a(?!b)"}`, 1), "pre-tokenizer Split: expression"},
		"no unknown":     {"tokenizer.json", `{"pre_tokenizer":{"type":"Metaspace"},"model":{"type":"Unigram","unk_id":2,"vocab":[["a",-1],["b",-2]]}}`, "unk_id is no token of the 2"},
		"no bytes":       {"tokenizer.json", `{"pre_tokenizer":{"type":"Metaspace"},"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["a",-1],["b",-2]]}}`, "without the token <0x00>"},
		"score":          {"tokenizer.json", `{"pre_tokenizer":{"type":"Metaspace"},"model":{"type":"Unigram","unk_id":0,"vocab":[["a",-1],["b","c"]]}}`, "token 1: want [text, score]"},
		"pre-tokenizer":  {"tokenizer.json", strings.Replace(good, `"pre_tokenizer":{"type":"ByteLevel"`, `"pre_tokenizer":{"type":"Digits"`, 1), "pre-tokenizer Digits: not supported"},
		"merge":          {"tokenizer.json", strings.Replace(good, `"merges":["`, `"merges":["x`+" y z\",\"", 1), "merge 0"},
		"post-processor": {"tokenizer.json", strings.Replace(good, `"cls":["<s>",0]`, `"cls":["<s>"]`, 1), "want cls and sep"},
	} {
		_, err := ReadTokenizer(writeFile(t, c.file, []byte(c.data)), TokenizerOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func FuzzTokenizerFile(f *testing.F) {
	for _, c := range readTokens(f).Cases {
		f.Add([]byte(c.File), "the quick 文 fox")
	}
	data, err := os.ReadFile("testdata/sentencepiece.json")
	var pieces tokenFixture
	if err = errors.Join(err, json.Unmarshal(data, &pieces)); err != nil {
		f.Fatal(err)
	}
	for _, c := range pieces.Cases {
		f.Add([]byte(c.File), "the ﬁrst 深 fox")
	}
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":1},"merges":["a a"]},"pre_tokenizer":{"type":"ByteLevel"}}`), "aaa")
	f.Fuzz(func(t *testing.T, data []byte, s string) {
		k, err := parseTokenizer(data)
		if err != nil {
			return
		}
		ids, mask := make([]int64, 40), make([]int64, 40)
		if k.Encode(ids, mask, s) != nil {
			return // more special tokens than room
		}
		for i := 1; i < len(mask); i++ {
			if mask[i] > mask[i-1] {
				t.Fatal("a hole in the mask")
			}
		}
	})
}
