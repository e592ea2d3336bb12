"""The machine that figures are measured on, and how busy others keep it meanwhile."""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("torch", "torchvision", "timm", "onnxruntime", "numpy")
QUIET: Final = 0.15
"""Up to which share of the cores others may be busy before figures are marked."""
_BUSY: Final = (0, 1, 2, 5, 6, 7)
"""The columns of /proc/stat in which a core does something, or is lent to another machine (`steal`)."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What decides how fast things run here."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    versions: dict[str, str]
    revision: str

    @classmethod
    def here(cls) -> Self:
        """Describe this machine."""
        return cls(
            processor=processor_name(Path("/proc/cpuinfo").read_text("utf-8")),
            cores=len(os.sched_getaffinity(0)),
            memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            system=f"{platform.system()} {platform.release()}",
            versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            revision=_revision(),
        )


def processor_name(cpuinfo: str) -> str:
    """Return the name with family and model: virtual machines often say no more than the maker's name."""
    facts: dict[str, str] = dict(reversed(re.findall(r"^([\w ]+?)\s*: (.+)$", cpuinfo, re.MULTILINE)))
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


def _revision() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def is_busy(cores: float) -> bool:
    """Say whether so many busy cores of others are too many to measure beside."""
    return cores > QUIET * (os.cpu_count() or 1)


class Others:
    """Counts the cores that processes other than this one's ended children kept busy since it was made."""

    def __init__(self) -> None:
        self._all, self._ours, self._started = _all_s(), _ours_s(), time.monotonic()

    def cores(self) -> float:
        """Return the mean since then."""
        passed = max(time.monotonic() - self._started, 0.01)
        return max(0.0, (_all_s() - self._all) - (_ours_s() - self._ours)) / passed


def _all_s() -> float:
    columns = Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:]
    return sum(int(columns[place]) for place in _BUSY) / os.sysconf("SC_CLK_TCK")


def _ours_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
