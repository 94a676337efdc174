package dataset

import (
	"fmt"
	"slices"
)

// cremad is CREMA-D (Cao et al., IEEE Transactions on Affective Computing 2014) with the split of OGM-GE (Peng et al., CVPR 2022), whose
// classes are in this order.
var cremad = kind{
	name: "cremad",
	read: readCREMAD,
	layout: map[Media][]string{
		Audio:  {"AudioWAV/{id}.wav", "audio/{id}.wav", "{id}.wav"},
		Video:  {"VideoFlash/{id}.flv", "VideoMP4/{id}.mp4", "{id}.flv", "{id}.mp4"},
		Frames: {"Image-01-FPS/{id}", "visual/{id}", "visual/Image-01-FPS/{id}", "{id}"},
	},
	choices: []Choice{sound(cremadSpectrogram), visual(threeFrames)},
}

var cremadClasses = []string{"NEU", "HAP", "SAD", "FEA", "DIS", "ANG"}

func readCREMAD(l *lists) (*Set, error) {
	parts, err := l.parts([]part{{"train.csv", Train}, {"data.csv", ""}}, []part{{"test.csv", Test}})
	if err != nil {
		return nil, err
	}
	s := &Set{Classes: cremadClasses}
	for _, p := range parts {
		err := l.records(p.file, ',', func(fields []string, place string) error {
			if len(fields) != 2 {
				return fmt.Errorf("%d fields, want id and class", len(fields))
			}
			if !slices.Contains(cremadClasses, fields[1]) {
				return fmt.Errorf("class %q, want one of %v", fields[1], cremadClasses)
			}
			s.Entries = append(s.Entries, Entry{ID: fields[0], Class: fields[1], Split: p.split, Place: place})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}
