#!/usr/bin/python3
"""What PyTorch computes for the published network, scaled down: ResNet-18 for audio and for two frames of video, their features
joined, masked where a modality is absent, and one linear head. README.md describes the format.

usage: resnet.py [OUT]        (default: pkg/train/testdata/resnet18.json.gz, from the repository's root)

The 22 million initial weights are not in the file: both sides compute them. Element i of the tensor NAME is

    u = splitmix64(fnv1a64(NAME) + i) >> 40, scaled to [-1, 1) in steps of 2^-23
    sqrt(6 / fan_out) u   a convolution      1 + 0.2 u   a norm's weight       0.1 u      a norm's bias
    u / sqrt(in)          a linear layer     0.1 u       a running mean        1 + 0.5 u  a running variance

in float64, rounded to float32. Inputs are u, by the names in INPUTS.
"""
import copy
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import fixture

CLASSES, ROWS, STEPS = 5, 6, 10
AUDIO, VISUAL = (1, 1, 33, 35), (2, 3, 32, 32)  # frames, channels, height, width
# Of 300 names each, those whose activations stay furthest from where a rounding changes a gradient, MARGIN or more: from 0 before a
# ReLU, and from each other in a max pooling.
INPUTS, MARGIN = {"audio": "x.audio.140", "visual": "x.visual.295"}, 1e-5
# Adam divides a gradient by its own size, so that where one is near zero rounding decides; a large epsilon keeps float32 a judge.
RUNS = [
    {"name": "sgd", "optimizer": "sgd", "lr": 4e-6, "momentum": 0.9, "weight_decay": 1e-4},
    {"name": "adam", "optimizer": "adam", "lr": 2e-6, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-2, "weight_decay": 1e-4},
]
# Tensors kept whole; of all others a sum, the norm, and the product with a drawn vector.
WHOLE = ["backbones.audio.conv1.weight", "backbones.visual.conv1.weight", "backbones.audio.bn1.weight", "backbones.visual.bn1.bias",
         "backbones.audio.layer4.1.bn2.weight", "backbones.visual.layer4.1.bn2.bias", "backbones.visual.layer4.0.downsample.1.weight",
         "backbones.audio.bn1.running_mean", "backbones.visual.bn1.running_var", "backbones.visual.layer4.1.bn2.running_var",
         "head.weight", "head.bias"]
# How far the losses of PyTorch's float32, and of its float64 from weights that are 1e-7 off, may be from float64's: the tests hold
# ours to 1e-4. Larger steps go where a rounding decides which side of a ReLU an activation is on.
STEADY = 2e-5


class Block(nn.Module):
    """The basic block of He et al. (2016), named as torchvision names it."""

    def __init__(self, c, k, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, k, 3, stride, 1, bias=False), nn.BatchNorm2d(k)
        self.conv2, self.bn2 = nn.Conv2d(k, k, 3, 1, 1, bias=False), nn.BatchNorm2d(k)
        self.downsample = None
        if stride != 1 or c != k:
            self.downsample = nn.Sequential(nn.Conv2d(c, k, 1, stride, bias=False), nn.BatchNorm2d(k))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """torchvision.models.resnet18, and with blocks (3,4,6,3) resnet34; without its last layer where classes is None."""

    def __init__(self, channels, blocks=(2, 2, 2, 2), classes=None):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        c = 64
        for i, n in enumerate(blocks):
            k = 64 << i
            layer = [Block(c if j == 0 else k, k, 2 if i > 0 and j == 0 else 1) for j in range(n)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
            c = k
        self.fc = nn.Linear(512, classes) if classes else None

    def forward(self, x):
        """x (B,T,C,H,W): every frame through the network, the features averaged: (B,512)."""
        b, t = x.shape[:2]
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x.flatten(0, 1)))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean((2, 3)).reshape(b, t, -1).mean(1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbones = nn.ModuleDict({"audio": ResNet(1), "visual": ResNet(3)})
        self.head = nn.Linear(1024, CLASSES)

    def forward(self, x, keep):
        z = [b(x[name]) * keep[:, i:i + 1] for i, (name, b) in enumerate(self.backbones.items())]
        return self.head(torch.cat(z, 1))


def uniform(name, n):
    """u of the first n elements of a tensor, float64."""
    h = 0xcbf29ce484222325
    for c in name.encode():
        h = (h ^ c) * 0x100000001b3 & 0xffffffffffffffff
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(n, dtype=np.uint64) + np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2 ** 23 - 1


def initial(name, shape):
    """The initial value of a parameter or buffer."""
    u, last = uniform(name, math.prod(shape)), name.rsplit(".", 1)[1]
    if len(shape) == 4:
        u = math.sqrt(6 / (shape[0] * shape[2] * shape[3])) * u
    elif name.startswith(("head", "fc")):
        u = u / math.sqrt(1024)
    elif last in ("weight", "running_var"):
        u = 1 + (0.2 if last == "weight" else 0.5) * u
    else:
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32)).reshape(shape)


def draw(model):
    for name, t in model.state_dict().items():
        if t.is_floating_point():
            t.copy_(initial(name, tuple(t.shape)))


def maps(name, shape):
    """An input of ROWS samples of the given shape."""
    return torch.from_numpy(uniform(name, ROWS * math.prod(shape)).astype(np.float32)).reshape(ROWS, *shape)


