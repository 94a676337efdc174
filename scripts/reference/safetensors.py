#!/usr/bin/python3
"""Reads and writes safetensors files in a few lines, so that the tools' files are held to PyTorch without a package of that format.

usage: safetensors.py fixtures                 what the Go tests read: pkg/checkpoint/testdata, pkg/network/testdata
       safetensors.py resnet18 FILE [CHANNELS]  a ResNet-18 as torchvision's state_dict, drawn by resnet.py's formula
       safetensors.py compare FILE [CHANNELS]   fails unless FILE loads into PyTorch's ResNet-18, name by name
"""
import json
import math
import struct
import sys

import numpy as np
import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}


def save(path, tensors):
    """Writes a dict of tensors."""
    names, header, data = {v: k for k, v in DTYPES.items()}, {}, b""
    for name, t in tensors.items():
        raw = t.contiguous().view(torch.int16 if t.dtype == torch.bfloat16 else t.dtype).numpy().tobytes()
        header[name] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def load(path):
    """Reads a dict of tensors."""
    with open(path, "rb") as f:
        raw = f.read()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    header, tensors = json.loads(raw[8:start]), {}
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        flat = np.frombuffer(raw[start + begin:start + end], dtype=np.uint8).copy()
        values = torch.from_numpy(flat).view(dtype) if len(flat) else torch.empty(0, dtype=dtype)
        assert values.numel() == math.prod(entry["shape"]), name
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def fixtures():
    """Every float type with its hard cases, and what PyTorch makes of them; the names and shapes of ResNet-18."""
    from resnet import ResNet
    values = torch.tensor([0.0, -0.0, 1.0, -2.5, 1 / 3, 65504.0, 6.1e-5, 6e-8, -5.96e-8, 1e-7], dtype=torch.float64)
    tensors = {"f64": values, "f32": values.float(), "f16": values.half().reshape(2, 5), "bf16": values.bfloat16().reshape(5, 2, 1),
               "scalar": torch.tensor(7.5), "empty": torch.empty(0, 3), "num_batches_tracked": torch.tensor(12)}
    save("pkg/checkpoint/testdata/types.safetensors", tensors)
    want = {name: {"shape": list(t.shape), "values": t.float().flatten().tolist()} for name, t in tensors.items() if t.is_floating_point()}
    write("pkg/checkpoint/testdata/types.json", want)
    for blocks, name in (((2, 2, 2, 2), "resnet18"), ((3, 4, 6, 3), "resnet34")):
        state = {n: list(t.shape) for n, t in ResNet(3, blocks, classes=1000).state_dict().items()}
        write(f"pkg/network/testdata/{name}.json", state)


def write(path, value):
    with open(path, "w") as f:
        f.write("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}\n")


def compare(path, channels):
    from resnet import ResNet
    model, tensors = ResNet(channels, classes=None), load(path)
    bad = model.load_state_dict(tensors, strict=False)
    missing = [n for n in bad.missing_keys if not n.endswith("num_batches_tracked")]
    if missing or bad.unexpected_keys:
        sys.exit(f"safetensors.py: {path}: missing {missing}, unexpected {bad.unexpected_keys}")
    print(f"{path}: {len(tensors)} tensors, {sum(t.numel() for t in tensors.values())} numbers, loaded into PyTorch")


def main():
    channels = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    if sys.argv[1:] == ["fixtures"]:
        fixtures()
    elif sys.argv[1:2] == ["resnet18"] and len(sys.argv) > 2:
        from resnet import ResNet, draw
        model = ResNet(channels, classes=1000)
        draw(model)
        save(sys.argv[2], model.state_dict())
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) > 2:
        compare(sys.argv[2], channels)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
