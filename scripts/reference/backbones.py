#!/usr/bin/python3
"""What PyTorch computes for the backbones that resnet.py has not: ResNet-18 for the two channels of optical flow, the small convolution
network over two frames, and that over time, joined, with dropout before the head: one step, and the logits of every coalition in evaluation.
README.md describes the format; weights, inputs and the dropout's mask are numbers that both sides compute, as resnet.py says.

usage: backbones.py [OUT]        (default: pkg/train/testdata/backbones.json.gz, from the repository's root)
"""
import copy
import sys

import torch
import torch.nn.functional as F
from torch import nn

import fixture
import resnet
from resnet import CLASSES, ROWS

# As the samples hold them: (C,H,W), channels and steps, (T,C,H,W).
SHAPES = {"flow": (2, 33, 34), "sensor": (16, 11), "video": (2, 3, 9, 8)}
# Of names tried in turn, the first whose activations stay as far from a ReLU's zero as resnet.MARGIN says.
INPUTS = {"flow": "x.flow.0", "sensor": "x.sensor.0", "video": "x.video.0"}
COALITIONS = 1 << len(SHAPES)


class Convolutions(nn.Sequential):
    """The small networks: in each layer a convolution, a batch norm, ReLU, and a max pooling by 2 of what is larger than that."""

    def __init__(self, channels, widths, window):
        layers = []
        for k in widths:
            conv = nn.Conv2d(channels, k, window, padding=tuple(w // 2 for w in window), bias=False)
            layers.append(nn.Sequential(conv, nn.BatchNorm2d(k)))
            channels = k
        super().__init__(*layers)

    def forward(self, x):
        """x (B,T,C,H,W): every frame through the network, the features averaged over frames and pixels."""
        b, t = x.shape[:2]
        x = x.flatten(0, 1)
        for layer in self:
            x = F.relu(layer(x))
            pool = tuple(2 if side > 2 else 1 for side in x.shape[2:])
            if pool != (1, 1):
                x = F.max_pool2d(x, pool, pool, 0)
        return x.mean((2, 3)).reshape(b, t, -1).mean(1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbones = nn.ModuleDict({"flow": resnet.ResNet(2), "sensor": Convolutions(16, (16, 32), (1, 5)), "video": Convolutions(3, (16, 5), (3, 3))})
        self.head = nn.Linear(512 + 32 + 5, CLASSES)

    def forward(self, x, keep):
        z = torch.cat([b(x[name]) * keep[:, i:i + 1] for i, (name, b) in enumerate(self.backbones.items())], 1)
        if self.training:  # half of the features are dropped, the rest doubled
            z = z * 2 * torch.from_numpy(resnet.uniform("drop", z.numel()) >= 0).reshape(z.shape)
        return self.head(z)


def batch():
    n = len(SHAPES)
    x = {}
    for name, shape in SHAPES.items():
        frames = {2: lambda s: (1, s[0], 1, s[1]), 3: lambda s: (1, *s), 4: lambda s: s}[len(shape)](shape)
        x[name] = resnet.maps(INPUTS[name], frames)
    keep = torch.tensor([[float(1 + i % (COALITIONS - 1) >> p & 1) for p in range(n)] for i in range(ROWS)])
    return {"x": x, "keep": keep, "label": torch.arange(ROWS) * 2 % CLASSES, "weight": 0.5 + 0.25 * torch.arange(ROWS)}


def every_coalition(model, b):
    """Logits (coalitions,B,C) in evaluation; what a row lacks stays masked."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        return torch.stack([model(b["x"], b["keep"] * torch.tensor([float(c >> p & 1) for p in range(len(SHAPES))])) for c in range(COALITIONS)])


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "pkg/train/testdata/backbones.json.gz"
    torch.set_num_threads(1)
    resnet.WHOLE += ["backbones.video.0.0.weight", "backbones.video.1.1.running_var", "backbones.sensor.0.0.weight", "backbones.flow.conv1.weight"]
    model = Model()
    resnet.draw(model)
    exact = copy.deepcopy(model).double()
    for attempt in range(300):
        INPUTS.update({name: f"x.{name}.{attempt}" for name in INPUTS})
        found = resnet.margin(exact, resnet.double(batch()))
        if found >= resnet.MARGIN:
            break
    print(f"{INPUTS}: margin {found:.1e}", file=sys.stderr)
    if found < resnet.MARGIN:
        sys.exit(f"backbones.py: no judge of gradients: a margin of less than {resnet.MARGIN}")
    b = batch()
    judge, single = resnet.step(exact, resnet.double(b)), resnet.step(model, b)
    for what in ("gradient_sums", "buffer_sums"):
        print(f"{what}: float32 {resnet.distance(single[what], judge[what]):.1e} from float64", file=sys.stderr)
    fixture.write(out, {"header": fixture.header(), "classes": CLASSES, "rows": ROWS, "inputs": INPUTS, "keep": fixture.tensor(b["keep"]),
                        "label": fixture.tensor(b["label"]), "weight": fixture.tensor(b["weight"]), "step": judge,
                        "coalitions": fixture.tensor(every_coalition(exact, resnet.double(b)).float())})


if __name__ == "__main__":
    main()
