package encode

import (
	"errors"
	"fmt"
	"path/filepath"

	"mmtools/pkg/modality"
)

// MediaOptions say which manifest lists the samples and how its files become tensors.
type MediaOptions struct {
	Manifest string // CSV with a header line
	Root     string // folder that the manifest's paths are relative to and must not leave; "" for the manifest's own
	ID       string // column of the ids
	Label    string // column of the class names, empty where unlabelled; "" leaves every sample unlabelled
	Audio    []MediaColumn
	Images   []MediaColumn
	Where    []Condition // all must hold
	Classes  []string    // in label order; nil for the values of the label column in the whole manifest, sorted
	Sound    Sound
	Picture  Picture
}

// MediaColumn is a modality and the column of its files' paths. An empty path says that the sample lacks the modality.
type MediaColumn struct {
	Name   string
	Column string
}

// Media is a Source over a manifest of wav, png and jpeg files.
type Media struct {
	o        MediaOptions
	samples  Samples
	manifest *manifest
	root     folder
	rows     []int // of the manifest, those kept
	id       int   // columns
	label    int   // -1 for none
	classes  map[string]int32
	channels []channel // of each modality
	filters  *resamplers
}

// channel is one modality's column and the plan of its files.
type channel struct {
	column  int
	sound   *Sound
	picture *Picture
}

// OpenMedia reads the manifest and checks all that does not need the media's contents: columns, unique ids, classes, paths, and
// that every file is there. Modalities are in the order of Audio, then Images.
func OpenMedia(o MediaOptions) (*Media, error) {
	m := &Media{o: o, filters: newResamplers()}
	if err := m.open(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Media) open() error {
	var err error
	if m.manifest, err = readManifest(m.o.Manifest); err != nil {
		return err
	}
	if m.rows, err = m.manifest.where(m.o.Where); err != nil {
		return err
	}
	path := m.o.Root
	if path == "" {
		path = filepath.Dir(m.o.Manifest)
	}
	if m.root, err = openFolder(path); err != nil {
		return err
	}
	if err := m.openIDs(); err != nil {
		return err
	}
	if err := m.openLabels(); err != nil {
		return err
	}
	for _, c := range m.o.Audio {
		if err := m.addAudio(c); err != nil {
			return fmt.Errorf("modality %q: %w", c.Name, err)
		}
	}
	for _, c := range m.o.Images {
		if err := m.addImage(c); err != nil {
			return fmt.Errorf("modality %q: %w", c.Name, err)
		}
	}
	if err := checkModalities(m.samples.Modalities); err != nil {
		return err
	}
	return m.digest()
}

func (m *Media) openIDs() error {
	var err error
	if m.id, err = m.manifest.column(m.o.ID); err != nil {
		return err
	}
	ids := make([]string, len(m.rows))
	for k, row := range m.rows {
		ids[k] = m.manifest.rows[row][m.id]
	}
	return checkIDs(ids, func(k int) string { return m.manifest.place(m.rows[k]) })
}

// openLabels fixes the classes and checks that every row kept has one of them. They come from the whole manifest, not only the rows
// kept, so that the streams of a training and a test split agree.
func (m *Media) openLabels() error {
	m.samples.Classes, m.label = m.o.Classes, -1
	if m.o.Label != "" {
		var err error
		if m.label, err = m.manifest.column(m.o.Label); err != nil {
			return err
		}
		if m.o.Classes == nil {
			m.samples.Classes = sortedClasses(m.manifest.values(m.label))
		}
	}
	var err error
	if m.classes, err = classIndex(m.samples.Classes); err != nil || m.label < 0 {
		return err
	}
	for _, row := range m.rows {
		name := m.manifest.rows[row][m.label]
		if _, ok := m.classes[name]; !ok && name != "" {
			return fmt.Errorf("%s: label %q is none of the %d classes", m.manifest.place(row), name, len(m.classes))
		}
	}
	return nil
}

func (m *Media) addAudio(c MediaColumn) error {
	column, err := m.manifest.column(c.Column)
	if err != nil {
		return err
	}
	sound := m.o.Sound
	plan, err := sound.plan()
	if err != nil {
		return err
	}
	m.add(modality.Modality{Name: c.Name, Kind: modality.Audio, Shape: plan.Shape()}, Float32, channel{column: column, sound: &sound})
	return nil
}

func (m *Media) addImage(c MediaColumn) error {
	column, err := m.manifest.column(c.Column)
	if err != nil {
		return err
	}
	picture := m.o.Picture
	if picture.Height == 0 && picture.Width == 0 {
		if err := m.sizeFromFirst(&picture, column); err != nil {
			return err
		}
	}
	plan, err := picture.plan()
	if err != nil {
		return err
	}
	m.add(modality.Modality{Name: c.Name, Kind: modality.Image, Shape: plan.Shape()}, Uint8, channel{column: column, picture: &picture})
	return nil
}

func (m *Media) add(mod modality.Modality, e Element, c channel) {
	m.samples.Modalities = append(m.samples.Modalities, mod)
	m.samples.Elements = append(m.samples.Elements, e)
	m.channels = append(m.channels, c)
}

// digest hashes the options, the rows kept and the size of each of their files. A file that is not there is found here,
// before anything is written.
func (m *Media) digest() error {
	d := newDigest()
	d.text("media")
	d.options(struct {
		Samples Samples
		Sound   Sound
		Picture Picture
	}{m.samples, m.o.Sound, m.o.Picture})
	for _, row := range m.rows {
		fields := m.manifest.rows[row]
		d.text(fields[m.id])
		label := int64(-1)
		if m.label >= 0 && fields[m.label] != "" {
			label = int64(m.classes[fields[m.label]])
		}
		d.number(label)
		for _, c := range m.channels {
			d.text(fields[c.column])
			if fields[c.column] == "" {
				continue
			}
			info, err := m.root.stat(fields[c.column])
			if err != nil {
				return m.wrap(row, c, err)
			}
			d.number(info.Size())
		}
	}
	m.samples.Digest = d.String()
	return nil
}

// wrap adds a file's place in the manifest to an error.
func (m *Media) wrap(row int, c channel, err error) error {
	return fmt.Errorf("%s, column %q: %w", m.manifest.place(row), m.manifest.columns[c.column], err)
}

// Samples implements Source.
func (m *Media) Samples() Samples { return m.samples }

// Rows implements Source.
func (m *Media) Rows() int { return len(m.rows) }

// Close closes the root folder.
func (m *Media) Close() error { return m.root.close() }
