"""Swin's layers in the form that devices prefer.

On a device the library splits these into smaller products. What they compute is what the layer they
are made from computes, so here that layer runs.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["AutoSplitLinear", "ShiftedWindowAttentionInf"]


class _Same(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the layer returns."""
        answer: torch.Tensor = self.model(x)
        return answer


class ShiftedWindowAttentionInf(_Same):
    """Torchvision's `ShiftedWindowAttention`."""


class AutoSplitLinear(_Same):
    """A linear layer, whose inputs and outputs a device would split."""
