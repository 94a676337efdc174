package dataset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The names that clips of YouTube videos go by: eleven characters, then the clip's first second, padded or not, and maybe its last.
var clipName = regexp.MustCompile(`^([A-Za-z0-9_-]{11})(?:_([0-9]{1,6})(?:_([0-9]{1,6}))?)?$`)

// clipSeconds is how long the clips of Kinetics, VGGSound and AVE are.
const clipSeconds = 10

// setClip reads an id of one of the shapes VIDEO, VIDEO_START and VIDEO_START_END.
func (e *Entry) setClip(id string) error {
	m := clipName.FindStringSubmatch(id)
	if m == nil {
		return fmt.Errorf("%q is no clip: want eleven characters, then _START or _START_END or nothing", id)
	}
	e.ID, e.video = id, m[1]
	if m[2] != "" {
		e.Start, _ = strconv.ParseFloat(m[2], 64) // digits
		e.End = e.Start + clipSeconds
	}
	if m[3] != "" {
		e.End, _ = strconv.ParseFloat(m[3], 64)
		if e.End <= e.Start {
			return fmt.Errorf("%q ends before it starts", id)
		}
	}
	return nil
}

// Candidates returns where a clip's media may lie, below the folder of the download, the likeliest first. Patterns hold {id}, {video},
// {start} and {end} in whole seconds, {start6} and {end6} padded to six digits, {class}, {class_} with _ for blanks, and
// {split}, which stands for each of its common spellings, and where the set's splits are not those of the download, for those of the others
// then. One that needs what the entry does not have is left out.
func (s *Set) Candidates(e *Entry, m Media) []string {
	splits := spellings(e.Split)
	if s.kind.anySplit {
		splits = append(splits, spellings("")...)
	}
	var paths []string
	seen := map[string]bool{}
	for _, pattern := range s.kind.layout[m] {
		for _, split := range splits {
			path, ok := e.expand(pattern, split)
			if !ok {
				break
			}
			if !seen[path] {
				seen[path] = true
				paths = append(paths, path)
			}
			if !strings.Contains(pattern, "{split}") {
				break
			}
		}
	}
	return paths
}

// spellings are how folders call a split; a clip of an unknown split may be in any.
func spellings(split string) []string {
	switch split {
	case Train:
		return []string{"train", "training"}
	case Validation:
		return []string{"val", "validation", "valid", "validate"}
	case Test:
		return []string{"test", "testing"}
	}
	return []string{"train", "val", "test", "training", "validation", "testing"}
}

// expand fills a pattern in; false where the entry lacks something.
func (e *Entry) expand(pattern, split string) (string, bool) {
	if strings.Contains(pattern, "{start") && e.End == 0 || strings.Contains(pattern, "{end") && e.End == 0 ||
		strings.Contains(pattern, "{class") && e.Class == "" || strings.Contains(pattern, "{video}") && e.video == "" {
		return "", false
	}
	start, end := int(e.Start), int(e.End)
	return strings.NewReplacer("{id}", e.ID, "{video}", e.video, "{split}", split,
		"{class}", e.Class, "{class_}", strings.ReplaceAll(e.Class, " ", "_"),
		"{start}", strconv.Itoa(start), "{end}", strconv.Itoa(end),
		"{start6}", fmt.Sprintf("%06d", start), "{end6}", fmt.Sprintf("%06d", end)).Replace(pattern), true
}
