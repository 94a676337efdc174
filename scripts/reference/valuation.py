#!/usr/bin/python3
"""Writes what each modality contributes to each sample of a small random model, for every value, absence and label, in NumPy.

Independent of the Go code: all in float64, every coalition by a forward pass of its own with the features of absent
modalities put in place, and Shapley values as means over all orders in which the modalities present may join.

usage: valuation.py [FILE]    (default: pkg/valuation/testdata/valuation.json.gz)
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


def tensor(a):
    """An array as a fixture's tensor (see README.md)."""
    a = np.ascontiguousarray(a)
    kind = {"float32": "<f4", "float64": "<f8", "int32": "<i4"}[a.dtype.name]
    return {"shape": list(a.shape), "dtype": a.dtype.name, "data": base64.b64encode(a.astype(kind).tobytes()).decode()}


def model(rng):
    """Weights by PyTorch's names: a layer with ReLU a modality, a linear head on the features side by side."""
    w = {}
    for name, size in SIZES.items():
        w[f"backbones.{name}.0.weight"] = rng.normal(size=(HIDDEN, size))
        w[f"backbones.{name}.0.bias"] = rng.normal(size=HIDDEN) / 2
    w["head.weight"] = rng.normal(size=(CLASSES, HIDDEN * N)) / 2
    w["head.bias"] = rng.normal(size=CLASSES) / 2
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


def logits(w, features):
    return np.concatenate(features) @ w["head.weight"].astype(np.float64).T + w["head.bias"]


def worth(value, x, label, size):
    p = np.exp(x - x.max())
    p /= p.sum()
    right = int(np.argmax(x)) == label
    return {
        "published": size * right, "right": float(right), "probability": p[label], "log-probability": np.log(p[label]),
        "margin": x[label] - np.delete(x, label).max(), "negative-loss": -(np.log(np.exp(x - x.max()).sum()) + x.max() - x[label]),
    }[value]


def stand_ins(w, absence, x, keep):
    """The features that stand in for absent modalities: a list of draws, each an array a modality."""
    zeros = [np.zeros(HIDDEN) for _ in NAMES]
    if absence == "zero-feature":
        return [zeros]
    if absence == "zero-input":
        return [[feature(w, n, np.zeros(SIZES[n])) for n in NAMES]]
    have = [keep[:, i] == 1 for i in range(N)]
    if absence == "mean-feature":
        return [[feature(w, n, x[n][have[i]]).mean(0) for i, n in enumerate(NAMES)]]
    if absence == "mean-input":
        return [[feature(w, n, x[n][have[i]].astype(np.float64).mean(0)) for i, n in enumerate(NAMES)]]
    return [[feature(w, n, x[n][row]) for n in NAMES] for row in range(len(keep)) if keep[row].all()]


def value_sample(w, features, present, label, value, draws, smallest):
    """phi, (N), of one sample; NaN where it lacks the modality."""
    def v(coalition):
        if not coalition and value == "published":
            return 0.0
        total = 0.0
        for draw in draws:
            # a modality that the sample lacks is no player, and its feature is zero
            z = [features[i] if i in coalition else draw[i] if i in present else np.zeros(HIDDEN) for i in range(N)]
            y = logits(w, z)
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


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "pkg/valuation/testdata/valuation.json.gz"
    rng = np.random.default_rng(SEED)
    w = model(rng)
    x, keep, label = samples(rng, ROWS)
    rx, rkeep, rlabel = samples(rng, REFERENCE)
    smallest, cases = [np.inf], []
    features = [[feature(w, n, x[n][row]) for n in NAMES] for row in range(ROWS)]
    whole = np.stack([logits(w, [features[row][i] if keep[row][i] else np.zeros(HIDDEN) for i in range(N)]) for row in range(ROWS)])
    for absence in ABSENCES:
        draws = stand_ins(w, absence, rx, rkeep)
        for value in VALUES:
            for labels in ("given", "predicted"):
                phi = [value_sample(w, features[row], [i for i in range(N) if keep[row][i]],
                                    int(label[row] if labels == "given" else whole[row].argmax()), value, draws, smallest) for row in range(ROWS)]
                cases.append({"absence": absence, "value": value, "label": labels, "phi": tensor(np.array(phi))})
    # what is right must not hang on the last bits of a logit
    assert smallest[0] > 1e-4, f"two logits lie {smallest[0]} apart: take another seed"
    fixture = {
        "header": {"command": "python3 scripts/reference/valuation.py", "numpy": np.__version__, "python": platform.python_version(), "seed": SEED},
        "modalities": [{"name": n, "size": s, "backbone": f"mlp:{HIDDEN}"} for n, s in SIZES.items()], "classes": CLASSES,
        "parameters": {k: tensor(v) for k, v in w.items()},
        "samples": {"x": {n: tensor(a) for n, a in x.items()}, "keep": tensor(keep), "label": tensor(label)},
        "reference": {"x": {n: tensor(a) for n, a in rx.items()}, "keep": tensor(rkeep), "label": tensor(rlabel)},
        "logits": tensor(whole), "cases": cases,
    }
    os.makedirs(os.path.dirname(path), exist_ok=True)
    raw = gzip.compress((json.dumps(fixture, separators=(",", ":")) + "\n").encode(), 9, mtime=0)
    with open(path, "wb") as f:
        f.write(raw)
    print(f"{path}: {len(raw)} bytes, {len(cases)} cases, logits at least {smallest[0]:.2g} apart", file=sys.stderr)


if __name__ == "__main__":
    main()
