package text

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// hashCase is one of testdata/ngrams.json, which scripts/reference/ngrams.py wrote from the definition in this package's
// documentation, with Python's Unicode tables.
type hashCase struct {
	Options struct {
		Size         int
		Seed         uint64
		Words, Chars [2]int
		Counts       bool
	}
	Text   []byte
	Vector [][2]float64
}

func (c hashCase) options() HashOptions {
	o := c.Options
	return HashOptions{Size: o.Size, Seed: o.Seed, Words: Range{o.Words[0], o.Words[1]}, Chars: Range{o.Chars[0], o.Chars[1]},
		Counts: o.Counts}
}

func TestHashEqualsReference(t *testing.T) {
	data, err := os.ReadFile("testdata/ngrams.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct{ Cases []hashCase }
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Cases) < 50 {
		t.Fatalf("%d cases", len(fixture.Cases))
	}
	for _, c := range fixture.Cases {
		h, err := NewHasher(c.options())
		if err != nil {
			t.Fatal(err)
		}
		want, got := make([]float32, c.Options.Size), make([]float32, c.Options.Size)
		for _, e := range c.Vector {
			want[int(e[0])] = float32(e[1])
		}
		for i := range got {
			got[i] = 7 // what a call finds there must not matter
		}
		h.Hash(got, string(c.Text))
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%+v, %q: element %d: got %v, want %v", c.Options, c.Text, i, got[i], want[i])
				break
			}
		}
	}
}

func newHasher(t testing.TB, o HashOptions) *Hasher {
	t.Helper()
	h, err := NewHasher(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHashForms: texts that only differ in case, form or what parts their words are the same; another order of words is not.
func TestHashForms(t *testing.T) {
	h := newHasher(t, HashOptions{Size: 4096, Words: Range{1, 2}, Chars: Range{3, 5}})
	hash := func(s string) []float32 {
		v := make([]float32, 4096)
		h.Hash(v, s)
		return v
	}
	equal := func(a, b []float32) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	base := hash("Été à PARIS")
	for _, same := range []string{"été à paris", "  ÉTÉ,à;paris!", "e\u0301te\u0301 a\u0300 \uff30aris", "\xffété\xff\xfeà paris"} {
		if !equal(base, hash(same)) {
			t.Errorf("%q differs", same)
		}
	}
	for _, other := range []string{"à été paris", "ete a paris", "été à pari s", ""} {
		if equal(base, hash(other)) {
			t.Errorf("%q is the same", other)
		}
	}
}

// TestHashSpreads: 20,000 different words over 256 elements: each gets about 78, and about half of them with a minus. The bounds are
// five standard deviations of a uniform hash.
func TestHashSpreads(t *testing.T) {
	o := HashOptions{Size: 256, Words: Range{1, 1}, Counts: true}
	const n = 20000
	for _, seed := range []uint64{0, 1, 1 << 63} {
		o.Seed = seed
		h := newHasher(t, o)
		count, sum := make([]int, o.Size), 0.0
		v := make([]float32, o.Size)
		for i := range n {
			h.Hash(v, "word"+strings.Repeat("x", i%7)+string(rune('0'+i%10))+strings.Repeat("7", i/10%10)+
				string(rune(0x4e00+i)))
			for j, x := range v {
				if x != 0 {
					count[j]++
					sum += float64(x)
				}
			}
		}
		mean := float64(n) / float64(o.Size)
		for j, c := range count {
			if math.Abs(float64(c)-mean) > 5*math.Sqrt(mean) {
				t.Errorf("seed %d: element %d holds %d, want about %g", seed, j, c, mean)
			}
		}
		if math.Abs(sum) > 5*math.Sqrt(n) {
			t.Errorf("seed %d: signs sum to %g of %d", seed, sum, n)
		}
	}
}

func TestHashOptionsRefused(t *testing.T) {
	words := Range{1, 2}
	for name, o := range map[string]HashOptions{
		"no size": {Words: words}, "too large": {Size: MaxHashSize + 1, Words: words}, "nothing": {Size: 8},
		"upside down": {Size: 8, Words: Range{2, 1}}, "from 0": {Size: 8, Chars: Range{0, 3}},
		"too long": {Size: 8, Chars: Range{3, MaxNGram + 1}},
	} {
		if _, err := NewHasher(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzHash(f *testing.F) {
	f.Add("The quick brown fox", uint64(3))
	f.Add("\xff\u0301e\u0301", uint64(0))
	f.Add("\xf2\u0140", uint64(71)) // a letter that NFKC takes apart, after a byte that begins one of four
	f.Fuzz(func(t *testing.T, s string, seed uint64) {
		h := newHasher(t, HashOptions{Size: 61, Seed: seed, Words: Range{1, 2}, Chars: Range{3, 5}, Counts: true})
		a, b := make([]float32, 61), make([]float32, 61)
		h.Hash(a, s)
		h.Hash(b, strings.ToValidUTF8(s, "\ufffd")+" .")
		sum := 0.0
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("element %d: %v, and %v of the valid text", i, a[i], b[i])
			}
			sum += math.Abs(float64(a[i]))
		}
		if bound := 5.0 * float64(utf8.RuneCountInString(s)+2) * 30; sum > bound {
			t.Fatalf("%g n-grams of %d bytes", sum, len(s))
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(b, HashOptions{Size: 4096, Words: Range{1, 2}, Chars: Range{3, 5}})
	s := strings.Repeat("strings being bowed while a clarinet answers, ", 20)
	v := make([]float32, 4096)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		h.Hash(v, s)
	}
}
