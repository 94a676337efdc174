package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// kinetics400 is Kinetics-400 (Kay et al. 2017): csv files with a heading, a clip a line. Classes are in byte order, as everywhere.
var kinetics400 = kind{
	name:    "kinetics400",
	read:    readKinetics400,
	layout:  map[Media][]string{Video: kineticsVideos, Audio: kineticsSounds.layout[Audio], Frames: kineticsFrames},
	choices: []Choice{sound(filterBank), visual(tenFrames)},
}

// kineticsVideos are where the downloads of Kinetics put a clip: the CVD Foundation's archives, the crawler of ActivityNet, with
// folders of classes, and MMAction2's folders.
var kineticsVideos = []string{
	"{split}/{video}_{start6}_{end6}.mp4", "{split}/{class}/{video}_{start6}_{end6}.mp4", "{split}/{class_}/{video}_{start6}_{end6}.mp4",
	"videos_{split}/{class_}/{video}_{start6}_{end6}.mp4", "{split}_256/{class_}/{video}_{start6}_{end6}.mp4",
	"{class}/{video}_{start6}_{end6}.mp4", "{class_}/{video}_{start6}_{end6}.mp4", "{video}_{start6}_{end6}.mp4",
	"{split}/{id}.mp4", "{split}/{class}/{id}.mp4", "{id}.mp4",
}

var kineticsFrames = []string{"{split}/{id}", "{split}/{class}/{id}", "{split}/{class_}/{id}", "rawframes_{split}/{class_}/{video}_{start6}_{end6}"}

func readKinetics400(l *lists) (*Set, error) {
	parts, err := l.parts(
		[]part{{"train.csv", Train}, {"kinetics_train.csv", Train}, {"annotations/train.csv", Train}, {"annotations/kinetics_train.csv", Train}},
		[]part{{"val.csv", Validation}, {"validate.csv", Validation}, {"kinetics_val.csv", Validation}, {"annotations/val.csv", Validation}, {"annotations/kinetics_val.csv", Validation}},
		[]part{{"test.csv", Test}, {"kinetics_test.csv", Test}, {"annotations/test.csv", Test}, {"annotations/kinetics_test.csv", Test}})
	if err != nil {
		return nil, err
	}
	s := &Set{}
	for _, p := range parts {
		if err := kinetics400List(l, p, s); err != nil {
			return nil, err
		}
	}
	s.Classes = sortedClasses(s.Entries)
	return s, nil
}

func kinetics400List(l *lists, p part, s *Set) error {
	columns := map[string]int{}
	return l.records(p.file, ',', func(fields []string, place string) error {
		if len(columns) == 0 {
			for i, name := range fields {
				columns[name] = i
			}
			for _, name := range []string{"label", "youtube_id", "time_start", "time_end"} {
				if !slices.Contains(fields, name) {
					return fmt.Errorf("no column %q: want label, youtube_id, time_start, time_end and maybe split", name)
				}
			}
			return nil
		}
		if len(fields) < len(columns) {
			return fmt.Errorf("%d fields, the first line has %d", len(fields), len(columns))
		}
		start, err := seconds(fields[columns["time_start"]])
		if err != nil {
			return err
		}
		end, err := seconds(fields[columns["time_end"]])
		if err != nil {
			return err
		}
		if end <= start {
			return errors.New("the clip ends before it starts")
		}
		e := Entry{Class: fields[columns["label"]], Split: p.split, Place: place}
		if err := e.setClip(fmt.Sprintf("%s_%06d_%06d", fields[columns["youtube_id"]], int(start), int(end))); err != nil {
			return err
		}
		if i, ok := columns["split"]; ok && fields[i] != "" {
			if e.Split, err = splitOf(fields[i]); err != nil {
				return err
			}
		}
		s.Entries = append(s.Entries, e)
		return nil
	})
}

// seconds reads a time of a list: 0 to 999,999.
func seconds(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v < 1e6) {
		return 0, fmt.Errorf("%q: want seconds", text)
	}
	return v, nil
}
