"""Fixes all that would make two runs of one entry differ: seeds, threads, denormals, algorithms."""

from __future__ import annotations

import random
import sys

import numpy as np


def seed_all(seed: int) -> None:
    """Seed every generator whose library is loaded."""
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(seed)
    if "onnxruntime" in sys.modules:
        import onnxruntime

        onnxruntime.set_seed(seed)


def settle_torch(threads: int) -> None:
    """Fix torch's threads and algorithms; called before and again after the entry is loaded.

    Denormals stay as IEEE has them, as on the entrant's own machine; libraries built with
    -ffast-math switch that silently when they are loaded.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)
    # Deterministic algorithms, with a warning where there is none. The better known function for that,
    # `use_deterministic_algorithms`, imports torch's compiler first: more than all the rest of torch.
    torch.set_deterministic_debug_mode("warn")
    # Filling every new tensor with NaN costs a pass over memory for each operator.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property of the module's class
