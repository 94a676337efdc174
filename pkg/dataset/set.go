package dataset

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// The splits. A list's own words for them (training, val, testing) are read as these.
const (
	Train      = "train"
	Validation = "validation"
	Test       = "test"
)

// Entry is one clip.
type Entry struct {
	ID         string
	Class      string
	Split      string  // Train, Validation or Test; "" where the list does not say
	Start, End float64 // of the clip in the video it was cut from, in seconds; End 0 where the list does not say
	Place      string  // in the list: "trainlist01.txt: line 7"
	video      string  // the video's name, without the clip's seconds
}

// Set is a data set: its clips in the order of the lists.
type Set struct {
	Name    string
	Classes []string // in label order
	Entries []Entry
	kind    *kind
}

// Media is what a modality is made from.
type Media string

// What the downloads hold of a clip.
const (
	Video    Media = "video"    // a video file with its sound
	Audio    Media = "audio"    // a sound file
	Frames   Media = "frames"   // a folder of frames
	FlowX    Media = "flow_x"   // a folder of optical flow, horizontal
	FlowY    Media = "flow_y"   // vertical
	Flow     Media = "flow"     // a folder of both
	Features Media = "features" // an npy file of the published spectrogram
)

// AllMedia are all there are.
var AllMedia = []Media{Video, Audio, Frames, FlowX, FlowY, Flow, Features}

// kind is how a data set's lists read and where its media lie.
type kind struct {
	name     string
	read     func(*lists) (*Set, error)
	layout   map[Media][]string // patterns, tried in order
	anySplit bool               // its splits are not those of the downloads
	choices  []Choice
}

var kinds = []*kind{&kineticsSounds, &ucf101, &mmDebiased, &vggSound, &kinetics400, &cremad, &ave}

// Names returns the names of the data sets.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Options narrow a data set.
type Options struct {
	Fold    int      // of UCF-101: 1 to 3; 0 for 1
	Classes []string // those kept, in label order; nil for all in the set's order
}

// Open reads a data set's lists. Files are those of the folder lists, by their published names, or the one called file where it is not
// "". A bad list is a stream.ErrInput that names file and line.
func Open(name string, folder fs.FS, file string, o Options) (*Set, error) {
	i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("no data set %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	if o.Fold < 0 || o.Fold > 3 || o.Fold > 0 && name != ucf101.name {
		return nil, fmt.Errorf("fold %d of %s: ucf101 has folds 1 to 3, the others none", o.Fold, name)
	}
	s, err := kinds[i].read(&lists{fs: folder, file: file, fold: cmp.Or(o.Fold, 1)})
	if err != nil {
		return nil, err
	}
	s.Name, s.kind = name, kinds[i]
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.keep(o.Classes)
}

// check returns an error for an id that comes twice, or one that is no name of a file.
func (s *Set) check() error {
	if len(s.Entries) == 0 {
		return stream.Errorf("the lists of %s hold no clip", s.Name)
	}
	seen := make(map[string]int, len(s.Entries))
	for i, e := range s.Entries {
		if e.ID == "" || strings.ContainsAny(e.ID, "/\\\x00") || strings.Trim(e.ID, ".") == "" {
			return stream.Errorf("%s: %q is no id", e.Place, e.ID)
		}
		if strings.ContainsAny(e.Class, "/\\\x00") || strings.Trim(e.Class, ".") == "" && e.Class != "" {
			return stream.Errorf("%s: %q is no class", e.Place, e.Class)
		}
		if first, twice := seen[e.ID]; twice {
			return stream.Errorf("%s: id %q is also that of %s", e.Place, e.ID, s.Entries[first].Place)
		}
		seen[e.ID] = i
	}
	return nil
}

// keep leaves out the clips of other classes.
func (s *Set) keep(classes []string) error {
	if classes == nil {
		return nil
	}
	for i, name := range classes {
		if !slices.Contains(s.Classes, name) {
			return fmt.Errorf("%s has no class %q: it has %s", s.Name, name, strings.Join(s.Classes, ", "))
		}
		if slices.Contains(classes[:i], name) {
			return fmt.Errorf("class %q twice", name)
		}
	}
	s.Classes = slices.Clone(classes)
	s.Entries = slices.DeleteFunc(s.Entries, func(e Entry) bool { return !slices.Contains(classes, e.Class) })
	return nil
}

// Choices returns the modalities of the published experiments, in the words of mm-encode's flags.
func (s *Set) Choices() []Choice { return s.kind.choices }

// sortedClasses returns the classes that entries have, in byte order.
func sortedClasses(entries []Entry) []string {
	seen := map[string]bool{}
	var classes []string
	for _, e := range entries {
		if !seen[e.Class] {
			seen[e.Class] = true
			classes = append(classes, e.Class)
		}
	}
	slices.Sort(classes)
	return classes
}

// splitOf reads a list's word for a split.
func splitOf(word string) (string, error) {
	switch strings.ToLower(word) {
	case "train", "training":
		return Train, nil
	case "val", "valid", "validate", "validation":
		return Validation, nil
	case "test", "testing":
		return Test, nil
	}
	return "", fmt.Errorf("%q is no split: want train, validation or test", word)
}
