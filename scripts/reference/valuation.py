#!/usr/bin/python3
"""Writes what each modality contributes to each sample of small random models, one a fusion, for every value, absence and label, in NumPy.

Independent of the Go code: all in float64, every coalition by a forward pass of its own with the features of absent
modalities put in place, and Shapley values as means over all orders in which the modalities present may join.

usage: valuation.py [FOLDER]    (default: pkg/valuation/testdata, which gets valuation-FUSION.json.gz)
"""
import base64
import gzip
import itertools
import json
import os
import platform
import sys

import numpy as np

SEED = 20240906
SIZES, HIDDEN, CLASSES, ROWS, REFERENCE = {"audio": 4, "image": 6, "text": 3}, 5, 4, 16, 12
VALUES = ["published", "right", "probability", "log-probability", "margin", "negative-loss"]
ABSENCES = ["zero-feature", "mean-feature", "zero-input", "mean-input", "marginal"]
NAMES = list(SIZES)
N = len(NAMES)
WIDTH, HEADS = 6, 2  # of gated and attention
FUSIONS = {"concat": "concat", "film": "film", "gated": f"gated:{WIDTH}", "attention": f"attention:{HEADS}:{WIDTH}"}


def tensor(a):
    """An array as a fixture's tensor (see README.md)."""
    a = np.ascontiguousarray(a)
    kind = {"float32": "<f4", "float64": "<f8", "int32": "<i4"}[a.dtype.name]
    return {"shape": list(a.shape), "dtype": a.dtype.name, "data": base64.b64encode(a.astype(kind).tobytes()).decode()}


def model(rng, fusion):
    """Weights by PyTorch's names: a layer with ReLU a modality, a fusion of the features, a linear head."""
    w = {}

    def linear(name, out, into, bias=True):
        w[f"{name}.weight"] = rng.normal(size=(out, into)) / 2
        if bias:
            w[f"{name}.bias"] = rng.normal(size=out) / 2

    for name, size in SIZES.items():
        w[f"backbones.{name}.0.weight"] = rng.normal(size=(HIDDEN, size))
        w[f"backbones.{name}.0.bias"] = rng.normal(size=HIDDEN) / 2
    width = WIDTH
    if fusion == "concat":
        width = HIDDEN * N
    elif fusion == "film":
        width = HIDDEN
        linear("fusion.fc", 2 * HIDDEN, HIDDEN * (N - 1))
    elif fusion == "gated":
        for name in NAMES:
            linear(f"fusion.hidden.{name}", WIDTH, HIDDEN, bias=False)
            linear(f"fusion.gates.{name}", WIDTH, HIDDEN * N, bias=False)
    else:
        for name in NAMES:
            linear(f"fusion.tokens.{name}", WIDTH, HIDDEN)
        w["fusion.attention.in_proj_weight"] = rng.normal(size=(3 * WIDTH, WIDTH)) / 2
        w["fusion.attention.in_proj_bias"] = rng.normal(size=3 * WIDTH) / 2
        linear("fusion.attention.out_proj", WIDTH, WIDTH)
    linear("head", CLASSES, width)
    return {k: v.astype(np.float32) for k, v in w.items()}


def samples(rng, rows):
    """Inputs, which modalities are there, labels. Half of the rows lack nothing."""
    x = {name: rng.normal(size=(rows, size)).astype(np.float32) for name, size in SIZES.items()}
    keep = (rng.random((rows, N)) < 0.75).astype(np.int32)
    keep[::2] = 1
    keep[1] = [0, 1, 0]
    return x, keep, rng.integers(CLASSES, size=rows).astype(np.int32)


def feature(w, name, x):
    return np.maximum(x.astype(np.float64) @ w[f"backbones.{name}.0.weight"].astype(np.float64).T + w[f"backbones.{name}.0.bias"], 0)


def logits(w, fusion, features):
    """The logits of one sample from its features; None is a modality that is not there."""
    w = {k: v.astype(np.float64) for k, v in w.items()}
    z = [np.zeros(HIDDEN) if f is None else f for f in features]
    if fusion == "film":  # the others modulate the last
        gamma, beta = np.split(w["fusion.fc.weight"] @ np.concatenate(z[:-1]) + w["fusion.fc.bias"], 2)
        fused = gamma * z[-1] + beta
    elif fusion == "gated":
        fused = sum(np.tanh(w[f"fusion.hidden.{n}.weight"] @ z[i]) / (1 + np.exp(-w[f"fusion.gates.{n}.weight"] @ np.concatenate(z)))
                    for i, n in enumerate(NAMES))
    elif fusion == "attention":
        fused = attention(w, [w[f"fusion.tokens.{n}.weight"] @ features[i] + w[f"fusion.tokens.{n}.bias"]
                              for i, n in enumerate(NAMES) if features[i] is not None])
    else:
        fused = np.concatenate(z)
    return w["head.weight"] @ fused + w["head.bias"]


