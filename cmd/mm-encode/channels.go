package main

import (
	"fmt"
	"slices"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

// channelFlags say which modalities to make of which columns, a flag for each of encode.Kinds, and give the settings of all of a kind.
type channelFlags struct {
	Audio   []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Decode the sound of the files of column COL, wav or through ffmpeg any other and any video, into log-mel spectrograms or what its settings say, as modality NAME (default: audio), with settings of its own. An empty field says that the sample lacks the modality. Repeat for more modalities."`
	Image   []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Decode the png, jpeg, webp and bmp files of column COL into pixels from 0 to 255, as modality NAME (default: image). Repeat for more modalities; images follow sounds in the stream."`
	Video   []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Decode frames of the videos of column COL, through ffmpeg, into pixels from 0 to 255, as modality NAME (default: video). Repeat for more modalities; videos follow images in the stream."`
	Frames  []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Take frames out of the folders of pictures in column COL, as modality NAME (default: frames). Repeat for more modalities."`
	Flow    []string `sep:"none" placeholder:"[NAME=]COLX[+COLY][:KEY=VALUE,...]" help:"Take optical flow out of the folders of pictures in the columns COLX and COLY, or in one, as modality NAME (default: flow). Repeat for more modalities."`
	Text    []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Hash the texts of column COL into a vector of n-grams, as modality NAME (default: text); with tokenizer=FILE turn them into token ids for --encoder. Repeat for more modalities."`
	Feature []string `sep:"none" placeholder:"[NAME=]COL[:KEY=VALUE,...]" help:"Take numbers that are there already: of the npy, npz or safetensors files of column COL, or of one file with all samples, file=FILE, whose ids column COL holds, as modality NAME (default: feature). Repeat for more modalities."`

	Encoder []string `sep:"none" placeholder:"NAME=FILE.onnx[:KEY=VALUE,...]" help:"Run the ONNX model in FILE over modality NAME, and keep its output, an embedding, in place of what the modality's own flag makes. It takes ONNX Runtime's shared library, which MM_ONNXRUNTIME names where the system does not know it. Repeat for more modalities."`

	Sound   soundFlags   `embed:""`
	Picture pictureFlags `embed:""`
}

// The defaults of soundFlags, as its tags have them.
const (
	defaultRate    = 16000
	defaultSeconds = 1
)

type soundFlags struct {
	AudioRate    int     `default:"16000" placeholder:"HZ" help:"Resample sounds to HZ frames a second (default: ${default})."`
	AudioSeconds float64 `default:"1" placeholder:"S" help:"Cut sounds after S seconds, and fill shorter ones up with silence (default: ${default})."`
	NFFT         string  `name:"n-fft" placeholder:"N" help:"Take the spectrum over N samples (default: 512)."`
	Window       string  `placeholder:"N" help:"Weigh them with a Hann window of N samples (default: that of --n-fft)."`
	Hop          string  `placeholder:"N" help:"Move N samples from one spectrum to the next (default: 256)."`
	Mels         string  `placeholder:"N" help:"Sum the spectrum in N mel bands (default: 64)."`
}

type pictureFlags struct {
	ImageSize string `placeholder:"HxW" help:"Scale images to H by W pixels, or to N by N with one number (default: the first image's size, which all the others must have)."`
	ImageMode string `default:"rgb" enum:"rgb,grey" placeholder:"MODE" help:"Keep three colours with rgb, or one brightness with grey (default: ${default})."`
}

// columns returns what the flags of a kind ask for, and the settings that hold where a column has none of its own.
func (c *channelFlags) columns(kind string) (texts []string, defaults map[string]string) {
	switch kind {
	case "audio":
		s := c.Sound
		settings := map[string]string{"rate": fmt.Sprint(s.AudioRate), "seconds": fmt.Sprint(s.AudioSeconds)}
		for key, text := range map[string]string{"n-fft": s.NFFT, "window": s.Window, "hop": s.Hop, "mels": s.Mels} {
			if text != "" {
				settings[key] = text
			}
		}
		return c.Audio, settings
	case "video":
		return c.Video, nil
	case "image":
		return c.Image, map[string]string{"size": c.Picture.ImageSize, "mode": c.Picture.ImageMode}
	case "frames":
		return c.Frames, nil
	case "flow":
		return c.Flow, nil
	case "text":
		return c.Text, nil
	case "feature":
		return c.Feature, nil
	}
	panic("mm-encode: no flag for kind " + kind)
}

// shaping returns the name of a flag that shapes sounds or images and was given; "" for none.
func (c *channelFlags) shaping() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"--audio-rate", c.Sound.AudioRate != defaultRate}, {"--audio-seconds", c.Sound.AudioSeconds != defaultSeconds},
		{"--n-fft", c.Sound.NFFT != ""}, {"--window", c.Sound.Window != ""}, {"--hop", c.Sound.Hop != ""}, {"--mels", c.Sound.Mels != ""},
		{"--image-size", c.Picture.ImageSize != ""}, {"--image-mode", c.Picture.ImageMode != "rgb"},
	} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}

