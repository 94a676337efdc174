#!/usr/bin/python3
"""What mm-encode does, as a Python script does it: wav to log-mel with torch.stft, jpeg to 224x224 with PIL, by worker processes.

usage: encode_reference.py audio|image LIST OUT.npy [--workers N]

LIST has a path a line. The workers are started, with all imported and one file done, before the clock runs; it stops when
OUT.npy, of all tensors in order, is written. Prints one JSON object: files, seconds and versions.
"""
import argparse
import json
import multiprocessing
import sys
import time
import wave

try:
    import numpy as np
    import PIL
    import torch
    from PIL import Image
except ImportError as e:
    sys.exit(f"encode_reference.py: {e}")

RATE, SECONDS, NFFT, HOP, MELS, SIDE = 16000, 3, 512, 256, 64, 224


def mel_filters():
    """The Slaney filter bank, each triangle of area 1, as librosa.filters.mel makes it: (MELS, NFFT/2+1)."""
    def mel(hz):
        return np.where(hz < 1000, 3 * hz / 200, 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4))

    def hertz(mels):
        return np.where(mels < 15, 200 * mels / 3, 1000 * np.exp(np.log(6.4) * (mels - 15) / 27))

    edges = hertz(np.linspace(0, mel(np.array(RATE / 2)), MELS + 2))
    bins = np.linspace(0, RATE / 2, NFFT // 2 + 1)
    up = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.from_numpy((np.maximum(0, np.minimum(up, down)) * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32))


def start():
    global FILTERS, WINDOW
    torch.set_num_threads(1)  # a worker a core
    FILTERS, WINDOW = mel_filters(), torch.hann_window(NFFT)


def audio(path):
    with wave.open(path) as w:
        sound = np.frombuffer(w.readframes(RATE * SECONDS), np.int16).astype(np.float32) / 32768
    spectrum = torch.stft(torch.from_numpy(sound), NFFT, HOP, window=WINDOW, center=True, pad_mode="reflect", return_complex=True)
    return torch.log(FILTERS @ spectrum.abs().square() + 1e-7).T.contiguous().numpy()


def image(path):
    with Image.open(path) as i:
        return np.ascontiguousarray(np.asarray(i.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)).transpose(2, 0, 1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["audio", "image"])
    p.add_argument("list")
    p.add_argument("out")
    p.add_argument("--workers", type=int, default=2)
    a = p.parse_args()
    with open(a.list, encoding="utf-8") as f:
        paths = f.read().split()
    decode = {"audio": audio, "image": image}[a.what]
    with multiprocessing.Pool(a.workers, start) as pool:
        first = pool.map(decode, paths[:a.workers] * 4, chunksize=1)[0]
        began = time.perf_counter()
        out = np.empty((len(paths),) + first.shape, first.dtype)
        for n, tensor in enumerate(pool.imap(decode, paths, chunksize=16)):
            out[n] = tensor
        np.save(a.out, out)
        seconds = time.perf_counter() - began
    print(json.dumps({"files": len(paths), "seconds": seconds, "torch": torch.__version__, "PIL": PIL.__version__, "numpy": np.__version__}))


main()
