package dataset

import (
	"errors"
	"fmt"
	"strings"
)

// ave is AVE (Tian et al., ECCV 2018): 28 classes, an event a line. A video with events of two classes is in the list once for each; the
// second is called ID#2. An event that ends where it starts, as one of the official list does, has no times: its clip is taken whole.
var ave = kind{
	name: "ave",
	read: readAVE,
	layout: map[Media][]string{
		Video:  {"AVE/{video}.mp4", "AVE_Dataset/AVE/{video}.mp4", "{video}.mp4", "video/{video}.mp4"},
		Audio:  {"audio/{video}.wav", "{video}.wav", "AVE/{video}.wav"},
		Frames: {"visual/{video}", "frames/{video}", "{video}"},
	},
	choices: []Choice{sound(aveSpectrogram), visual(tenFrames)},
}

func readAVE(l *lists) (*Set, error) {
	parts, err := l.parts([]part{{"trainSet.txt", Train}, {"Annotations.txt", ""}}, []part{{"valSet.txt", Validation}}, []part{{"testSet.txt", Test}})
	if err != nil {
		return nil, err
	}
	s, times := &Set{}, map[string]int{}
	for _, p := range parts {
		err := l.lines(p.file, func(text, place string) error {
			if strings.HasPrefix(text, "Category&VideoID") { // the heading of the official file
				return nil
			}
			e, err := aveLine(text)
			if err != nil {
				return err
			}
			if times[e.video]++; times[e.video] > 1 {
				e.ID = fmt.Sprintf("%s#%d", e.video, times[e.video])
			}
			e.Split, e.Place = p.split, place
			s.Entries = append(s.Entries, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	s.Classes = sortedClasses(s.Entries)
	return s, nil
}

// aveLine reads CLASS&ID&QUALITY&START&END.
func aveLine(text string) (Entry, error) {
	fields := strings.Split(text, "&")
	if len(fields) != 5 {
		return Entry{}, fmt.Errorf("%d fields, want class, id, quality, start and end", len(fields))
	}
	e := Entry{ID: fields[1], Class: fields[0], video: fields[1]}
	var err error
	if e.Start, err = seconds(fields[3]); err != nil {
		return e, err
	}
	if e.End, err = seconds(fields[4]); err != nil {
		return e, err
	}
	switch {
	case e.End < e.Start:
		return e, errors.New("the event ends before it starts")
	case e.End == e.Start:
		e.Start, e.End = 0, 0
	}
	return e, nil
}
