#!/usr/bin/python3
"""The learning rates that PyTorch's schedulers give, epoch by epoch, for the schedules of mm-fit --lr-schedule.

usage: schedules.py [OUT]       (default: pkg/train/testdata/torch, from the repository's root)
"""
import sys
import warnings

import torch
from torch.optim import lr_scheduler

import fixture

# mm-fit's words for a schedule, its base rate, its epochs, and the scheduler that it stands for.
SCHEDULES = [
    ("constant", 1e-3, 5, lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1.0)),
    ("step:30:0.1", 5e-5, 95, lambda o: lr_scheduler.StepLR(o, 30, 0.1)),
    ("step:3:0.5", 1e-2, 10, lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
    ("step:1:0.95", 1e-3, 20, lambda o: lr_scheduler.StepLR(o, 1, 0.95)),
    ("cosine:10", 1e-3, 11, lambda o: lr_scheduler.CosineAnnealingLR(o, 10)),
    ("cosine:60:1e-5", 1e-2, 61, lambda o: lr_scheduler.CosineAnnealingLR(o, 60, 1e-5)),
    ("cosine:1", 1e-3, 2, lambda o: lr_scheduler.CosineAnnealingLR(o, 1)),
]


def rates(base, epochs, make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler, out = make(optimizer), []
    for _ in range(epochs):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "pkg/train/testdata/torch"
    warnings.simplefilter("error")
    fixture.write(f"{out}/schedules.json", {
        "header": fixture.header(),
        "schedules": [{"schedule": name, "lr": base, "rates": rates(base, epochs, make)} for name, base, epochs, make in SCHEDULES],
    })


main()
