package dataset

// What the published programs make of a clip's sound, in the words of mm-encode's settings. Where they draw a part of the sound in
// training, it is the first here. Their frames, resized and cropped in training, are not among these: which files hold them
// depends on how they were taken out of the videos.
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
