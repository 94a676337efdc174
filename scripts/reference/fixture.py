"""Writing fixtures: JSON whose arrays are base64 of little-endian numbers, gzip with no time, so that a run repeats to the byte."""
import base64
import gzip
import json
import os
import platform
import subprocess
import sys

import numpy as np
import torch

DTYPES = {"float32": "<f4", "float64": "<f8", "int32": "<i4"}


def tensor(t):
    """A torch tensor or NumPy array of float32, float64, int32 or int64 (written as int32) as a fixture's tensor."""
    a = t.detach().numpy() if isinstance(t, torch.Tensor) else np.asarray(t)
    if a.dtype == np.int64:
        a = a.astype(np.int32)
    data = np.ascontiguousarray(a).astype(DTYPES[a.dtype.name]).tobytes()
    return {"shape": list(a.shape), "dtype": a.dtype.name, "data": base64.b64encode(data).decode()}


def header(seed=None):
    """How and with what a fixture was made."""
    h = {"command": "python3 scripts/reference/" + os.path.basename(sys.argv[0]),
         "torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
    package = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "python3-torch"], capture_output=True, text=True, check=False) \
        if os.path.exists("/usr/bin/dpkg-query") else None
    if package and package.returncode == 0:
        h["debian"] = package.stdout
    if seed is not None:
        h["seed"] = seed
    return h


def write(path, fixture):
    """Writes a fixture, compressed where path ends in .gz, and says so."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    text = (json.dumps(fixture, separators=(",", ":")) + "\n").encode()
    if path.endswith(".gz"):
        text = gzip.compress(text, 9, mtime=0)
    with open(path, "wb") as f:
        f.write(text)
    print(f"{path}: {len(text)} bytes", file=sys.stderr)
