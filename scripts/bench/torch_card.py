#!/usr/bin/python3
"""Training steps in PyTorch on a card, that speed is compared on: late fusion of two embeddings of 512 (a hidden layer of 512 each,
31 classes, Adam), from samples that stay on the card; and the published audio-visual network (torch_audio_visual.py), minibatches of
64, channels last, in float32, tf32 and bf16. Both step by step and as a CUDA graph.

Prints one JSON object: samples a second, median of the rounds, by name, and what failed, with the reason. For PyTorch 1.13 and 2.
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


class Card:
    """What is asked of the card. On the CPU, which tries the script where there is no card, nothing waits and nothing is recorded."""

    def __init__(self, name):
        self.name = name

    def wait(self):
        if self.name == "cuda":
            torch.cuda.synchronize()

    def record(self, compute):
        """Returns a function that runs compute as a CUDA graph."""
        if self.name != "cuda":
            return compute
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                compute()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            compute()
        return graph.replay

    def round(self, tf32):
        """Whether float32 is multiplied in TF32. The switches are those that PyTorch 1.7 to 2.11 have."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32


def rate(card, step, samples, a):
    """Samples a second of step, which takes some: the median of the rounds."""
    for _ in range(3):
        step()
    card.wait()
    found = []
    for _ in range(a.rounds):
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < a.seconds:
            for _ in range(a.steps):
                step()
            card.wait()
            count += a.steps
        found.append(samples * count / (time.perf_counter() - start))
    return round(statistics.median(found), 1)


def adam(card, model, lr, fused, graph=False):
    """Adam as PyTorch chooses it by default on a card (foreach), or in one kernel."""
    if card.name != "cuda":
        return torch.optim.Adam(model.parameters(), lr=lr, foreach=True)
    return torch.optim.Adam(model.parameters(), lr=lr, capturable=graph, **({"fused": True} if fused else {"foreach": True}))


def late_fusion(card, batch, graph, fused, a):
    n = max(batch, a.samples)
    model = LateFusion().to(card.name)
    optimizer = adam(card, model, 1e-3, fused, graph)
    x, v = torch.randn(n, 512, device=card.name), torch.randn(n, 512, device=card.name)
    label, keep = torch.randint(31, (n,), device=card.name), torch.ones(n, 2, device=card.name)
    weight, order = torch.ones(n, device=card.name), torch.randperm(n, device=card.name)
    rows, at = order[:batch].clone(), 0

    def compute():
        optimizer.zero_grad(set_to_none=True)
        loss = (weight[rows] * F.cross_entropy(model(x[rows], v[rows], keep[rows]), label[rows], reduction="none")).mean()
        loss.backward()
        optimizer.step()

    run = card.record(compute) if graph else compute

    def step():
        nonlocal at
        rows.copy_(order[at:at + batch])
        at = (at + batch) % n
        run()

    return rate(card, step, batch, a)


def audio_visual(card, precision, batch, graph, a):
    card.round(precision == "tf32")
    model = Model().to(card.name).to(memory_format=torch.channels_last)
    optimizer = adam(card, model, 1e-4, graph, graph)
    sound = torch.randn(batch, 1, 257, 188, device=card.name).contiguous(memory_format=torch.channels_last)
    frames = torch.randn(batch * 3, 3, 224, 224, device=card.name).contiguous(memory_format=torch.channels_last).unflatten(0, (batch, 3))
    keep, label = torch.ones(batch, 2, device=card.name), torch.randint(31, (batch,), device=card.name)

    def compute():
        with torch.autocast(card.name, dtype=torch.bfloat16, enabled=precision == "bf16", cache_enabled=not graph):
            loss = F.cross_entropy(model(sound, frames, keep).float(), label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    found = rate(card, card.record(compute) if graph else compute, batch, a)
    card.round(False)
    return found


def cases(card, a):
    """The measurements by name, the quick ones first."""
    for batch in a.batch:
        for graph in (False, True):
            for fused in (False, True):
                name = f"late fusion, {batch}, {'graph' if graph else 'eager'}, {'fused' if fused else 'foreach'} Adam"
                yield name, lambda batch=batch, graph=graph, fused=fused: late_fusion(card, batch, graph, fused, a)
    for precision in ("float32", "tf32", "bf16"):
        yield f"audio-visual, {a.images}, {precision}, eager", lambda precision=precision: audio_visual(card, precision, a.images, False, a)
        yield f"audio-visual, {a.images}, {precision}, graph", lambda precision=precision: audio_visual(card, precision, a.images, True, a)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu tries the script where there is no card")
    p.add_argument("--only", default="", help="measurements whose name begins with this")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=0.5, help="of a round")
    p.add_argument("--steps", type=int, default=10, help="between two looks at the clock")
    p.add_argument("--batch", type=int, nargs="+", default=[64, 1024], help="minibatches of late fusion")
    p.add_argument("--samples", type=int, default=8192, help="of late fusion")
    p.add_argument("--images", type=int, default=64, help="the minibatch of the audio-visual network")
    a = p.parse_args()
    if a.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch_card.py: PyTorch finds no card")
    card = Card(a.device)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    card.round(False)
    name = torch.cuda.get_device_name() if a.device == "cuda" else "the CPU, as a trial"
    found, missing = {}, {}
    for case, measure in cases(card, a):
        if not case.startswith(a.only):
            continue
        try:
            found[case] = measure()
        except (RuntimeError, TypeError, ValueError) as e:  # the others go on
            missing[case] = (str(e).strip().splitlines() or [type(e).__name__])[0]
        print(f"torch_card.py: {case}: {found.get(case, missing.get(case))}", file=sys.stderr, flush=True)
    print(json.dumps({"torch": torch.__version__, "card": name, "samples/s": found, "failed": missing}))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
