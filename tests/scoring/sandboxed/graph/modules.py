"""Small modules, and how to make graphs of them."""

import torch
from torch import nn

from scoring.sandboxed.graph.capture import capture
from scoring.sandboxed.graph.document import Graph

WIDTH, SIDE = 3, 8
PATIENCE_S = 120.0


class Answering(nn.Module):
    """Answers what a function of the module and its input does."""

    def __init__(self, forward, **parts) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self._forward(self, x)
        return answer


def images(batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(batch))


def graph_of(forward, *, batch: int = 4, **parts) -> Graph:  # type: ignore[no-untyped-def]
    """Capture a module of these parts; `batch` is the one that it falls back to."""
    return capture(Answering(forward, **parts).eval(), images(), images(batch), seconds=PATIENCE_S)
