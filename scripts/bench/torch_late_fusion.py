#!/usr/bin/python3
"""The training step that speed is compared on, in PyTorch: late fusion of two modalities of 512 inputs, 512 hidden units each, 31
classes, masks and weights, Adam (foreach). A step gathers its minibatch from shuffled samples, as ours does.

Prints one JSON object: samples a second for each size of minibatch, the best and the median of the rounds, and the versions.
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as e:
    sys.exit(f"torch_late_fusion.py: {e}")

SAMPLES, INPUTS, HIDDEN, CLASSES = 8192, 512, 512, 31


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbones = nn.ModuleList(nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU()) for _ in range(2))
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, x, keep):
        return self.head(torch.cat([b(f) * keep[:, i:i + 1] for i, (b, f) in enumerate(zip(self.backbones, x))], 1))


def epoch(model, optimizer, data, batch):
    x, keep, label, weight = data
    order = torch.randperm(SAMPLES)
    for start in range(0, SAMPLES, batch):
        rows = order[start:start + batch]
        logits = model([m[rows] for m in x], keep[rows])
        loss = (weight[rows] * F.cross_entropy(logits, label[rows], reduction="none")).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def rates(batch, rounds, seconds):
    torch.manual_seed(0)
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=True)
    keep = torch.ones(SAMPLES, 2)
    data = [torch.randn(SAMPLES, INPUTS) for _ in range(2)], keep, torch.randint(CLASSES, (SAMPLES,)), torch.ones(SAMPLES)
    epoch(model, optimizer, data, batch)  # warm up
    out = []
    for _ in range(rounds):
        start, epochs = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            epoch(model, optimizer, data, batch)
            epochs += 1
        out.append(epochs * SAMPLES / (time.perf_counter() - start))
    return out


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
    p.add_argument("--batch", type=int, nargs="+", default=[64, 1024])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=1.0)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    best, median = {}, {}
    for batch in a.batch:
        r = rates(batch, a.rounds, a.seconds)
        best[str(batch)], median[str(batch)] = round(max(r)), round(statistics.median(r))
    print(json.dumps({"torch": torch.__version__, "threads": a.threads, "blas_core": blas_core(), "best": best, "median": median}))


if __name__ == "__main__":
    main()
