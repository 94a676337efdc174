package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mmtools/pkg/stream"
)

// mmDebiased is MM-Debiased (Wei, Feng, Wang and Hu, CVPR 2024): ten classes that VGGSound and Kinetics-400 share. An id VIDEO_START is a
// clip of VGGSound, VIDEO_START_END one of Kinetics-400, and VIDEO alone does not say. Media are looked for in folders
// vggsound and kinetics400 (or k400), each as its authors' download makes it, and without them.
var mmDebiased = kind{
	name: "mm-debiased",
	read: readMMDebiased,
	layout: map[Media][]string{
		Video:  both(vggVideos, kineticsVideos),
		Audio:  both(vggSound.layout[Audio], kineticsSounds.layout[Audio]),
		Frames: both(vggSound.layout[Frames], kineticsFrames),
	},
	anySplit: true,
	choices:  []Choice{sound(filterBank), visual(tenFrames)},
}

// both are patterns below the folders of two data sets, and below none.
func both(vgg, kinetics []string) []string {
	var all []string
	for _, p := range vgg {
		all = append(all, "vggsound/"+p, "VGGSound/"+p)
	}
	for _, p := range kinetics {
		all = append(all, "kinetics400/"+p, "k400/"+p)
	}
	return append(append(all, vgg...), kinetics...)
}

func readMMDebiased(l *lists) (*Set, error) {
	parts, err := l.parts([]part{{"MM-Debiased.json", ""}, {"MM-Debiased dataset/MM-Debiased.json", ""}})
	if err != nil {
		return nil, err
	}
	file := parts[0].file
	f, err := l.fs.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	s := &Set{}
	d := json.NewDecoder(io.LimitReader(f, maxList))
	if err := s.object(d, file); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("ends in the middle")
		}
		return nil, stream.Errorf("%s: after %d clips: %w", file, len(s.Entries), err)
	}
	s.Classes = sortedClasses(s.Entries)
	return s, nil
}

// object reads {"ID": {"subset": ..., "label": ...}, ...} in the order of the file.
func (s *Set) object(d *json.Decoder, file string) error {
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return errors.Join(errors.New("want an object"), err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		var clip struct{ Subset, Label string }
		if err := d.Decode(&clip); err != nil {
			return err
		}
		id, _ := token.(string) // the decoder lets nothing else stand there
		e := Entry{Class: clip.Label, Place: fmt.Sprintf("%s: clip %d", file, len(s.Entries)+1)}
		if e.Split, err = splitOf(clip.Subset); err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		if clip.Label == "" {
			return fmt.Errorf("%q has no label", id)
		}
		if err := e.setClip(id); err != nil {
			return err
		}
		if len(s.Entries) == maxEntries {
			return fmt.Errorf("more than %d clips", maxEntries)
		}
		s.Entries = append(s.Entries, e)
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the object")
	}
	return nil
}
