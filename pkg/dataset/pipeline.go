package dataset

// Channel is a way to make a modality, in words that mm-encode's flags take.
type Channel struct {
	Kind    string   // the flag
	Text    string   // its value: [NAME=]COLUMN[:KEY=VALUE,...]
	Columns []string // of the list, which name something where there is anything to make it of
}

// Choice is a modality: the first of these whose columns name something.
type Choice []Channel

// What the published programs make of a clip's sound, in the words of mm-encode's settings. Where they draw a part of the sound in
// training, it is the first here.
const (
	// Kaldi's filter bank of 128 bands, 1,024 frames, standardized (OGM-GE, data/KineticSound/process_audio.py; what the dataloader of Wei
	// et al. reads).
	filterBank = "transform=fbank,rate=16000,seconds=10.255,fit=late,frames=1024,mean=-4.503877,std=10.282552"
	// log(|STFT| + 1e-7) of five seconds (OGM-GE, dataset/VGGSoundDataset.py).
	vggSpectrogram = "transform=spectrogram,rate=16000,seconds=5,fit=repeat,clip,n-fft=256,hop=128,layout=bands"
	// of three seconds at 22,050 Hz (OGM-GE, dataset/CramedDataset.py).
	cremadSpectrogram = "transform=spectrogram,rate=22050,seconds=3,fit=repeat,clip,n-fft=512,hop=353,layout=bands"
	// scipy.signal.spectrogram of 160,000 samples at 22,050 Hz, whitened (OGM-GE, pre-processing/obtain_audio_spectrogram.py).
	aveSpectrogram = "transform=spectrogram,rate=22050,seconds=7.256235828,fit=repeat,clip,n-fft=512,hop=159,window-shape=tukey,padding=none,power=2,density,dc=true,whiten,layout=bands"
)

// Frames as the published programs choose from: those a second apart of a clip of ten seconds, each the middle of its second (OGM-GE,
// pre-processing/AVE&CREMAD/video2frame-1fps.py), three of clips of two or three seconds, and six of UCF-101, whose flow is as long. A network
// takes one frame of each of three parts of them, resized to 224x224 (Wei et al., code/datasets/dataloader.py).
const (
	tenFrames   = "frames=10"
	threeFrames = "frames=3"
	sixFrames   = "frames=6"
)

// sound is the modality audio: of a sound file, else of the video.
func sound(settings string) Choice {
	return Choice{{"audio", "audio=audio:" + settings, []string{"audio"}}}
}

// spectrogramOr is the modality audio: the published spectrogram where the download has it, else what the settings make of the sound.
func spectrogramOr(settings string) Choice {
	return append(Choice{{"feature", "audio=features:kind=audio", []string{"features"}}}, sound(settings)...)
}

// visual is the modality visual: frames of a folder where the download has those, else of the video.
func visual(settings string) Choice {
	return Choice{{"frames", "visual=frames:" + settings, []string{"frames"}}, {"video", "visual=video:" + settings, []string{"video"}}}
}

// flow is the modality flow: parts in two folders, or in one.
func flow(settings string) Choice {
	return Choice{{"flow", "flow=flow_x+flow_y:" + settings, []string{"flow_x", "flow_y"}}, {"flow", "flow=flow:" + settings, []string{"flow"}}}
}

// Rawframes are the modalities of folders of frames and of optical flow.
func Rawframes() []Choice { return []Choice{visual(tenFrames), flow(tenFrames)} }

// Common are the modalities of media that no experiment was published of: a folder's, or a table's, whose text stands in the column itself.
func Common(folder bool) []Choice {
	text := "text=text"
	if folder {
		text += ":file"
	}
	return []Choice{
		sound("seconds=10"),
		{{"image", "image=image:size=224", []string{"image"}}},
		visual(tenFrames),
		flow(tenFrames),
		{{"text", text, []string{"text"}}},
		{{"feature", "feature=features", []string{"features"}}},
	}
}