// any tells whether a flag asks for a modality.
func (c *channelFlags) any() bool {
	for _, kind := range encode.Kinds {
		if texts, _ := c.columns(kind.Name); len(texts) > 0 {
			return true
		}
	}
	return false
}

// specs reads the flags, in the order of encode.Kinds.
func (c *channelFlags) specs() ([]encode.Spec, error) {
	var specs []encode.Spec
	var flags []string
	for _, kind := range encode.Kinds {
		flags = append(flags, "--"+kind.Name+" COL")
		texts, defaults := c.columns(kind.Name)
		for _, text := range texts {
			spec, err := kind.ParseSpec(text, defaults)
			if err != nil {
				return nil, cli.Usage("--%s %s: %w", kind.Name, text, err)
			}
			specs = append(specs, spec)
		}
	}
	if len(specs) == 0 {
		return nil, cli.Usage("no modality: want %s", strings.Join(flags, " or "))
	}
	return encoded(specs, c.Encoder)
}

// encoded puts the models of --encoder around the modalities that they name.
func encoded(specs []encode.Spec, encoders []string) ([]encode.Spec, error) {
	seen := map[string]bool{}
	for _, text := range encoders {
		parsed, err := encode.EncoderKind.ParseSpec(text, nil)
		if err != nil {
			return nil, cli.Usage("--encoder %s: %w", text, err)
		}
		encoder := parsed.(encode.EncoderSpec)
		i := slices.IndexFunc(specs, func(s encode.Spec) bool { return s.ModalityName() == encoder.Name })
		if i < 0 {
			return nil, cli.Usage("--encoder %s: no modality %q: want NAME=FILE.onnx, NAME being one of %s", text, encoder.Name, names(specs))
		}
		if seen[encoder.Name] {
			return nil, cli.Usage("--encoder %s: modality %q has one already", text, encoder.Name)
		}
		seen[encoder.Name] = true
		encoder.Inner = specs[i]
		specs[i] = encoder
	}
	return specs, nil
}

func names(specs []encode.Spec) string {
	list := make([]string, len(specs))
	for i, s := range specs {
		list[i] = s.ModalityName()
	}
	return strings.Join(list, ", ")
}

// channelHelp describes the settings of every kind, for --help and the manual page.
func channelHelp() string {
	return "A column's settings follow it after a colon, as in --audio left=wav:rate=8000,mels=40; the flags of the same names hold for those that have none.\n" +
		kindsHelp(append(slices.Clone(encode.Kinds), encode.EncoderKind)...)
}

// kindsHelp describes the settings of some kinds.
func kindsHelp(kinds ...encode.Kind) string {
	var b strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&b, "\n--%s: %s\n\n", kind.Name, kind.Help)
		for _, key := range kind.Keys {
			fmt.Fprintf(&b, "    %-16s %s", key.Name+"="+key.Placeholder, key.Help)
			if key.Default != "" {
				fmt.Fprintf(&b, " (default: %s)", key.Default)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