def attention(w, tokens):
    """The mean of tokens and of what each makes of all by multi-head attention; of none it is zero."""
    if not tokens:
        return np.zeros(WIDTH)
    t = np.stack(tokens)
    q, k, v = np.split(t @ w["fusion.attention.in_proj_weight"].T + w["fusion.attention.in_proj_bias"], 3, axis=1)
    d = WIDTH // HEADS
    heads = []
    for h in range(HEADS):
        part = slice(h * d, (h + 1) * d)
        a = np.exp(q[:, part] @ k[:, part].T / np.sqrt(d))
        heads.append(a / a.sum(1, keepdims=True) @ v[:, part])
    u = np.concatenate(heads, 1) @ w["fusion.attention.out_proj.weight"].T + w["fusion.attention.out_proj.bias"]
    return (t + u).mean(0)


def worth(value, x, label, size):
    p = np.exp(x - x.max())
    p /= p.sum()
    right = int(np.argmax(x)) == label
    return {
        "published": size * right, "right": float(right), "probability": p[label], "log-probability": np.log(p[label]),
        "margin": x[label] - np.delete(x, label).max(), "negative-loss": -(np.log(np.exp(x - x.max()).sum()) + x.max() - x[label]),
    }[value]


def stand_ins(w, absence, x, keep):
    """The features that stand in for absent modalities: a list of draws, each an array, or None, a modality."""
    if absence == "zero-feature":
        return [[None] * N]
    if absence == "zero-input":
        return [[feature(w, n, np.zeros(SIZES[n])) for n in NAMES]]
    have = [keep[:, i] == 1 for i in range(N)]
    if absence == "mean-feature":
        return [[feature(w, n, x[n][have[i]]).mean(0) for i, n in enumerate(NAMES)]]
    if absence == "mean-input":
        return [[feature(w, n, x[n][have[i]].astype(np.float64).mean(0)) for i, n in enumerate(NAMES)]]
    return [[feature(w, n, x[n][row]) for n in NAMES] for row in range(len(keep)) if keep[row].all()]


def value_sample(w, fusion, features, present, label, value, draws, smallest):
    """phi, (N), of one sample; NaN where it lacks the modality."""
    def v(coalition):
        if not coalition and value == "published":
            return 0.0
        total = 0.0
        for draw in draws:
            # a modality that the sample lacks is no player, and not there
            y = logits(w, fusion, [features[i] if i in coalition else draw[i] if i in present else None for i in range(N)])
            top = np.sort(y)
            smallest[0] = min(smallest[0], top[-1] - top[-2])
            total += worth(value, y, label, len(coalition))
        return total / len(draws)

    values = {frozenset(c): v(frozenset(c)) for k in range(len(present) + 1) for c in itertools.combinations(present, k)}
    phi, orders = np.full(N, np.nan), list(itertools.permutations(present))
    phi[list(present)] = 0
    for order in orders:
        for k, i in enumerate(order):
            phi[i] += (values[frozenset(order[:k + 1])] - values[frozenset(order[:k])]) / len(orders)
    return phi


def write(folder, fusion, seed):
    rng = np.random.default_rng(seed)
    w = model(rng, fusion)
    x, keep, label = samples(rng, ROWS)
    rx, rkeep, rlabel = samples(rng, REFERENCE)
    smallest, cases = [np.inf], []
    features = [[feature(w, n, x[n][row]) for n in NAMES] for row in range(ROWS)]
    whole = np.stack([logits(w, fusion, [features[row][i] if keep[row][i] else None for i in range(N)]) for row in range(ROWS)])
    for absence in ABSENCES:
        draws = stand_ins(w, absence, rx, rkeep)
        for value in VALUES:
            for labels in ("given", "predicted"):
                phi = [value_sample(w, fusion, features[row], [i for i in range(N) if keep[row][i]],
                                    int(label[row] if labels == "given" else whole[row].argmax()), value, draws, smallest) for row in range(ROWS)]
                cases.append({"absence": absence, "value": value, "label": labels, "phi": tensor(np.array(phi))})
    # what is right must not hang on the last bits of a logit
    assert smallest[0] > 1e-4, f"{fusion}: two logits lie {smallest[0]} apart: take another seed"
    fixture = {
        "header": {"command": "python3 scripts/reference/valuation.py", "numpy": np.__version__, "python": platform.python_version(), "seed": seed},
        "fusion": FUSIONS[fusion],
        "modalities": [{"name": n, "size": s, "backbone": f"mlp:{HIDDEN}"} for n, s in SIZES.items()], "classes": CLASSES,
        "parameters": {k: tensor(v) for k, v in w.items()},
        "samples": {"x": {n: tensor(a) for n, a in x.items()}, "keep": tensor(keep), "label": tensor(label)},
        "reference": {"x": {n: tensor(a) for n, a in rx.items()}, "keep": tensor(rkeep), "label": tensor(rlabel)},
        "logits": tensor(whole), "cases": cases,
    }
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"valuation-{fusion}.json.gz")
    raw = gzip.compress((json.dumps(fixture, separators=(",", ":")) + "\n").encode(), 9, mtime=0)
    with open(path, "wb") as f:
        f.write(raw)
    print(f"{path}: {len(raw)} bytes, {len(cases)} cases, logits at least {smallest[0]:.2g} apart", file=sys.stderr)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "pkg/valuation/testdata"
    for k, fusion in enumerate(FUSIONS):
        write(folder, fusion, SEED + k)


if __name__ == "__main__":
    main()
