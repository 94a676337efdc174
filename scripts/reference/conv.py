#!/usr/bin/python3
"""Writes the fixture that pkg/kernel/dnn's tests hold convolution networks to, with PyTorch (Debian: python3-torch).

The network is the beginning of a ResNet on 2 frames of 4 samples, averaged over frames, in training:

    conv 3->16, 7x7/2 | batch norm | ReLU | max pool 3x3/2 | BasicBlock 16->32, stride 2, with downsample | average pool

Input, parameters and the upstream gradient are numbers that both sides compute (values below), so only results are kept:
the output, the gradient of every parameter and of the block's input, and the running statistics after one step.

    scripts/reference/conv.py pkg/kernel/dnn/testdata
"""
import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

SAMPLES, FRAMES = 4, 2


def values(name: str, shape, scale: float, offset: float = 0.0) -> torch.Tensor:
    """Numbers in [offset - scale, offset + scale), from a multiplicative hash of the place; the name seeds it."""
    seed = 0
    for byte in name.encode():
        seed = (seed * 31 + byte) & 0xFFFFFFFF
    place = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed)
    mixed = (place * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
    mixed = ((mixed ^ (mixed >> np.uint64(15))) * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    unit = (mixed >> np.uint64(8)).astype(np.float32) / np.float32(1 << 24)
    return torch.from_numpy((unit * np.float32(2) - np.float32(1)) * np.float32(scale) + np.float32(offset)).reshape(shape)


class BasicBlock(nn.Module):
    """As torchvision.models.resnet.BasicBlock."""

    def __init__(self, c: int, k: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(k)
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(k)
        self.downsample = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = BasicBlock(16, 32, 2)

    def forward(self, x):
        self.features = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        self.features.retain_grad()
        y = self.layer1(self.features)
        return y.reshape(SAMPLES, FRAMES, *y.shape[1:]).mean((1, 3, 4))


def main(folder: str) -> None:
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    net = Network().train()
    with torch.no_grad():
        for name, p in net.named_parameters():
            if p.dim() == 4:
                p.copy_(values(name, p.shape, (3 / (p[0].numel())) ** 0.5))
            else:
                p.copy_(values(name, p.shape, 0.5, 1.0 if name.endswith("weight") else 0.0))
    y = net(values("x", (SAMPLES * FRAMES, 3, 61, 61), 1.0))
    y.backward(values("dy", y.shape, 1.0))

    tensors = {"y": y.detach(), "features.grad": net.features.grad}
    tensors.update((name + ".grad", p.grad) for name, p in net.named_parameters())
    tensors.update((name, b) for name, b in net.named_buffers() if b.dim() == 1)
    index, offset, data = [], 0, b""
    for name, t in tensors.items():
        index.append({"name": name, "offset": offset, "size": t.numel()})
        offset += t.numel()
        data += t.contiguous().numpy().astype("<f4").tobytes()
    out = pathlib.Path(folder)
    (out / "block.json").write_text(json.dumps({"torch": torch.__version__, "tensors": index}, indent=1) + "\n")
    (out / "block.f32").write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
