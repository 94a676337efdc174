#!/usr/bin/python3
"""The published network's training step and evaluation, in PyTorch, that speed is compared on: ResNet-18 for a spectrogram of 257x188
and, frame by frame, for three frames of 224x224, features averaged over the frames and concatenated, 31 classes, minibatches of 16,
Adam (foreach). A step gathers its minibatch, float32 spectrograms and uint8 frames, as ours does.

Prints one JSON object: samples a second, best of the rounds, of "train" and "evaluate", and the process's peak memory in MiB.
"""
import argparse
import ctypes
import json
import resource
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as e:
    sys.exit(f"torch_audio_visual.py: {e}")

SAMPLES, BATCH, CLASSES = 32, 16, 31


class Block(nn.Module):
    """As torchvision.models.resnet.BasicBlock."""

    def __init__(self, c, k, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, k, 3, stride, 1, bias=False), nn.BatchNorm2d(k)
        self.conv2, self.bn2 = nn.Conv2d(k, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k)) if stride > 1 else None

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)).add_(x if self.downsample is None else self.downsample(x)))


def resnet18(channels):
    layers = [nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    at = 64
    for k in (64, 128, 256, 512):
        layers += [Block(at, k, 1 if at == k else 2), Block(k, k, 1)]
        at = k
    return nn.Sequential(*layers)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.audio, self.visual, self.head = resnet18(1), resnet18(3), nn.Linear(1024, CLASSES)

    def forward(self, sound, frames, keep):
        n, t = frames.shape[:2]
        a = self.audio(sound).mean((2, 3))
        v = self.visual(frames.flatten(0, 1)).mean((2, 3)).view(n, t, -1).mean(1)
        return self.head(torch.cat([a.float() * keep[:, :1], v.float() * keep[:, 1:]], 1))


def fuse(net):
    """Folds batch normalisations into convolutions, what a careful user does for evaluation."""
    net.eval()
    for m in net.modules():
        pairs = []
        if isinstance(m, Block):
            pairs = [("conv1", "bn1"), ("conv2", "bn2")]
        elif isinstance(m, nn.Sequential) and len(m) >= 2 and isinstance(m[0], nn.Conv2d):
            pairs = [("0", "1")]
        for conv, norm in pairs:
            m._modules[conv] = torch.nn.utils.fusion.fuse_conv_bn_eval(m._modules[conv], m._modules[norm])
            m._modules[norm] = nn.Identity()
    return net


def blas_core():
    """The processor that OpenBLAS, which Debian's PyTorch multiplies with, takes this one for."""
    try:
        name = ctypes.CDLL("libopenblas.so.0").openblas_get_corename
    except (OSError, AttributeError):
        return "unknown"
    name.restype = ctypes.c_char_p
    return name().decode()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--samples", type=int, default=SAMPLES)
    p.add_argument("--layout", choices=["channels_last", "contiguous"], default="channels_last")
    p.add_argument("--precision", choices=["float32", "bf16"], default="float32")
    p.add_argument("--passes", nargs="+", default=["train", "evaluate"], choices=["train", "evaluate"])
    a = p.parse_args()
    batch = min(BATCH, a.samples)
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    form = torch.channels_last if a.layout == "channels_last" else torch.contiguous_format
    model = Model().to(memory_format=form)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
    sound = torch.randn(a.samples, 1, 257, 188)
    frames = torch.randint(256, (a.samples, 3, 3, 224, 224), dtype=torch.uint8)
    keep, weight, label = torch.ones(a.samples, 2), torch.ones(a.samples), torch.randint(CLASSES, (a.samples,))
    cast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.precision == "bf16")

    def minibatch(start, order):
        rows = order[start:start + batch]
        x = frames[rows].flatten(0, 1).float().contiguous(memory_format=form)
        return sound[rows].contiguous(memory_format=form), x.view(len(rows), 3, 3, 224, 224) if form == torch.contiguous_format else x.unflatten(0, (len(rows), 3)), rows

    def train():
        model.train()
        order = torch.randperm(a.samples)
        for start in range(0, a.samples, batch):
            s, f, rows = minibatch(start, order)
            with cast:
                logits = model(s, f, keep[rows])
                loss = (weight[rows] * F.cross_entropy(logits.float(), label[rows], reduction="none")).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss.item()

    folded = []

    def evaluate():
        if not folded:
            folded.append(fuse(Model().to(memory_format=form)))
        order, right = torch.arange(a.samples), 0
        with torch.no_grad(), cast:
            for start in range(0, a.samples, batch):
                s, f, rows = minibatch(start, order)
                right += (folded[0](s, f, keep[rows]).argmax(1) == label[rows]).sum().item()

    best = {}
    for name in a.passes:
        run = {"train": train, "evaluate": evaluate}[name]
        run()
        times = []
        for _ in range(a.rounds):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        best[name] = round(a.samples / min(times), 3)
    print(json.dumps({"torch": torch.__version__, "threads": a.threads, "blas_core": blas_core(), "best": best,
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
