"""How much processor time a model within a MAC budget may take: the backstop for uncounted work (pure).

Counters run beside the entry's code and see only torch operators. Work in numpy, in threads or in
an extension shows up as processor time, which the sandbox's parent reads from the kernel.
"""

from __future__ import annotations

from typing import Final

START_UP_CPU_S: Final = 30.0
"""Importing libraries and loading weights; granted once a run, whatever the number of samples."""

SLACK: Final = 4.0
"""An honest model of many small operators may need this many times the time of plain convolutions."""

FAST_MACS_PER_CPU_S: Final = 200e9
"""Faster than any processor core known to us; less than its allowance needs no calibration."""


def allowed_cpu_s(*, samples: int, max_macs: int, macs_per_cpu_s: float) -> float:
    """Return the seconds of processor time allowed to a run over `samples` samples."""
    return START_UP_CPU_S + samples * SLACK * max_macs / macs_per_cpu_s


def is_suspicious(cpu_s: float, *, samples: int, max_macs: int) -> bool:
    """Say whether a run used more than it could be allowed on the fastest machine."""
    return cpu_s > allowed_cpu_s(samples=samples, max_macs=max_macs, macs_per_cpu_s=FAST_MACS_PER_CPU_S)
