"""The fusions as PyTorch modules, for training.py: what the Go ones are held to. Names of parameters are those of mm-fit's models."""
import torch
from torch import nn


class Concat(nn.Module):
    """Features side by side."""

    def __init__(self, names, widths):
        super().__init__()
        self.width = sum(widths)

    def forward(self, z, keep):
        return torch.cat(z, 1)


class Sum(nn.Module):
    """Features added."""

    def __init__(self, names, widths):
        super().__init__()
        self.width = widths[0]

    def forward(self, z, keep):
        return sum(z)


class Film(nn.Module):
    """Feature-wise linear modulation of one modality, the last unless named, by the others (Perez et al. 2018)."""

    def __init__(self, names, widths, target=None):
        super().__init__()
        self.target = names.index(target) if target else len(names) - 1
        self.width = widths[self.target]
        self.fc = nn.Linear(sum(widths) - self.width, 2 * self.width)

    def forward(self, z, keep):
        others = torch.cat([f for p, f in enumerate(z) if p != self.target], 1)
        gamma, beta = torch.split(self.fc(others), self.width, 1)
        return gamma * z[self.target] + beta


class Gated(nn.Module):
    """Gated multimodal units (Arevalo et al. 2017): one tied gate for two modalities, a gate each for more."""

    def __init__(self, names, widths, hidden):
        super().__init__()
        self.width = int(hidden)
        self.hidden = nn.ModuleDict({n: nn.Linear(w, self.width, bias=False) for n, w in zip(names, widths)})
        if len(names) == 2:
            self.gate = nn.Linear(sum(widths), self.width, bias=False)
        else:
            self.gates = nn.ModuleDict({n: nn.Linear(sum(widths), self.width, bias=False) for n in names})

    def forward(self, z, keep):
        h = [torch.tanh(layer(f)) for layer, f in zip(self.hidden.values(), z)]
        everything = torch.cat(z, 1)
        if len(h) == 2:
            g = torch.sigmoid(self.gate(everything))
            return g * h[0] + (1 - g) * h[1]
        return sum(torch.sigmoid(layer(everything)) * x for layer, x in zip(self.gates.values(), h))


class Attention(nn.Module):
    """Self-attention among the tokens of the modalities that are there, with a residual, and their mean."""

    def __init__(self, names, widths, heads, width):
        super().__init__()
        self.width = int(width)
        self.tokens = nn.ModuleDict({n: nn.Linear(w, self.width) for n, w in zip(names, widths)})
        self.attention = nn.MultiheadAttention(self.width, int(heads), batch_first=True)

    def forward(self, z, keep):
        t = torch.stack([layer(f) for layer, f in zip(self.tokens.values(), z)], 1)
        u, _ = self.attention(t, t, t, key_padding_mask=keep == 0, need_weights=False)
        return ((t + u) * keep.unsqueeze(2)).sum(1) / keep.sum(1, keepdim=True)


KINDS = {"concat": Concat, "sum": Sum, "film": Film, "gated": Gated, "attention": Attention}


def make(spec, names, widths):
    """A fusion as the tools name it: concat, sum, film[:NAME], gated:WIDTH, attention:HEADS:WIDTH. It takes the masked features,
    (B,D_p) each, and keep, (B,n), and gives (B,width)."""
    kind, *args = spec.split(":")
    return KINDS[kind](names, widths, *args)
