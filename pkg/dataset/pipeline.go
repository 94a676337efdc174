package dataset

// What the published dataloaders make of a clip, in the words of mm-encode's settings.
const (
	// log(|STFT| + 1e-7) of five seconds at 16 kHz (OGM-GE, VGGSound).
	shortSpectrogram = "rate=16000,seconds=5,n-fft=256,hop=128"
	// of three seconds at 22.05 kHz, shorter sounds repeated (OGM-GE, CREMA-D).
	cremadSpectrogram = "rate=22050,seconds=3,n-fft=512,hop=353"
	// of ten seconds (OGM-GE, AVE).
	aveSpectrogram = "rate=16000,seconds=10,n-fft=512,hop=159"
	// ten frames, a second apart; training picks three and crops them.
	framesASecond = "count=10,fps=1,size=256"
)
