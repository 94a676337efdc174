package dataset

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// kineticsSounds is Kinetics-Sounds (Arandjelovic and Zisserman, "Look, Listen and Learn", ICCV 2017): 31 classes of Kinetics-400, which
// the lists give as numbers. The published dataloader reads a spectrogram in an npy file and a folder of frames a second apart for each
// clip, in folders a split.
var kineticsSounds = kind{
	name: "kinetics-sounds",
	read: readKineticsSounds,
	layout: map[Media][]string{
		Features: {"ks_audio/{split}/{id}.npy", "{split}_spec/{id}.npy", "audio/{split}/{id}.npy", "{split}/{id}/{id}.npy"},
		Frames: {"ks_visual/{split}/{id}", "{split}_img/Image-01-FPS/{id}", "visual/{split}/{id}", "{split}/{id}",
			"ks_visual/{split}/{video}_{start6}_{end6}"},
		Audio: {"{split}_wav/{split}/{id}.wav", "{split}_wav/{id}.wav", "audio/{split}/{id}.wav", "{split}/{id}/{id}.wav", "{split}/{id}.wav"},
		Video: kineticsVideos,
	},
	anySplit: true, // Kinetics-400 has clips to test on among those to validate with
	choices:  []Choice{spectrogramOr(filterBank), visual(tenFrames)},
}

func readKineticsSounds(l *lists) (*Set, error) {
	parts, err := l.parts(
		[]part{{"my_train.txt", Train}, {"train_1fps_path.txt", Train}, {"ks_audio/train_1fps_path.txt", Train}, {"ks_train_real.txt", Train}, {"train.txt", Train}},
		[]part{{"val_1fps_path.txt", Validation}, {"ks_audio/val_1fps_path.txt", Validation}, {"val.txt", Validation}},
		[]part{{"my_test.txt", Test}, {"test_1fps_path.txt", Test}, {"ks_audio/test_1fps_path.txt", Test}, {"ks_test_real.txt", Test}, {"test.txt", Test}})
	if err != nil {
		return nil, err
	}
	s, top := &Set{}, -1
	for _, p := range parts {
		err := l.lines(p.file, func(text, place string) error {
			e, label, err := kineticsSoundsLine(text)
			if err != nil {
				return err
			}
			e.Split, e.Place, top = p.split, place, max(top, label)
			s.Entries = append(s.Entries, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range max(top+1, kineticsSoundsClasses) {
		s.Classes = append(s.Classes, strconv.Itoa(i))
	}
	return s, nil
}

// kineticsSoundsClasses is how many classes the published lists have.
const kineticsSoundsClasses = 31

// kineticsSoundsLine reads "PATH LABEL", of whose path the last part counts, or "ID,SECONDS,LABEL".
func kineticsSoundsLine(text string) (Entry, int, error) {
	var e Entry
	fields := strings.Split(text, ",")
	id := fields[0]
	if len(fields) != 3 {
		fields = strings.Fields(text)
		if len(fields) != 2 {
			return e, 0, errors.New("want PATH LABEL or ID,SECONDS,LABEL")
		}
		id = path.Base(fields[0])
		if ext := path.Ext(id); slices.Contains([]string{".mp4", ".wav", ".npy"}, ext) {
			id = strings.TrimSuffix(id, ext)
		}
	}
	label, err := strconv.Atoi(strings.TrimSpace(fields[len(fields)-1]))
	if err != nil || label < 0 || label >= maxClasses {
		return e, 0, fmt.Errorf("label %q: want a number from 0 to %d", fields[len(fields)-1], maxClasses-1)
	}
	e.Class = strconv.Itoa(label)
	if e.setClip(id) != nil {
		e = Entry{ID: id, Class: e.Class} // renamed: the files are called as the list says
	}
	return e, label, nil
}

// maxClasses bounds the classes that numbers without names make.
const maxClasses = 1 << 16
