#!/usr/bin/python3
"""Spectrograms as PyTorch, SciPy and the definitions of librosa, torchaudio and Kaldi give them, in float64, for pkg/media.

usage: sound.py [OUT]       (default: pkg/media/testdata/sound.json.gz, from the repository's root)

torch.stft and scipy.signal.spectrogram are called; what librosa and torchaudio do around them (neither is a Debian package) is
written here in NumPy from their documentation, with dense matrices. A case's options are those of media.SpectrogramOptions.
"""
import sys

import numpy as np
import scipy.fft
import scipy.signal
import torch

import fixture

RATE, SAMPLES = 8000, 1500


def waveform():
    """Two tones, one of them rising, and noise 60 dB below."""
    t = np.arange(SAMPLES) / RATE
    noise = np.random.default_rng(5).standard_normal(SAMPLES)
    return (0.5 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * (900 + 4000 * t) * t) + 0.0005 * noise).astype(np.float32)


WINDOWS = {
    "hann": lambda n: torch.hann_window(n, dtype=torch.float64),
    "hamming": lambda n: torch.hamming_window(n, dtype=torch.float64),
    "rectangular": lambda n: torch.ones(n, dtype=torch.float64),
    "symmetric-hann": lambda n: torch.hann_window(n, periodic=False, dtype=torch.float64),
    "povey": lambda n: torch.hann_window(n, periodic=False, dtype=torch.float64) ** 0.85,
    "tukey": lambda n: torch.from_numpy(scipy.signal.get_window(("tukey", 0.25), n)),
}


def stft(x, o):
    """|STFT|^Power as (frames, bins), by torch.stft."""
    padding = o.get("Padding", "reflect")
    n = o.get("Window", o["NFFT"])
    s = torch.stft(torch.from_numpy(x.astype(np.float64)), o["NFFT"], hop_length=o["Hop"], win_length=n, window=WINDOWS[o.get("Shape", "hann")](n),
                   center=padding != "none", pad_mode={"zero": "constant"}.get(padding, "reflect"), return_complex=True)
    return (s.abs() ** o.get("Power", 2)).numpy().T


def slaney_mel(f):
    return np.where(f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4))


def slaney_hertz(m):
    return np.where(m < 15, 200 * m / 3, 1000 * np.exp(np.log(6.4) * (m - 15) / 27))


