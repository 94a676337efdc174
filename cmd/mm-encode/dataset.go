package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/dataset"
	"mmtools/pkg/encode"
	"mmtools/pkg/stream"
)

type datasetCommand struct {
	Name      string       `arg:"" enum:"kinetics-sounds,ucf101,mm-debiased,vggsound,kinetics400,cremad,ave,rawframes,folder,table" help:"Take the data set NAME: kinetics-sounds, ucf101, mm-debiased, vggsound, kinetics400, cremad or ave, by its published lists; rawframes, which has the folders that MMAction extracts frames and optical flow into, CLASS/VIDEO/img_00001.jpg with flow_x_00001.jpg and flow_y_00001.jpg beside; folder, which has folders of media, CLASS/NAME.EXT or SPLIT/CLASS/NAME.EXT; or table, a file with the columns id, and where there are label and split."`
	Lists     string       `placeholder:"DIR|FILE" help:"Read the lists in DIR, by their published names, or the one FILE (default: the folder --root). Of rawframes FILE holds MMAction's annotations, PATH FRAMES LABEL a line (default: all videos that are there)."`
	Root      string       `required:"" placeholder:"DIR" help:"Look for media in DIR, as the authors' download makes it."`
	Split     string       `placeholder:"NAME" help:"Keep the clips of split NAME: train, validation or test (default: all)."`
	Fold      int          `placeholder:"N" help:"Take the official split number N of ucf101: 1 to 3 (default: 1)."`
	Classes   string       `placeholder:"FILE|NAME,NAME,..." help:"Keep the clips of these classes, in label order (default: all, in the data set's own order)."`
	Where     []string     `sep:"none" placeholder:"COL=VALUE" help:"Keep the clips whose column COL is VALUE, as mm-encode media does."`
	OnMissing string       `default:"fail" enum:"fail,skip,null" placeholder:"POLICY" help:"Where a clip's media are not there, end with an error (fail), leave the clip out (skip), or keep it without that modality (null) (default: ${default})."`
	Channels  channelFlags `embed:""`
	product
}

const datasetHelp = `Without --audio, --frames or another modality's flag, a data set has the modalities of its published experiments, as far as the download has
their media, and a message says which flags these would be:

    kinetics-sounds  audio: the published spectrogram, else a filter bank of 1024x128; visual: 10 frames
    mm-debiased, kinetics400  audio: that filter bank; visual: 10 frames
    vggsound         audio: log(|S|+1e-7) of 5 s, 129x626; visual: 10 frames
    cremad           audio: log(|S|+1e-7) of 3 s, 257x188; visual: 3 frames
    ave              audio: the whitened spectrogram of 160,000 samples; visual: 10 frames
    ucf101           visual: 6 frames; flow: 6 pairs of pictures
    rawframes        visual: 10 frames; flow: 10 pairs of pictures
    folder, table    whatever columns are called audio, image, frames, video, flow_x and flow_y, flow, text and features: log-mel
                     bands of 10 s, images of 224x224, 10 frames

Frames are of 224x224, out of folders where the download has those, else out of the videos. Flags of modalities take the columns of the data set's
list, which hold the first place where there is something, among those where its downloads put a clip's media: audio (a sound file, else the
video), video, frames (a folder of frames), flow_x and flow_y (folders of optical flow), flow (a folder of both), and features (the
published spectrogram in an npy file). A folder has audio, video, image, frames, features and text; rawframes have frames and flow.

The videos of rawframes lie in --root itself, or in rawframes, rawframes_train, rawframes_val and rawframes_test there. Annotations, such as ucf101_train_split_1_rawframes.txt, say
which videos there are, which numbers the classes have, and by their own name which split it is.

`

// Help implements kong's HelpProvider.
func (c *datasetCommand) Help() string { return datasetHelp + channelHelp() }

// Run encodes the data set.
func (c *datasetCommand) Run(ctx *cli.Context) error {
	o := encode.MediaOptions{Root: c.Root, ID: "id", Label: "label", Missing: encode.Policy(c.OnMissing)}
	classes, err := parseClasses(c.Classes)
	if err != nil {
		return err
	}
	choices, err := c.open(&o, classes)
	if err != nil {
		return err
	}
	if c.Channels.any() {
		o.Channels, err = c.Channels.specs()
	} else {
		o.Channels, err = c.choose(ctx, o.List, choices)
	}
	if err != nil {
		return err
	}
	if err := keep(ctx, o.Channels, c.Lists, c.Classes); err != nil {
		return err
	}
	if c.Split != "" {
		if err := c.checkSplit(o.List); err != nil {
			return err
		}
		o.Where = append(o.Where, encode.Condition{Column: "split", Values: []string{c.Split}})
	}
	for _, text := range c.Where {
		if o.Where, err = addCondition(o.Where, text); err != nil {
			return err
		}
	}
	return c.encode(ctx, o)
}

// open reads the lists into o and returns the modalities of the published experiments, or those that are common.
func (c *datasetCommand) open(o *encode.MediaOptions, classes []string) (choices []dataset.Choice, err error) {
	if c.Fold != 0 && c.Name != "ucf101" {
		return nil, cli.Usage("--fold: %s has no folds", c.Name)
	}
	switch c.Name {
	case "folder":
		if c.Lists != "" {
			return nil, cli.Usage("--lists: folder has no lists")
		}
		o.Classes, o.OnlyClasses = classes, classes != nil
		o.List, err = encode.FolderList(c.Root)
		return dataset.Common(true), err
	case "rawframes":
		if o.List, o.Classes, err = encode.RawframesList(c.Root, c.Lists, classes); c.Lists == "" {
			o.Classes, o.OnlyClasses = classes, classes != nil
		}
		return dataset.Rawframes(), err
	case "table":
		if c.Lists == "" {
			return nil, cli.Usage("table needs --lists FILE")
		}
		o.Classes, o.OnlyClasses = classes, classes != nil
		o.List, err = encode.ReadList(c.Lists)
		if err == nil {
			if _, none := encode.Column(o.List, "label"); none != nil {
				o.Label = ""
			}
		}
		return dataset.Common(false), err
	}
	folder, file, err := c.lists()
	if err != nil {
		return nil, err
	}
	set, err := dataset.Open(c.Name, folder, file, dataset.Options{Fold: c.Fold, Classes: classes})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.listsPath(), err)
	}
	o.List, o.Classes = encode.DatasetList(set, c.Root), set.Classes
	return set.Choices(), nil
}

func (c *datasetCommand) listsPath() string {
	if c.Lists != "" {
		return c.Lists
	}
	return c.Root
}

// lists returns the folder of the lists, and the file where they are in one.
func (c *datasetCommand) lists() (folder fs.FS, file string, err error) {
	path := c.listsPath()
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", err
	}
	if info.IsDir() {
		return os.DirFS(path), "", nil
	}
	return os.DirFS(filepath.Dir(path)), filepath.Base(path), nil
}

// checkSplit refuses a split that no clip has: a list without splits, or a word that is none.
func (c *datasetCommand) checkSplit(l encode.List) error {
	column, err := encode.Column(l, "split")
	if err != nil {
		return err
	}
	splits := map[string]bool{}
	for row := range l.Rows() {
		splits[l.Field(row, column)] = true
	}
	if !splits[c.Split] {
		delete(splits, "")
		if len(splits) == 0 {
			return stream.Errorf("%s: the lists say of no clip which split it is in", l.Name())
		}
		return cli.Usage("--split %s: %s has %s", c.Split, l.Name(), strings.Join(sortedKeys(splits), ", "))
	}
	return nil
}