def batch():
    """Every coalition among the masks, labels in turn, weights from 0.5."""
    keep = torch.tensor([[float(1 + i % 3 >> p & 1) for p in range(2)] for i in range(ROWS)])
    return {"x": {"audio": maps(INPUTS["audio"], AUDIO), "visual": maps(INPUTS["visual"], VISUAL)}, "keep": keep,
            "label": torch.arange(ROWS) * 2 % CLASSES, "weight": 0.5 + 0.25 * torch.arange(ROWS)}


def double(b):
    return {"x": {k: v.double() for k, v in b["x"].items()}, "keep": b["keep"].double(), "label": b["label"], "weight": b["weight"].double()}


def loss_of(model, b):
    logits = model(b["x"], b["keep"])
    return logits, (b["weight"] * F.cross_entropy(logits, b["label"], reduction="none")).mean()


def summary(named):
    """Of every tensor [sum, norm, product with uniform(NAME)], in float64."""
    out = {}
    for name, t in named:
        a = t.detach().double().numpy().ravel()
        out[name] = [a.sum(), math.sqrt((a * a).sum()), (a * uniform(name, a.size)).sum()]
    return out


def buffers(model):
    return [(n, t) for n, t in model.named_buffers() if t.is_floating_point()]


def whole(named):
    return {name: fixture.tensor(t.float()) for name, t in named if name in WHOLE}


def step(model, b):
    """The first step's numbers, of a copy."""
    model = copy.deepcopy(model)
    evaluated = model.eval()(b["x"], b["keep"])
    logits, loss = loss_of(model.train(), b)
    loss.backward()
    grads = [(n, p.grad) for n, p in model.named_parameters()]
    return {"evaluated": fixture.tensor(evaluated.float()), "logits": fixture.tensor(logits.float()), "loss": loss.item(),
            "gradients": whole(grads), "gradient_sums": summary(grads),
            "buffers": whole(buffers(model)), "buffer_sums": summary(buffers(model))}


def train(model, b, o):
    """The losses before each step, and the model after the last."""
    model = copy.deepcopy(model).train()
    if o["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=o["lr"], momentum=o["momentum"], weight_decay=o["weight_decay"])
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=o["lr"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"], weight_decay=o["weight_decay"])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        _, loss = loss_of(model, b)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "buffer_sums": summary(buffers(model))}


def margin(model, b):
    """How near the activations of a step come to where a rounding changes a gradient."""
    near, relu, max_pool = [], F.relu, F.max_pool2d

    def watched_relu(x):
        near.append(x.abs().min().item())
        return relu(x)

    def watched_pool(x, k, stride, pad):
        inside = math.prod(k) if isinstance(k, tuple) else k * k
        first, second = F.unfold(x, k, padding=pad, stride=stride).view(*x.shape[:2], inside, -1).topk(2, 2).values.unbind(2)
        near.append((first - second)[first > 0].min().item())
        return max_pool(x, k, stride, pad)

    F.relu, F.max_pool2d = watched_relu, watched_pool
    with torch.no_grad():
        copy.deepcopy(model).train()(b["x"], b["keep"])
    F.relu, F.max_pool2d = relu, max_pool
    return min(near)


def nudged(model):
    """A copy whose parameters are off by up to 1e-7 of themselves."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p *= 1 + 1e-7 * torch.from_numpy(uniform("nudge." + name, p.numel())).reshape(p.shape)
    return model


def distance(single, exact):
    """The largest distance of two summaries, of the norm."""
    return max(abs(a - b) / exact[n][1] for n in exact for a, b in zip(single[n][1:], exact[n][1:]))


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "pkg/train/testdata/resnet18.json.gz"
    torch.set_num_threads(1)
    model, b = Model(), batch()
    draw(model)
    exact = copy.deepcopy(model).double()
    found = margin(exact, double(b))
    print(f"margin: {found:.1e}", file=sys.stderr)
    if found < MARGIN:
        sys.exit(f"resnet.py: no judge of gradients: a margin of less than {MARGIN}: choose other INPUTS")
    result = {"header": fixture.header(), "classes": CLASSES, "rows": ROWS, "steps": STEPS, "audio": AUDIO, "visual": VISUAL, "inputs": INPUTS,
              "keep": fixture.tensor(b["keep"]), "label": fixture.tensor(b["label"]), "weight": fixture.tensor(b["weight"]),
              "step": step(exact, double(b)), "runs": []}
    single = step(model, b)
    for what in ("gradient_sums", "buffer_sums"):
        print(f"{what}: float32 {distance(single[what], result['step'][what]):.1e} from float64", file=sys.stderr)
    for o in RUNS:
        judge = train(exact, double(b), o)
        print(f"{o['name']}: losses {judge['losses'][0]:.4f} to {judge['losses'][-1]:.4f}", file=sys.stderr)
        for what, other in (("float32", train(model, b, o)), ("nudged", train(nudged(exact), double(b), o))):
            off = max(abs(x - y) / y for x, y in zip(other["losses"], judge["losses"]))
            print(f"  {what}: losses {off:.1e} off, statistics {distance(other['buffer_sums'], judge['buffer_sums']):.1e}", file=sys.stderr)
            if off > STEADY:
                sys.exit(f"resnet.py: {o['name']}: no judge at 1e-4: choose gentler settings")
        result["runs"].append(dict(o, **judge))
    fixture.write(out, result)


if __name__ == "__main__":
    main()
