#!/usr/bin/python3
"""Times the convolution kernels against PyTorch's (Debian: python3-torch), layer by layer, in turns.

    go test -tags dnnl -c -o dnn.test ./pkg/kernel/dnn
    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE scripts/reference/conv_bench.py dnn.test [ROUNDS [PATTERN]]

Each row is the best of all rounds, in ms: ours, PyTorch's in its default layout, PyTorch's channels_last, and ours in
GFLOP/s (convolutions, by the definition), GB/s (what memory bounds) or
images/s (a ResNet-18 in training mode, forward, or forward and backward). PATTERN keeps rows whose name has it.
"""
import re
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

LAYERS = {  # name: channels in and out, height, width, kernel, stride, padding
    "audio-stem": (1, 64, 257, 188, 7, 2, 3), "stem": (3, 64, 224, 224, 7, 2, 3), "layer1": (64, 64, 56, 56, 3, 1, 1),
    "layer2-down": (64, 128, 56, 56, 3, 2, 1), "layer2-skip": (64, 128, 56, 56, 1, 2, 0), "layer2": (128, 128, 28, 28, 3, 1, 1),
    "layer3-down": (128, 256, 28, 28, 3, 2, 1), "layer3-skip": (128, 256, 28, 28, 1, 2, 0), "layer3": (256, 256, 14, 14, 3, 1, 1),
    "layer4-down": (256, 512, 14, 14, 3, 2, 1), "layer4-skip": (256, 512, 14, 14, 1, 2, 0), "layer4": (512, 512, 7, 7, 3, 1, 1),
}
STAGES = [(64, 112, 112), (64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]
SECONDS = 0.15  # a measurement


def best(f) -> float:
    """Returns the shortest time of f in ms."""
    f()
    shortest, begin = 1e9, time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        f()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest * 1e3


def convolution(n: int, layer: str, direction: str, form):
    c, k, h, w, size, stride, pad = LAYERS[layer]
    x = torch.rand(n, c, h, w).contiguous(memory_format=form)
    weight = torch.rand(k, c, size, size).contiguous(memory_format=form)
    if direction == "forward":
        return lambda: F.conv2d(x, weight, None, stride, pad)
    dy = torch.rand_like(F.conv2d(x, weight, None, stride, pad))
    mask = [direction == "input", direction == "weight", False]
    return lambda: torch.ops.aten.convolution_backward(dy, x, weight, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask)


def memory(n: int, shape, kernel: str, form):
    x, z = (torch.rand(n, *shape).contiguous(memory_format=form) for _ in range(2))
    g, b, rm, rv = (torch.rand(shape[0]) for _ in range(4))
    norm = lambda v: F.batch_norm(v, rm, rv, g, b, True, 0.1, 1e-5)
    forward = {
        "norm-relu": lambda v: norm(v).relu_(), "norm-add-relu": lambda v: norm(v).add_(z).relu_(), "add-relu": lambda v: (v + z).relu_(),
        "max-pool": lambda v: F.max_pool2d(v, 3, 2, 1), "average-pool": lambda v: v.mean((2, 3)),
    }
    if not kernel.endswith("-grad"):
        return lambda: forward[kernel](x)
    x.requires_grad_()
    g.requires_grad_()
    b.requires_grad_()
    if kernel == "norm-add-relu-grad":
        z.requires_grad_()
    y = forward[kernel.removesuffix("-grad")](x)
    dy = torch.rand(y.shape).contiguous(memory_format=form) if y.dim() == 4 else torch.rand(y.shape)
    wanted = [v for v in (x, g, b, z) if v.requires_grad] if "norm" in kernel else [x]
    return lambda: torch.autograd.grad(y, wanted, dy, retain_graph=True)


class BasicBlock(nn.Module):
    """As torchvision.models.resnet.BasicBlock."""

    def __init__(self, c: int, k: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, k, 3, stride, 1, bias=False), nn.BatchNorm2d(k)
        self.conv2, self.bn2 = nn.Conv2d(k, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k)) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)).add_(self.downsample(x)))


def network(name: str, backward: str, form):
    n, c, h, w = {"audio": (16, 1, 257, 188), "visual": (48, 3, 224, 224)}[name]
    layers = [nn.Conv2d(c, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    at = 64
    for k in (64, 128, 256, 512):
        layers += [BasicBlock(at, k, 1 if at == k else 2), BasicBlock(k, k, 1)]
        at = k
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1)).to(memory_format=form).train()
    x = torch.rand(n, c, h, w).contiguous(memory_format=form)

    def step():
        with torch.set_grad_enabled(backward == "true"):
            y = net(x)
            if backward == "true":
                for p in net.parameters():
                    p.grad = None
                y.backward(torch.ones_like(y))

    return step


def ours(binary: str, row: str):
    """Returns best ms and rate of one row."""
    name = "/".join(f"^{re.escape(part)}$" for part in row.split("/"))
    out = subprocess.run([binary, "-test.run", "^$", "-test.bench", name, "-test.benchtime", f"{SECONDS}s"], capture_output=True, text=True, check=True).stdout
    line = next(l for l in out.splitlines() if l.startswith("Benchmark"))
    return float(re.search(r"([\d.e+]+) best-ms", line)[1]), float(re.search(r"([\d.e+]+) (?:GFLOP|GB|images)/s", line)[1])


def rows():
    for n in (16, 48):
        for layer, shape in LAYERS.items():
            for direction in ("forward", "input", "weight"):
                if shape[0] >= 16 or direction != "input":
                    yield f"BenchmarkConv/{n}/{layer}/{direction}", lambda form, a=(n, layer, direction): convolution(*a, form)
        for shape in STAGES:
            for kernel in ("norm-relu", "norm-relu-grad", "norm-add-relu", "norm-add-relu-grad", "add-relu", "max-pool", "max-pool-grad", "average-pool", "average-pool-grad"):
                name = "x".join(map(str, shape))
                yield f"BenchmarkMemory/{n}/{name}/{kernel}", lambda form, a=(n, shape, kernel): memory(*a, form)


    for name in ("audio", "visual"):
        for backward in ("false", "true"):
            yield f"BenchmarkResNet18/{name}/backward={backward}/exact=false", lambda form, a=(name, backward): network(*a, form)


def main(binary: str, rounds: int = 2, pattern: str = "") -> None:
    torch.set_num_threads(2)
    print(f"{'':46}{'ours ms':>9}{'torch ms':>10}{'ch.last':>9}{'ratio':>7}{'rate':>8}")
    for row, make in rows():
        if pattern not in row:
            continue
        times, rate = [1e9] * 3, 0.0
        with torch.set_grad_enabled("grad" in row):
            theirs = [make(torch.contiguous_format), make(torch.channels_last)]
            for _ in range(rounds):
                ms, r = ours(binary, row)
                times[0], rate = min(times[0], ms), max(rate, r)
                for i, f in enumerate(theirs):
                    times[i + 1] = min(times[i + 1], best(f))
        print(f"{row:46}{times[0]:9.2f}{times[1]:10.2f}{times[2]:9.2f}{min(times[1:]) / times[0]:7.2f}{rate:8.1f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *(int(v) for v in sys.argv[2:3]), *sys.argv[3:4])
