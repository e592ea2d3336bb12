"""A control group for each sandbox, where the host lets us make one: it tells what a sandbox uses and loses nothing.

/proc tells of processes one by one, and only of those that are there when somebody looks. A group tells of all
that ever ran in it; with the memory controller, also of memory that no process shows: page tables, buffers of
pipes and sockets, files in memory. What a group tells is added to what /proc does, and never taken instead of
it: a group that nobody entered tells of nothing. Only the second version of control groups is read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc/self")
MEMBERS: Final = "cgroup.procs"
MARKS: Final = ("trusted.delegate", "user.delegate")
"""How systemd marks a group whose inside it leaves to others."""
ENTER: Final = '{ echo 0 > "$0"; } 2>/dev/null; exec "$@"'
OF_MEMORY: Final = ("anon", "shmem", "kernel", "sock")
TRIES: Final = 100


@dataclass(frozen=True)
class ControlGroup:
    """One group, by its folder."""

    folder: Path

    def cpu_s(self) -> float:
        """Return the processor time of all that ran in it, those that have ended too; 0 where it does not tell."""
        return self._numbers("cpu.stat").get("usage_usec", 0) / 1e6

    def memory_bytes(self) -> int:
        """Return the memory that only a sandbox's end gives back; 0 without the memory controller.

        Pages of files are left out, and what the kernel keeps to find those: it drops them when it likes.
        """
        found = self._numbers("memory.stat")
        used = sum(found.get(name, 0) for name in OF_MEMORY) - found.get("slab_reclaimable", 0)
        swapped = self._text("memory.swap.current").strip()
        return max(used, 0) + (int(swapped) if swapped.isdigit() else 0)

    def entered_by(self, words: Sequence[str]) -> list[str]:
        """Return a command that enters the group and becomes this one; it does so too where it cannot enter."""
        return ["/bin/sh", "-c", ENTER, str(self.folder / MEMBERS), *words]

    def _numbers(self, name: str) -> dict[str, int]:
        lines = (line.split() for line in self._text(name).splitlines())
        return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text()
        except OSError:
            return ""


@contextlib.contextmanager
def control_group() -> Iterator[ControlGroup | None]:
    """Make a group and remove it in the end, when all in it are dead; None where the host does not let us."""
    place = place_of_groups()
    folder = place / f"podium-{os.getpid()}-{secrets.token_hex(4)}" if place else None
    try:
        if folder is not None:
            folder.mkdir()
    except OSError:
        folder = None
    try:
        yield ControlGroup(folder) if folder else None
    finally:
        if folder is not None:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove an empty group; the last of its processes may still be leaving it."""
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        os.sched_yield()


@cache
def place_of_groups(proc: Path = PROC) -> Path | None:
    """Return the group below which new ones may be made, with the memory controller on where it can be.

    That is our own group; or the one above it, if that is what systemd left to us (`Delegate=yes` and
    `DelegateSubgroup=`), as a group with processes of its own hands no controllers on.
    """
    mounted, path = _mount_point(proc), _own_path(proc)
    if mounted is None or path is None:
        return None
    own = mounted / path
    place = own.parent if own != mounted and _is_left_to_us(own.parent) else own
    with contextlib.suppress(OSError):
        if "memory" in (place / "cgroup.controllers").read_text().split():
            (place / "cgroup.subtree_control").write_text("+memory")
    _remove_what_the_killed_left(place)
    return place


def _remove_what_the_killed_left(place: Path) -> None:
    """Remove groups whose maker is gone; one that still has processes cannot be removed, and stays."""
    for folder in place.glob("podium-*-*"):
        maker = folder.name.split("-")[1]
        if not Path("/proc", maker).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _mount_point(proc: Path) -> Path | None:
    for line in _lines(proc / "mountinfo"):
        before, _, after = line.partition(" - ")
        if after.split(" ")[:1] == ["cgroup2"]:
            return Path(before.split(" ")[4])
    return None


def _own_path(proc: Path) -> str | None:
    paths = (line.removeprefix("0::/") for line in _lines(proc / "cgroup") if line.startswith("0::/"))
    return next(paths, None)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _is_left_to_us(folder: Path) -> bool:
    if not hasattr(os, "getxattr"):
        return False
    for mark in MARKS:
        with contextlib.suppress(OSError):
            return os.getxattr(folder, mark) == b"1"
    return False
