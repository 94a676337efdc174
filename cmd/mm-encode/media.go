package main

import (
	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

type mediaCommand struct {
	Manifest string   `required:"" placeholder:"FILE.csv" help:"List the samples in FILE, comma-separated (.tsv: by tabs), with a first line that names the columns."`
	Root     string   `placeholder:"DIR" help:"Take the list's paths from DIR, which they must not leave (default: the list's own folder)."`
	ID       string   `name:"id" required:"" placeholder:"COL" help:"Take the ids, each once, from column COL."`
	Label    string   `placeholder:"COL" help:"Take the class names from column COL; an empty field leaves the sample unlabelled (default: no sample has a label)."`
	Classes  string   `placeholder:"FILE|NAME,NAME,..." help:"Name the classes in label order, in a list with commas or in a FILE with a name a line (default: the values of the label column in the whole list, sorted, by number where all are numbers)."`
	Where    []string `sep:"none" placeholder:"COL=VALUE" help:"Keep the samples whose column COL is VALUE. Repeat it for another column, where both must hold, or for the same one, where any value does."`
	Audio    []string `sep:"none" placeholder:"[NAME=]COL" help:"Decode the wav files of column COL into log-mel spectrograms, as modality NAME (default: audio). An empty field says that the sample lacks the modality. Repeat for more modalities."`
	Image    []string `sep:"none" placeholder:"[NAME=]COL" help:"Decode the png and jpeg files of column COL into pixels from 0 to 255, as modality NAME (default: image). Repeat for more modalities; images follow sounds in the stream."`

	Sound   soundFlags   `embed:""`
	Picture pictureFlags `embed:""`
	product
}

type soundFlags struct {
	AudioRate    int     `default:"16000" placeholder:"HZ" help:"Resample sounds to HZ frames a second (default: ${default})."`
	AudioSeconds float64 `default:"1" placeholder:"S" help:"Cut sounds after S seconds, and fill shorter ones up with silence (default: ${default})."`
	NFFT         int     `name:"n-fft" default:"512" placeholder:"N" help:"Take the spectrum over N samples (default: ${default})."`
	Window       int     `default:"0" placeholder:"N" help:"Weigh them with a Hann window of N samples; 0 takes that of --n-fft (default: ${default})."`
	Hop          int     `default:"256" placeholder:"N" help:"Move N samples from one spectrum to the next (default: ${default})."`
	Mels         int     `default:"64" placeholder:"N" help:"Sum the spectrum in N mel bands (default: ${default})."`
}

type pictureFlags struct {
	ImageSize string `placeholder:"HxW" help:"Scale images to H by W pixels, or to N by N with one number (default: the first image's size, which all the others must have)."`
	ImageMode string `default:"rgb" enum:"rgb,grey" placeholder:"MODE" help:"Keep three colours with rgb, or one brightness with grey (default: ${default})."`
}

// Run encodes the media of the list.
func (c *mediaCommand) Run(ctx *cli.Context) error {
	if len(c.Audio)+len(c.Image) == 0 {
		return cli.Usage("no modality: want --audio COL or --image COL")
	}
	classes, err := parseClasses(c.Classes)
	if err != nil {
		return err
	}
	o := encode.MediaOptions{Manifest: c.Manifest, Root: c.Root, ID: c.ID, Label: c.Label, Classes: classes,
		Sound: encode.Sound{Rate: c.Sound.AudioRate, Seconds: c.Sound.AudioSeconds, NFFT: c.Sound.NFFT,
			Window: c.Sound.Window, Hop: c.Sound.Hop, Mels: c.Sound.Mels},
		Picture: encode.Picture{Colour: c.Picture.ImageMode == "rgb"}}
	if o.Picture.Height, o.Picture.Width, err = parseSize(c.Picture.ImageSize); err != nil {
		return err
	}
	for _, text := range c.Where {
		if o.Where, err = addCondition(o.Where, text); err != nil {
			return err
		}
	}
	o.Audio, o.Images = columns(c.Audio, "audio"), columns(c.Image, "image")
	src, err := encode.OpenMedia(o)
	if err != nil {
		return err
	}
	defer src.Close()
	return c.write(ctx, src)
}
