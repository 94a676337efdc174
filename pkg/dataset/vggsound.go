package dataset

import "fmt"

// vggSound is VGGSound (Chen et al., ICASSP 2020): a csv without a heading, YouTube id, first second, label, split. Labels may hold commas.
var vggSound = kind{
	name: "vggsound",
	read: readVGGSound,
	layout: map[Media][]string{
		Video:  vggVideos,
		Audio:  {"{split}-audios/{split}-set/{video}_{start}.wav", "audio/{video}_{start6}.wav", "{video}_{start6}.wav", "audio/{video}_{start}.wav", "{split}/{video}_{start6}.wav"},
		Frames: {"{split}-videos/{split}-set-img/Image-01-FPS/{video}_{start}.mp4", "{split}/{video}_{start6}", "{split}/{video}_{start}", "frames/{video}_{start6}"},
	},
	choices: []Choice{sound(vggSpectrogram), visual(tenFrames)},
}

// vggVideos are where the downloads of VGGSound put a clip.
var vggVideos = []string{"video/{video}_{start6}.mp4", "{video}_{start6}.mp4", "{split}/{video}_{start6}.mp4", "{split}-videos/{split}-set/{video}_{start}.mp4",
	"{class}/{video}_{start6}.mp4", "{split}/{class}/{video}_{start6}.mp4", "video/{video}_{start}.mp4", "{video}_{start}.mp4",
	"{video}_{start6}_{end6}.mp4", "video/{video}_{start6}_{end6}.mp4"}

func readVGGSound(l *lists) (*Set, error) {
	parts, err := l.parts([]part{{"vggsound.csv", ""}, {"data/vggsound.csv", ""}})
	if err != nil {
		return nil, err
	}
	s := &Set{}
	err = l.records(parts[0].file, ',', func(fields []string, place string) error {
		if len(fields) != 4 {
			return fmt.Errorf("%d fields, want id, start, label and split", len(fields))
		}
		start, err := seconds(fields[1])
		if err != nil {
			return err
		}
		e := Entry{Class: fields[2], Place: place}
		if e.Split, err = splitOf(fields[3]); err != nil {
			return err
		}
		if err := e.setClip(fmt.Sprintf("%s_%06d", fields[0], int(start))); err != nil {
			return err
		}
		s.Entries = append(s.Entries, e)
		return nil
	})
	s.Classes = sortedClasses(s.Entries)
	return s, err
}
