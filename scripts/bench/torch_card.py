#!/usr/bin/python3
"""Training steps in PyTorch on a card, that speed is compared on: late fusion of two embeddings of 512 (a hidden layer of 512 each,
31 classes, Adam), step by step and as a CUDA graph, from samples that stay on the card; and the published audio-visual network
(torch_audio_visual.py), minibatches of 64, channels last, in float32, tf32 and bf16.

Prints one JSON object: samples a second, median of the rounds, by name.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as e:
    sys.exit(f"torch_card.py: {e}")

from torch_audio_visual import Model


class LateFusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.audio, self.visual, self.head = nn.Linear(512, 512), nn.Linear(512, 512), nn.Linear(1024, 31)

    def forward(self, a, v, keep):
        return self.head(torch.cat([F.relu(self.audio(a)) * keep[:, :1], F.relu(self.visual(v)) * keep[:, 1:]], 1))


def rate(step, samples, rounds, seconds):
    """Samples a second of step, which takes some: the median of the rounds."""
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    found = []
    for _ in range(rounds):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            for _ in range(10):
                step()
            torch.cuda.synchronize()
            count += 10
        found.append(samples * count / (time.perf_counter() - start))
    return round(statistics.median(found))


def late_fusion(batch, graph, rounds, seconds):
    n = 8192
    model = LateFusion().cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, capturable=graph, foreach=True)
    a, v = torch.randn(n, 512, device="cuda"), torch.randn(n, 512, device="cuda")
    label, keep, weight = torch.randint(31, (n,), device="cuda"), torch.ones(n, 2, device="cuda"), torch.ones(n, device="cuda")
    order = torch.randperm(n, device="cuda")
    rows, at = order[:batch].clone(), 0

    def compute():
        optimizer.zero_grad(set_to_none=not graph)
        loss = (weight[rows] * F.cross_entropy(model(a[rows], v[rows], keep[rows]), label[rows], reduction="none")).mean()
        loss.backward()
        optimizer.step()

    def advance():
        nonlocal at
        rows.copy_(order[at:at + batch])
        at = (at + batch) % n

    run = compute
    if graph:
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            for _ in range(3):
                compute()
        torch.cuda.current_stream().wait_stream(side)
        recorded = torch.cuda.CUDAGraph()
        with torch.cuda.graph(recorded):
            compute()
        run = recorded.replay

    def step():
        advance()
        run()

    return rate(step, batch, rounds, seconds)


def audio_visual(precision, rounds, seconds):
    batch = 64
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
    model = Model().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
    sound = torch.randn(batch, 1, 257, 188, device="cuda").contiguous(memory_format=torch.channels_last)
    frames = torch.randn(batch * 3, 3, 224, 224, device="cuda").contiguous(memory_format=torch.channels_last).unflatten(0, (batch, 3))
    keep, label = torch.ones(batch, 2, device="cuda"), torch.randint(31, (batch,), device="cuda")

    def step():
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss = F.cross_entropy(model(sound, frames, keep).float(), label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return rate(step, batch, rounds, seconds)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=1.0)
    a = p.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch_card.py: PyTorch finds no card")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    found = {}
    for batch in (64, 1024):
        for graph in (False, True):
            found[f"late fusion, {batch}, {'graph' if graph else 'eager'}"] = late_fusion(batch, graph, a.rounds, a.seconds)
    for precision in ("float32", "tf32", "bf16"):
        found[f"audio-visual, 64, {precision}"] = audio_visual(precision, a.rounds, a.seconds)
    print(json.dumps({"torch": torch.__version__, "card": torch.cuda.get_device_name(), "samples/s": found}))


main()
