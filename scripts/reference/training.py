#!/usr/bin/python3
"""What PyTorch computes for small multimodal classifiers: logits, loss, gradients, and the weights after ten steps of each
optimizer. The Go tests hold training to these numbers. README.md describes the format.

usage: training.py [OUT]        (default: pkg/train/testdata/torch, from the repository's root)
"""
import copy
import sys

import torch
import torch.nn.functional as F
from torch import nn

import fixture
import fusion

STEPS = 10
# How far float32 may end from float64, of a tensor's largest element. Adam divides a gradient by its own size, so where one comes
# near zero, rounding alone moves the weight, and a test would compare roundings. The cases' seeds are such that none does.
STEADY = 1e-6
CLASSES = 5
ROWS = 9

# The optimizers, each with what torch.optim takes; clip_norm is clip_grad_norm_'s.
OPTIMIZERS = [
    {"name": "adam", "optimizer": "adam", "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-4},
    {"name": "sgd-momentum", "optimizer": "sgd", "lr": 1e-2, "momentum": 0.9, "weight_decay": 1e-4},
    {"name": "adamw", "optimizer": "adamw", "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-2},
    {"name": "sgd", "optimizer": "sgd", "lr": 1e-2, "momentum": 0.0, "weight_decay": 0.0},
    {"name": "adam-clipped", "optimizer": "adam", "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-4,
     "clip_norm": 0.5},
]

# The cases: modalities as (name, inputs, backbone). Hidden widths of 256 and more are those at which Gorgonia's own Concat goes
# wrong; they carry no float64, and but for one only the first two optimizers, to keep the files small. Attention is trained with SGD
# only: its softmax does not change with the bias of the keys, whose gradient is nothing but rounding, and Adam makes steps of it.
PAIR = [("audio", 7, "mlp:8"), ("visual", 5, "mlp:6")]
THREE = [("audio", 7, "mlp:8"), ("visual", 5, "linear:5"), ("text", 6, "identity")]
CASES = [
    {"name": "concat-256", "seed": 27, "fusion": "concat", "wide": True,
     "modalities": [("audio", 7, "mlp:256"), ("visual", 5, "mlp:256")]},
    {"name": "concat-512", "seed": 43, "fusion": "concat", "wide": True, "optimizers": 5,
     "modalities": [("audio", 7, "mlp:512"), ("visual", 5, "mlp:512")]},
    {"name": "concat-768", "seed": 55, "fusion": "concat", "wide": True,
     "modalities": [("audio", 7, "mlp:768"), ("visual", 5, "mlp:768")]},
    {"name": "two-layers", "seed": 4, "fusion": "concat",
     "modalities": [("audio", 7, "mlp:24,16"), ("visual", 5, "mlp:20,12")]},
    {"name": "three-modalities", "seed": 5, "fusion": "concat",
     "modalities": [("audio", 7, "mlp:16"), ("visual", 5, "linear:11"), ("text", 6, "identity")]},
    {"name": "sum", "seed": 6, "fusion": "sum",
     "modalities": [("audio", 7, "mlp:24"), ("visual", 5, "mlp:24"), ("text", 6, "mlp:24")]},
    {"name": "film", "seed": 7, "fusion": "film", "optimizers": 2, "modalities": PAIR},
    {"name": "film-three", "seed": 8, "fusion": "film:audio", "optimizers": 2, "modalities": THREE},
    {"name": "gated", "seed": 9, "fusion": "gated:10", "optimizers": 2, "modalities": PAIR},
    {"name": "gated-three", "seed": 10, "fusion": "gated:9", "optimizers": 2, "modalities": THREE},
    {"name": "attention", "seed": 11, "fusion": "attention:2:8", "sgd": True, "modalities": PAIR},
    {"name": "attention-three", "seed": 12, "fusion": "attention:3:12", "sgd": True, "modalities": THREE},
]


def backbone(inputs, spec):
    """A backbone as the tools name it: identity, linear:H, or mlp:H1,H2,... with a ReLU after each layer. Returns it and its width."""
    kind, _, widths = spec.partition(":")
    layers = []
    for width in [int(w) for w in widths.split(",") if w]:
        layers.append(nn.Linear(inputs, width))
        inputs = width
        if kind == "mlp":
            layers.append(nn.ReLU())
    return nn.Sequential(*layers), inputs


class Model(nn.Module):
    """Late fusion: a backbone a modality, masked features joined, one linear head."""

    def __init__(self, case):
        super().__init__()
        made = [backbone(inputs, spec) for _, inputs, spec in case["modalities"]]
        self.backbones = nn.ModuleDict({m[0]: b for m, (b, _) in zip(case["modalities"], made)})
        widths = [w for _, w in made]
        self.fusion = fusion.make(case["fusion"], [m[0] for m in case["modalities"]], widths)
        self.head = nn.Linear(self.fusion.width, CLASSES)

    def forward(self, x, keep):
        """x: a tensor (B,inputs) a modality; keep (B,n); returns logits (B,C)."""
        features = [b(x[name]) for name, b in self.backbones.items()]
        features = [f * keep[:, i:i + 1] for i, f in enumerate(features)]
        return self.head(self.fusion(features, keep))


def batch(case):
    """The minibatch: standard normal inputs, every coalition among the masks, labels, and weights from 0.25 to 2."""
    n = len(case["modalities"])
    x = {name: torch.randn(ROWS, inputs) for name, inputs, _ in case["modalities"]}
    coalitions = [1 + i % (2 ** n - 1) for i in range(ROWS)]
    keep = torch.tensor([[float(c >> i & 1) for i in range(n)] for c in coalitions])
    label = torch.randint(CLASSES, (ROWS,))
    weight = 0.25 + 1.75 * torch.rand(ROWS)
    return {"x": x, "keep": keep, "label": label, "weight": weight}


def loss_of(model, b):
    logits = model(b["x"], b["keep"])
    return logits, (b["weight"] * F.cross_entropy(logits, b["label"], reduction="none")).mean()


def parameters(model):
    return {name: fixture.tensor(p) for name, p in model.named_parameters()}


def first_step(model, b):
    """Logits, loss and gradients at the initial weights."""
    model.zero_grad()
    logits, loss = loss_of(model, b)
    loss.backward()
    return {"logits": fixture.tensor(logits), "loss": fixture.tensor(loss),
            "gradients": {name: fixture.tensor(p.grad) for name, p in model.named_parameters()}}


def make_optimizer(model, o):
    if o["optimizer"] == "sgd":
        return torch.optim.SGD(model.parameters(), lr=o["lr"], momentum=o["momentum"], weight_decay=o["weight_decay"])
    kind = torch.optim.Adam if o["optimizer"] == "adam" else torch.optim.AdamW
    return kind(model.parameters(), lr=o["lr"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"], weight_decay=o["weight_decay"])


def train(model, b, o):
    """The losses before each of the steps, and the model after the last."""
    model = copy.deepcopy(model)
    optimizer, losses = make_optimizer(model, o), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        _, loss = loss_of(model, b)
        loss.backward()
        if "clip_norm" in o:
            norm = nn.utils.clip_grad_norm_(model.parameters(), o["clip_norm"])
            assert norm > o["clip_norm"], "the gradient is too small to be clipped"
        optimizer.step()
        losses.append(loss.detach())
    return losses, model


def outcome(losses, model):
    return {"losses": fixture.tensor(torch.stack(losses)), "parameters": parameters(model)}


def check_steady(case, optimizer, single, judge):
    for (name, p), q in zip(single.named_parameters(), judge.parameters()):
        off = ((p.double() - q).abs().max() / q.abs().max()).item()
        if off > STEADY:
            sys.exit(f"training.py: {case}, {optimizer}: {name} ends {off:.1e} from float64: choose another seed")


def double(b):
    return {"x": {k: v.double() for k, v in b["x"].items()}, "keep": b["keep"].double(), "label": b["label"], "weight": b["weight"].double()}


def make(case):
    torch.manual_seed(case["seed"])
    model, b = Model(case), batch(case)
    wide, exact = case.get("wide", False), copy.deepcopy(model).double()
    out = {"header": fixture.header(case["seed"]), "name": case["name"], "fusion": case["fusion"], "classes": CLASSES, "rows": ROWS,
           "modalities": [{"name": n, "size": s, "backbone": k} for n, s, k in case["modalities"]],
           "x": {k: fixture.tensor(v) for k, v in b["x"].items()}, "keep": fixture.tensor(b["keep"]),
           "label": fixture.tensor(b["label"]), "weight": fixture.tensor(b["weight"]),
           "parameters": parameters(model), "float32": first_step(model, b), "training": []}
    if not wide:
        out["float64"] = first_step(exact, double(b))
    optimizers = [o for o in OPTIMIZERS if o["optimizer"] == "sgd"] if case.get("sgd") else OPTIMIZERS
    for o in optimizers[:case.get("optimizers", 2 if wide else 5)]:
        single, judge = train(model, b, o), train(exact, double(b), o)
        check_steady(case["name"], o["name"], single[1], judge[1])
        run = dict(o, steps=STEPS, float32=outcome(*single))
        if not wide:
            run["float64"] = outcome(*judge)
        out["training"].append(run)
    return out


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "pkg/train/testdata/torch"
    torch.set_num_threads(1)
    print(f"{fixture.header()}", file=sys.stderr)
    for case in CASES:
        fixture.write(f"{out}/{case['name']}.json.gz", make(case))


if __name__ == "__main__":
    main()
