package dataset

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"mmtools/pkg/stream"
)

// ucf101 is UCF-101 (Soomro, Zamir and Shah 2012), with the official splits of three folds. The published experiment takes frames and
// optical flow.
var ucf101 = kind{
	name: "ucf101",
	read: readUCF101,
	layout: map[Media][]string{
		Video:  {"UCF-101/{class}/{id}.avi", "{class}/{id}.avi", "videos/{class}/{id}.avi", "{id}.avi"},
		Frames: {"jpegs_256/{id}", "rawframes/{class}/{id}", "frames/{class}/{id}", "frames/{id}", "{class}/{id}", "{id}"},
		FlowX:  {"tvl1_flow/u/{id}", "tvl1_flow/x/{id}", "flow_x/{class}/{id}", "flow_x/{id}", "flow/u/{id}"},
		FlowY:  {"tvl1_flow/v/{id}", "tvl1_flow/y/{id}", "flow_y/{class}/{id}", "flow_y/{id}", "flow/v/{id}"},
		Flow:   {"tvl1_flow/{id}", "flow/{class}/{id}", "flow/{id}"},
	},
	choices: []Choice{visual(sixFrames), flow(sixFrames)},
}

func readUCF101(l *lists) (*Set, error) {
	if l.file != "" {
		return nil, errors.New("the lists of ucf101 are in several files: give their folder")
	}
	folder := ""
	for _, f := range []string{"", "ucfTrainTestlist"} {
		if _, err := l.parts([]part{{path.Join(f, "classInd.txt"), ""}}); err == nil {
			folder = f
		}
	}
	s := &Set{}
	if err := l.lines(path.Join(folder, "classInd.txt"), func(text, _ string) error {
		fields := strings.Fields(text)
		if len(fields) != 2 || fields[0] != strconv.Itoa(len(s.Classes)+1) {
			return fmt.Errorf("want %d CLASS", len(s.Classes)+1)
		}
		s.Classes = append(s.Classes, fields[1])
		return nil
	}); err != nil {
		return nil, err
	}
	labels := map[string]int{}
	for i, class := range s.Classes {
		if _, twice := labels[class]; twice {
			return nil, stream.Errorf("classInd.txt: class %q twice", class)
		}
		labels[class] = i + 1
	}
	for _, p := range []part{{fmt.Sprintf("trainlist%02d.txt", l.fold), Train}, {fmt.Sprintf("testlist%02d.txt", l.fold), Test}} {
		err := l.lines(path.Join(folder, p.file), func(text, place string) error {
			e, err := ucf101Line(text, labels)
			e.Split, e.Place = p.split, place
			s.Entries = append(s.Entries, e)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ucf101Line reads "CLASS/NAME.avi LABEL", of test lists without the label.
func ucf101Line(text string, labels map[string]int) (Entry, error) {
	fields := strings.Fields(text)
	class, name, ok := strings.Cut(fields[0], "/")
	id := strings.TrimSuffix(name, ".avi")
	if !ok || len(fields) > 2 || id == name {
		return Entry{}, errors.New("want CLASS/NAME.avi and maybe a label")
	}
	label, known := labels[class]
	if !known {
		return Entry{}, fmt.Errorf("class %q is not in classInd.txt", class)
	}
	if len(fields) == 2 && fields[1] != strconv.Itoa(label) {
		return Entry{}, fmt.Errorf("label %s of class %s, which classInd.txt says is %d", fields[1], class, label)
	}
	return Entry{ID: id, Class: class}, nil
}