def filters(o):
    """(Mels, bins): librosa.filters.mel, or torchaudio.functional.melscale_fbanks."""
    low, high = o.get("Low", 0), o.get("High", RATE / 2)
    if o.get("Scale", "slaney") == "slaney":
        edges = slaney_hertz(np.linspace(slaney_mel(low), slaney_mel(high), o["Mels"] + 2))
    else:
        mels = np.linspace(2595 * np.log10(1 + low / 700), 2595 * np.log10(1 + high / 700), o["Mels"] + 2)
        edges = 700 * (10 ** (mels / 2595) - 1)
    bins = np.linspace(0, RATE / 2, o["NFFT"] // 2 + 1)
    width = np.diff(edges)
    slopes = edges[:, None] - bins[None]
    w = np.maximum(0, np.minimum(-slopes[:-2] / width[:-1, None], slopes[2:] / width[1:, None]))
    if o.get("Area"):
        w *= (2 / (edges[2:] - edges[:-2]))[:, None]
    return w


def loudness(x, o):
    kind = o.get("Loudness", "log")
    if kind == "log":
        return np.log(x + 1e-7)
    if kind == "db":  # librosa.power_to_db with ref=1, and torchaudio.transforms.AmplitudeToDB("power", top_db=80)
        db = 10 * np.log10(np.maximum(x, 1e-10))
        return np.maximum(db, db.max() - 80)
    return x


def spectrogram(x, o):
    s = stft(x, o)
    if "Mels" in o:
        s = s @ filters(o).T
    s = loudness(s, o)
    if "Coefficients" in o:
        s = scipy.fft.dct(s, type=2, norm="ortho", axis=-1)[:, :o["Coefficients"]]
    return s


def kaldi(x, o):
    """torchaudio.compliance.kaldi.fbank with dither 0 and use_energy False, then what process_audio.py of OGM-GE's Kinetics-Sounds does."""
    x = torch.from_numpy(x.astype(np.float64))
    frames = x.unfold(0, o["Window"], o["Hop"]).clone()
    frames -= frames.mean(1, keepdim=True)
    frames -= o["Emphasis"] * torch.cat([frames[:, :1], frames[:, :-1]], 1)
    frames *= WINDOWS[o["Shape"]](o["Window"])
    power = torch.fft.rfft(frames, o["NFFT"]).abs() ** 2

    def mel(f):
        return 1127 * np.log(1 + np.asarray(f) / 700)
    low, high = mel(o["Low"]), mel(RATE / 2)
    step = (high - low) / (o["Mels"] + 1)
    left = low + np.arange(o["Mels"])[:, None] * step
    bins = mel(RATE / o["NFFT"] * np.arange(o["NFFT"] // 2))[None]  # without the last, as Kaldi has it
    w = np.maximum(0, np.minimum((bins - left) / step, (left + 2 * step - bins) / step))
    out = np.log(np.maximum(power[:, :-1].numpy() @ w.T, 1.1920928955078125e-07))
    out = np.concatenate([out, np.zeros((o["Frames"] - len(out), o["Mels"]))])
    return (out - o["Mean"]) / o["Std"]


def density(x, o):
    """scipy.signal.spectrogram with its defaults, as obtain_audio_spectrogram.py of OGM-GE's AVE has it."""
    _, _, s = scipy.signal.spectrogram(x.astype(np.float64), RATE, nperseg=o["NFFT"], noverlap=o["NFFT"] - o["Hop"])
    s = np.log(s + 1e-7)
    return ((s - s.mean()) / (s.std() + 1e-9)).T


CASES = [
    ("stft, magnitudes as they are", spectrogram, dict(NFFT=256, Hop=128, Power=1, Loudness="linear")),
    ("published CREMA-D: log(|S| + 1e-7) of librosa.stft(n_fft=512, hop_length=353)", spectrogram, dict(NFFT=512, Hop=353, Power=1)),
    ("librosa 0.10, zeros beyond the ends", spectrogram, dict(NFFT=512, Hop=353, Power=1, Padding="zero")),
    ("published VGGSound: librosa.stft(n_fft=256, hop_length=128)", spectrogram, dict(NFFT=256, Hop=128, Power=1)),
    ("no padding", spectrogram, dict(NFFT=400, Hop=200, Padding="none")),
    ("a short window, and factors of 2 and 5", spectrogram, dict(NFFT=400, Window=300, Hop=160)),
    ("factors of 2 and 3", spectrogram, dict(NFFT=288, Hop=160, Shape="hamming")),
    ("an odd length", spectrogram, dict(NFFT=353, Hop=177, Shape="rectangular")),
    ("a factor of 23", spectrogram, dict(NFFT=368, Hop=177, Shape="tukey")),
    ("log-mel, Slaney", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Area=True)),
    ("log-mel, Slaney, not normed", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Low=60, High=3500)),
    ("log-mel, HTK", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Scale="htk")),
    ("log-mel, HTK, normed", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Scale="htk", Area=True)),
    ("decibels", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Area=True, Loudness="db")),
    ("MFCC, librosa", spectrogram, dict(NFFT=512, Hop=256, Mels=40, Area=True, Loudness="db", Coefficients=20, Padding="zero")),
    ("MFCC, torchaudio", spectrogram, dict(NFFT=400, Hop=200, Mels=40, Scale="htk", Loudness="db", Coefficients=40)),
    ("published Kinetics-Sounds: Kaldi's filter bank", kaldi, dict(NFFT=256, Window=200, Hop=80, Shape="symmetric-hann", Padding="none", Centre=True,
     Emphasis=0.97, Mels=64, Low=20, Scale="kaldi", Loudness="log-max", Frames=24, Mean=-4.503877, Std=2 * 5.141276)),
    ("Kaldi's own window", kaldi, dict(NFFT=256, Window=200, Hop=80, Shape="povey", Padding="none", Centre=True, Emphasis=0.97, Mels=23, Low=20, Scale="kaldi",
     Loudness="log-max", Frames=17, Mean=0, Std=1)),
    ("published AVE: SciPy's density", density, dict(NFFT=512, Hop=159, Shape="tukey", Padding="none", Centre=True, Density=True, Whiten=True)),
]


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "pkg/media/testdata/sound.json.gz"
    x = waveform()
    cases = [{"name": name, "options": {"Rate": RATE, "Samples": SAMPLES, **o}, "want": fixture.tensor(make(x, o).astype(np.float32))} for name, make, o in CASES]
    fixture.write(out, {"header": {**fixture.header(5), "scipy": scipy.__version__}, "wave": fixture.tensor(x), "cases": cases})


main()
