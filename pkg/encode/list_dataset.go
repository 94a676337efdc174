package encode

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"sync"

	"mmtools/pkg/dataset"
)

// datasetList is a List out of a data set's published lists. Columns of media name the first place, among those where the set's
// downloads put a clip's media, where there is something.
type datasetList struct {
	set   *dataset.Set
	root  string
	media []mediaColumn
}

// mediaColumn is a column whose fields are looked for when the first is asked for.
type mediaColumn struct {
	name  string
	from  []dataset.Media // the first that is there
	once  sync.Once
	paths []string
	found bool // of some clip, something
}

// The columns of a data set's list before those of its media.
var datasetColumns = []string{"id", "label", "split", "start", "end"}

// DatasetList returns the clips of a data set whose download is in the folder root as a List with the columns id, label, split, start and
// end (of the clip in its video, in seconds), video, audio, frames, flow_x, flow_y, flow and features. Where there is no sound file, audio
// is the video's path.
func DatasetList(set *dataset.Set, root string) List {
	l := &datasetList{set: set, root: root}
	for _, m := range dataset.AllMedia {
		from := []dataset.Media{m}
		if m == dataset.Audio {
			from = append(from, dataset.Video)
		}
		l.media = append(l.media, mediaColumn{name: string(m), from: from})
	}
	return l
}

// Name implements List.
func (l *datasetList) Name() string { return l.set.Name }

// Columns implements List.
func (l *datasetList) Columns() []string {
	columns := slices.Clone(datasetColumns)
	for i := range l.media {
		columns = append(columns, l.media[i].name)
	}
	return columns
}

// Rows implements List.
func (l *datasetList) Rows() int { return len(l.set.Entries) }

// Place implements List.
func (l *datasetList) Place(row int) string { return l.set.Entries[row].Place }

// Field implements List.
func (l *datasetList) Field(row, column int) string {
	e := &l.set.Entries[row]
	switch {
	case column >= len(datasetColumns):
		m := &l.media[column-len(datasetColumns)]
		m.once.Do(func() { l.look(m) })
		return m.paths[row]
	case column == 0:
		return e.ID
	case column == 1:
		return e.Class
	case column == 2:
		return e.Split
	case e.End == 0:
		return ""
	case column == 3:
		return strconv.FormatFloat(e.Start, 'g', -1, 64)
	default:
		return strconv.FormatFloat(e.End, 'g', -1, 64)
	}
}

// holds tells whether the download has what a column of media names, of any clip.
func (l *datasetList) holds(column int) bool {
	m := &l.media[column-len(datasetColumns)]
	m.once.Do(func() { l.look(m) })
	return m.found
}

// look finds the media of every clip. One that is nowhere is named where it is likeliest to be, and found missing there.
func (l *datasetList) look(m *mediaColumn) {
	m.paths = make([]string, len(l.set.Entries))
	f, err := newFinder(l.root)
	if err == nil {
		defer f.root.Close() // only looked at
	}
	for i := range l.set.Entries {
		for _, from := range m.from {
			candidates := l.set.Candidates(&l.set.Entries[i], from)
			if m.paths[i] == "" && len(candidates) > 0 {
				m.paths[i] = candidates[0]
			}
			if err != nil {
				continue // OpenMedia says why
			}
			if found := f.first(candidates); found != "" {
				m.paths[i], m.found = found, true
				break
			}
		}
	}
}

// finder looks for files below a folder, and remembers which folders are not there: most candidates lie in one of those.
type finder struct {
	root    *os.Root
	folders map[string]bool
}

func newFinder(root string) (*finder, error) {
	if root == "" {
		root = "."
	}
	r, err := os.OpenRoot(root)
	return &finder{r, map[string]bool{".": true}}, err
}

// first returns the first path where there is something; "" for none.
func (f *finder) first(paths []string) string {
	for _, p := range paths {
		if f.folder(path.Dir(p)) && f.exists(p) {
			return p
		}
	}
	return ""
}

// maxFolders bounds the folders remembered.
const maxFolders = 1 << 20

func (f *finder) folder(p string) bool {
	there, known := f.folders[p]
	if known {
		return there
	}
	there = f.folder(path.Dir(p)) && f.exists(p)
	if len(f.folders) < maxFolders {
		f.folders[p] = there
	}
	return there
}

// exists is true for what cannot be looked at, too: opening it says why.
func (f *finder) exists(p string) bool {
	_, err := f.root.Stat(p)
	return !errors.Is(err, fs.ErrNotExist)
}
