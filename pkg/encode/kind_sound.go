package encode

import (
	"cmp"

	"mmtools/pkg/media"
)

var soundKind = Kind{
	Name: "audio",
	Help: "The sound of a file: wav, or through ffmpeg any other, and any video. transform=logmel makes mel bands of the power, logmel's log(x + 1e-7); spectrogram the bins' magnitudes, " +
		"as published audio-visual pipelines do, log(|S| + 1e-7); mfcc cosine coefficients of decibels; fbank Kaldi's filter bank, as the published Kinetics-Sounds features; wave the samples.",
	Keys: []Key{
		{"transform", "NAME", "logmel", "Make logmel, spectrogram, mfcc, fbank or wave of the sound."},
		{"rate", "HZ", "16000", "Resample to HZ samples a second."},
		{"seconds", "S", "1", "Take S seconds; fill shorter sounds up as fit says."},
		{"fit", "NAME", "pad", "Fill up with silence (pad), with the sound again (repeat), with silence on both sides (centre, which also cuts out the middle), or with frames of 0 after the transform (late)."},
		{"crop", "HOW", "start", "Of a longer sound take the beginning (start), or a part that is drawn from SEED and the sample's id (random:SEED)."},
		{"within", "S", "0", "Draw the part from the first S seconds, up to which a shorter sound is repeated; 0 draws it from the sound as it is."},
		{"start", "COL", "", "Begin at the second of the file that column COL says."},
		{"end", "COL", "", "End at the second of the file that column COL says."},
		{"clip", "", "false", "Limit the samples to -1 and 1."},
		{"n-fft", "N", "", "Take the spectrum over N samples (default: 512; of fbank the window's next power of two)."},
		{"window", "N", "", "Weigh them with a window of N samples; 0 takes that of n-fft (default: 0; of fbank 25 ms)."},
		{"window-shape", "NAME", "", "Take the window hann, hamming, rectangular, tukey, symmetric-hann or povey (default: hann; of fbank symmetric-hann)."},
		{"hop", "N", "", "Move N samples from one spectrum to the next (default: 256; of fbank 10 ms)."},
		{"padding", "NAME", "", "Beyond the ends, mirror the sound (reflect), see silence (zero), or take whole frames alone (none) (default: reflect; of fbank none)."},
		{"power", "N", "", "Take magnitudes (1) or powers (2) (default: 2; of spectrogram 1)."},
		{"density", "", "false", "Scale powers as scipy.signal.spectrogram does."},
		{"dc", "true", "", "Take the mean off each frame, with true (default: false; of fbank true)."},
		{"emphasis", "X", "", "Then take X times the sample before off each (default: 0; of fbank 0.97)."},
		{"mels", "N", "", "Sum the spectrum in N mel bands; 0 keeps the bins (default: 64; of fbank 128; of spectrogram 0)."},
		{"low", "HZ", "", "Begin the lowest band at HZ (default: 0; of fbank 20)."},
		{"high", "HZ", "", "End the highest band at HZ (default: half the rate)."},
		{"scale", "NAME", "", "Space the bands as slaney, htk or kaldi do (default: slaney; of fbank kaldi)."},
		{"norm", "NAME", "", "Divide a band by half its width (area) or not (none) (default: area; of htk and kaldi none)."},
		{"loudness", "NAME", "", "Take log(x + 1e-7) (log), log(max(x, 1.19e-7)) (log-max), decibels down to 80 below the highest (db), or x (linear) (default: log; of mfcc db; of fbank log-max)."},
		{"coefficients", "N", "", "Keep the first N cosine coefficients of a frame (default: 20 for mfcc)."},
		{"frames", "N", "", "Cut after N frames, or fill up with frames of 0 (default: those that there are)."},
		{"whiten", "", "false", "Take the spectrogram's mean off, and divide by its deviation."},
		{"mean", "X", "", "Take X off every number (default: 0)."},
		{"std", "X", "", "Then divide by X (default: 1)."},
		{"layout", "NAME", "time", "Order the tensor as frames and bands (time), or bands and frames (bands)."},
	},
	Parse: func(name, column string, v *Values) Spec {
		return SoundSpec{Name: name, Column: column, Start: v.Text("start"), End: v.Text("end"), Sound: parseSound(v)}
	},
}

// parseSound reads the settings; what a transform sets otherwise than logmel does is here.
func parseSound(v *Values) Sound {
	s := Sound{
		Transform: Transform(v.OneOf("transform", string(LogMel), string(Spectrogram), string(MFCC), string(Fbank), string(Wave))),
		Rate:      v.Int("rate"), Seconds: v.Float("seconds"), Fit: media.Fit(v.Text("fit")), Crop: parseCrop(v), Clip: v.Bool("clip"),
	}
	preset := media.SpectrogramOptions{NFFT: 512, Hop: 256, Mels: 64, Scale: media.Slaney}
	switch s.Transform {
	case Wave:
		return s
	case Spectrogram:
		preset.Mels, preset.Power = 0, 1
	case MFCC:
		preset.Loudness, preset.Coefficients = media.Decibel, 20
	case Fbank:
		window := s.Rate * 25 / 1000 // Kaldi's 25 and 10 ms, rounded down as it does
		preset = media.SpectrogramOptions{NFFT: powerOfTwo(window), Window: window, Hop: s.Rate * 10 / 1000, Shape: media.SymmetricHann, Padding: media.None,
			Centre: true, Emphasis: 0.97, Mels: 128, Low: 20, Scale: media.Kaldi, Loudness: media.LogMax}
	}
	o := preset
	if v.Has("n-fft") && !v.Has("window") {
		o.Window = 0
	}
	setInt(v, "n-fft", &o.NFFT)
	setInt(v, "window", &o.Window)
	setInt(v, "hop", &o.Hop)
	setInt(v, "power", &o.Power)
	setInt(v, "mels", &o.Mels)
	setInt(v, "coefficients", &o.Coefficients)
	setInt(v, "frames", &o.Frames)
	setFloat(v, "emphasis", &o.Emphasis)
	setFloat(v, "low", &o.Low)
	setFloat(v, "high", &o.High)
	setFloat(v, "mean", &o.Mean)
	setFloat(v, "std", &o.Std)
	o.Shape = cmp.Or(media.Window(v.Text("window-shape")), o.Shape)
	o.Padding = cmp.Or(media.Padding(v.Text("padding")), o.Padding)
	o.Scale = cmp.Or(media.MelScale(v.Text("scale")), o.Scale)
	o.Loudness = cmp.Or(media.Loudness(v.Text("loudness")), o.Loudness)
	o.Density, o.Whiten = v.Bool("density"), v.Bool("whiten")
	if v.Text("dc") != "" {
		o.Centre = v.Bool("dc")
	}
	o.Area = o.Mels > 0 && o.Scale == media.Slaney
	if v.Text("norm") != "" {
		o.Area = v.OneOf("norm", "area", "none") == "area"
	}
	o.BandsFirst = v.OneOf("layout", "time", "bands") == "bands"
	s.Spectrogram = o
	return s
}

func setInt(v *Values, name string, to *int) {
	if v.Text(name) != "" {
		*to = v.Int(name)
	}
}

func setFloat(v *Values, name string, to *float64) {
	if v.Text(name) != "" {
		*to = v.Float(name)
	}
}

func powerOfTwo(n int) int {
	p := 1
	for p < n && p < 1<<30 {
		p *= 2
	}
	return p
}
