package schema

import "strings"

// IDSet finds ids that are there twice. It keeps a copy of every id: about 40 bytes and the id's own each.
type IDSet struct {
	seen  map[string]struct{}
	arena strings.Builder
}

// Add adds an id and reports whether it was new. The id may be a view of a batch's memory.
func (s *IDSet) Add(id string) bool {
	if _, ok := s.seen[id]; ok {
		return false
	}
	if s.seen == nil {
		s.seen = map[string]struct{}{}
	}
	s.seen[s.keep(id)] = struct{}{}
	return true
}

// keep copies an id into an arena, because a heap object for every short id would cost more than the id.
func (s *IDSet) keep(id string) string {
	const block = 1 << 16
	if s.arena.Len()+len(id) > s.arena.Cap() {
		s.arena = strings.Builder{}
		s.arena.Grow(max(block, len(id)))
	}
	from := s.arena.Len()
	s.arena.WriteString(id)
	return s.arena.String()[from:]
}

// Len returns the number of ids.
func (s *IDSet) Len() int { return len(s.seen) }
