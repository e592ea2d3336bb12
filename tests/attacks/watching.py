"""Watches what a command starts, from outside and by means of its own: who lives, and how much memory that takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOOK_EVERY_S: Final = 0.1
PROC: Final = Path("/proc")
Process = tuple[int, int]
"""A process's number, and when it began: numbers are used again."""


@dataclass
class Watched:
    """What was seen below one process, itself left out."""

    seen: set[Process] = field(default_factory=set)
    peak_memory_bytes: int = 0

    def alive(self) -> list[Process]:
        """Return which of those that were seen still live."""
        living = _living()
        return [process for process in self.seen if process in living and living[process].state != "Z"]


@dataclass(frozen=True)
class _Row:
    parent: int
    state: str


@contextlib.contextmanager
def watching(pid: int) -> Iterator[Watched]:
    """Look at all below `pid` ten times a second until the end of the block."""
    watched, over = Watched(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            family = _below(pid)
            watched.seen |= family
            memory = sum(_memory_bytes(process) for process, _ in family)
            watched.peak_memory_bytes = max(watched.peak_memory_bytes, memory)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield watched
    finally:
        over.set()
        watcher.join()


def _living() -> dict[Process, _Row]:
    found = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name stands in brackets and may hold anything.
            words = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            found[int(folder.name), int(words[19])] = _Row(parent=int(words[1]), state=words[0])
    return found


def _below(pid: int) -> set[Process]:
    children: dict[int, list[Process]] = {}
    for process, row in _living().items():
        children.setdefault(row.parent, []).append(process)
    found: set[Process] = set()
    todo = [pid]
    while todo:
        new = set(children.get(todo.pop(), [])) - found
        found |= new
        todo.extend(number for number, _ in new)
    return found


def _memory_bytes(pid: int) -> int:
    """Return private memory with shared pages in parts, and the tables that map it."""
    kilobytes = 0
    wanted = {"smaps_rollup": ("Pss_Anon:", "Pss_Shmem:"), "status": ("VmPTE:",)}
    for name, fields in wanted.items():
        with contextlib.suppress(OSError):
            lines = (PROC / str(pid) / name).read_text().splitlines()
            words = (line.split() for line in lines)
            kilobytes += sum(int(word[1]) for word in words if word and word[0] in fields)
    return 1024 * kilobytes
