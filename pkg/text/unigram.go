package text

import (
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"
)

// unigram cuts a piece into the tokens whose scores, logarithms of probabilities, have the largest sum (Kudo, ACL 2018), by Viterbi's
// algorithm. A character that no token has is unknown, at the lowest score of all less 10, and neighbours that are unknown become one.
type unigram struct {
	nodes   map[uint64]int32 // a trie of the tokens' bytes: node<<8 | byte to the next node; the root is 0
	token   []int32          // of each node, -1 where none ends
	scores  []float64        // of each token
	unknown int32
	penalty float64     // score of an unknown character
	bytes   *[256]int64 // the tokens that stand for the bytes of what is unknown; nil for none
}

const (
	maxToken       = 1 << 12 // bytes: the time is that of a text's bytes times the longest token's
	unknownPenalty = 10
)

// parseUnigram reads [["<unk>", 0], ["▁a", -2.5], ...], a token's id being its place. Tokens that are special stand for no text.
func parseUnigram(raw json.RawMessage, unknown *int64, fallback bool, special map[string]bool) (*unigram, error) {
	var list [][2]json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("vocabulary: %w", err)
	}
	if unknown == nil || *unknown < 0 || *unknown >= int64(len(list)) {
		return nil, fmt.Errorf("unk_id is no token of the %d", len(list))
	}
	u := &unigram{nodes: map[uint64]int32{}, token: []int32{-1}, unknown: int32(*unknown)}
	ids := map[string]int64{}
	lowest := math.Inf(1)
	for i, entry := range list {
		var token string
		var score float64
		if json.Unmarshal(entry[0], &token) != nil || json.Unmarshal(entry[1], &score) != nil {
			return nil, fmt.Errorf("token %d: want [text, score]", i)
		}
		if token == "" || len(token) > maxToken {
			return nil, fmt.Errorf("token %d has %d bytes, want 1 to %d", i, len(token), maxToken)
		}
		u.scores, ids[token] = append(u.scores, score), int64(i)
		lowest = min(lowest, score)
	}
	u.penalty = lowest - unknownPenalty
	if fallback {
		u.bytes = &[256]int64{}
		for b := range u.bytes {
			token := fmt.Sprintf("<0x%02X>", b)
			id, ok := ids[token]
			if !ok {
				return nil, fmt.Errorf("byte_fallback without the token %s", token)
			}
			u.bytes[b] = id
			delete(ids, token)
		}
	}
	for token, id := range ids {
		if !special[token] && id != *unknown {
			u.add(token, int32(id))
		}
	}
	return u, nil
}

// add puts a token into the trie.
func (u *unigram) add(token string, id int32) {
	node := int32(0)
	for i := range len(token) {
		key := uint64(node)<<8 | uint64(token[i])
		next, ok := u.nodes[key]
		if !ok {
			next = int32(len(u.token))
			u.token = append(u.token, -1)
			u.nodes[key] = next
		}
		node = next
	}
	u.token[node] = id
}

// ending is the best way to a place in a piece.
type ending struct {
	score float64
	start int // of its last token, -1 where there is no way
	token int32
}

// piece appends the ids of one piece.
func (u *unigram) piece(s string, out []int64) []int64 {
	best := make([]ending, len(s)+1)
	for i := range best {
		best[i].start = -1
	}
	best[0].start = 0
	offer := func(at, end int, token int32, score float64) {
		if score += best[at].score; best[end].start < 0 || score > best[end].score {
			best[end] = ending{score, at, token}
		}
	}
	for at := 0; at < len(s); {
		_, width := utf8.DecodeRuneInString(s[at:])
		single, node := false, int32(0)
		for end := at; end < len(s); {
			next, ok := u.nodes[uint64(node)<<8|uint64(s[end])]
			if !ok {
				break
			}
			node = next
			end++
			if token := u.token[node]; token >= 0 && (end == len(s) || utf8.RuneStart(s[end])) {
				offer(at, end, token, u.scores[token])
				single = single || end-at == width
			}
		}
		if !single {
			offer(at, at+width, u.unknown, u.penalty)
		}
		at += width
	}
	return u.backtrack(s, best, out)
}

// backtrack appends the tokens of the best way to the end.
func (u *unigram) backtrack(s string, best []ending, out []int64) []int64 {
	var ends []int
	for at := len(s); at > 0; at = best[at].start {
		ends = append(ends, at)
	}
	unknown := false // the token before was
	for i := len(ends) - 1; i >= 0; i-- {
		e := best[ends[i]]
		switch {
		case e.token != u.unknown:
			out = append(out, int64(e.token))
		case u.bytes != nil:
			for _, b := range []byte(s[e.start:ends[i]]) {
				out = append(out, u.bytes[b])
			}
		case !unknown:
			out = append(out, int64(u.unknown))
		}
		unknown = e.token == u.unknown
	}
	return out
}
