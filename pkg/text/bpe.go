package text

import (
	"container/heap"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bytePair merges pairs of neighbours, the pair learnt first before all others, from the left (Sennrich et al., ACL 2016), over a piece's
// bytes, each written as one printable character (Radford et al., 2019).
type bytePair struct {
	ids     map[string]int64
	ranks   map[[2]string]int
	unknown int64  // -1 for none: a byte that has no token is left out
	suffix  string // of a piece's last byte, as CLIP's </w> (Radford et al., ICML 2021)
	whole   bool   // a piece that is a token is not cut
}

// byteNames are the characters that stand for bytes: a printable one of Latin-1 for itself, the others from U+0100 on, in order.
var byteNames = func() (names [256]string) {
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			names[b] = string(r)
			continue
		}
		names[b] = string(next)
		next++
	}
	return names
}()

// splitGPT2 calls piece with the parts that GPT-2's expression matches:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func splitGPT2(s string, piece func(string) bool) {
	for len(s) > 0 {
		n := matchGPT2(s)
		if !piece(s[:n]) {
			return
		}
		s = s[n:]
	}
}

var contractions = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

func matchGPT2(s string) int {
	for _, c := range contractions {
		if strings.HasPrefix(s, c) {
			return len(c)
		}
	}
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	if r, _ := utf8.DecodeRuneInString(s[start:]); start < len(s) && !unicode.IsSpace(r) {
		class := classGPT2(r)
		return start + indexNot(s[start:], func(r rune) bool { return classGPT2(r) == class })
	}
	n := indexNot(s, unicode.IsSpace)
	if n == len(s) {
		return n
	}
	if _, last := utf8.DecodeLastRuneInString(s[:n]); last < n {
		return n - last // the last one goes with what follows
	}
	return n
}

func classGPT2(r rune) byte {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsLetter(r):
		return 'L'
	case unicode.IsNumber(r):
		return 'N'
	}
	return 'O'
}

// indexNot returns where the first character is that in does not hold for.
func indexNot(s string, in func(rune) bool) int {
	if i := strings.IndexFunc(s, func(r rune) bool { return !in(r) }); i >= 0 {
		return i
	}
	return len(s)
}

// merge is a pair of neighbours that may become one.
type merge struct {
	rank, left int    // left is the symbol's place
	text       string // of both
}

// merges is a heap: the lowest rank first, of equal ones the leftmost.
type merges []merge

func (m merges) Len() int { return len(m) }
func (m merges) Less(i, j int) bool {
	return m[i].rank < m[j].rank || m[i].rank == m[j].rank && m[i].left < m[j].left
}
func (m merges) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merges) Push(x any)   { *m = append(*m, x.(merge)) }
func (m *merges) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// symbol is a part of a piece, in a list of them; one that went into its left neighbour is empty.
type symbol struct {
	text       string
	prev, next int
}

// piece appends the ids of one piece, in time that grows with n log n.
func (b *bytePair) piece(piece string, out []int64) []int64 {
	symbols := make([]symbol, len(piece))
	for i := range symbols {
		symbols[i] = symbol{byteNames[piece[i]], i - 1, i + 1}
	}
	if b.whole {
		var name strings.Builder
		for _, s := range symbols {
			name.WriteString(s.text)
		}
		if id, ok := b.ids[name.String()]; ok {
			return append(out, id)
		}
	}
	symbols[len(piece)-1].text += b.suffix
	var queue merges
	offer := func(left int) {
		if left < 0 || symbols[left].next >= len(symbols) {
			return
		}
		a, c := symbols[left].text, symbols[symbols[left].next].text
		if rank, ok := b.ranks[[2]string{a, c}]; ok {
			heap.Push(&queue, merge{rank, left, a + c})
		}
	}
	for i := range symbols {
		offer(i)
	}
	for len(queue) > 0 {
		m := heap.Pop(&queue).(merge)
		left := &symbols[m.left]
		if left.text == "" || left.next >= len(symbols) || left.text+symbols[left.next].text != m.text {
			continue // one of the two has changed since
		}
		right := &symbols[left.next]
		left.text, right.text, left.next = m.text, "", right.next
		if left.next < len(symbols) {
			symbols[left.next].prev = m.left
		}
		offer(left.prev)
		offer(m.left)
	}
	for i := 0; i < len(symbols); i = symbols[i].next {
		if id, ok := b.ids[symbols[i].text]; ok {
			out = append(out, id)
		} else if b.unknown >= 0 {
			out = append(out, b.unknown)
		}
	}
	return out
}
