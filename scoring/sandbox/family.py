"""What a tree of processes uses, read from /proc of the host: memory, and processor time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
INODE_BYTES: Final = 1024
# What a socket's unread data may hold (the kernel's default send buffer), and one end of a pipe of usual size.
BUFFER_BYTES: Final = {b"socket:": 212_992, b"pipe:": 32_768}
# Below this number of open files, buffers are too small to look for.
FEW_FILES: Final = 64
# Scans between two looks at every process of the machine; in between only new ones are looked at.
FULL_SCAN_EVERY: Final = 10


@dataclass(frozen=True)
class Reading:
    """Use at one moment; `cpu_s` never falls, also when processes come and go.

    `files` counts what lies in the memory file system, folders too.
    """

    memory_bytes: int
    cpu_s: float
    processes: int
    files: int = 0


@dataclass(frozen=True, kw_only=True)
class _Scratch:
    """What a memory file system holds."""

    memory_bytes: int = 0
    files: int = 0


@dataclass
class Family:
    """All processes below and including `root`, and the memory file system that they see at `scratch`, if any."""

    root: int
    scratch: str | None
    _strangers: set[int] = field(default_factory=set)
    _cpu_ticks: dict[tuple[int, int], int] = field(default_factory=dict)
    _scans: int = 0

    def sample(self) -> Reading:
        """Read the tree as it is now; empty without /proc."""
        members = self._members()
        memory = sum(_private_bytes(pid) + _buffer_bytes(pid) for pid in members)
        scratch = self._scratch(members)
        return Reading(
            memory_bytes=memory + scratch.memory_bytes,
            cpu_s=self._cpu_s(members),
            processes=len(members),
            files=scratch.files,
        )

    def exact_memory_bytes(self) -> int:
        """Sum memory with shared pages counted once: slower, for the moment before a verdict."""
        members = self._members()
        rollups = [_rollup(pid) for pid in members]
        private = sum(private for private, _ in rollups) + sum(_buffer_bytes(pid) for pid in members)
        return private + max(sum(shared for _, shared in rollups), self._scratch(members).memory_bytes)

    def _scratch(self, members: Iterable[int]) -> _Scratch:
        """Return what the memory file system holds; nothing once nobody is left through whom we could look.

        To us as an ordinary user the keeper is closed, and the entry is not.
        """
        if self.scratch is None:
            return _Scratch()
        for pid in members:
            with contextlib.suppress(OSError):
                return _use_of(f"{PROC}/{pid}/root{self.scratch}")
        return _Scratch()

    def _members(self) -> dict[int, list[bytes]]:
        if self._scans % FULL_SCAN_EVERY == 0:
            self._strangers.clear()
        self._scans += 1
        stats = _stats(self._strangers)
        members = _below(self.root, {pid: int(stat[1]) for pid, stat in stats.items()})
        self._strangers.update(stats.keys() - members)
        return {pid: stats[pid] for pid in members if pid in stats}

    def _cpu_s(self, members: dict[int, list[bytes]]) -> float:
        """Keep each process's own time after its end: an entry may have its children reaped unseen."""
        for pid, stat in members.items():
            self._cpu_ticks[pid, int(stat[19])] = int(stat[11]) + int(stat[12])
        seen = sum(self._cpu_ticks.values())
        waited_for = sum(sum(int(ticks) for ticks in stat[11:15]) for stat in members.values())
        return max(seen, waited_for) / os.sysconf("SC_CLK_TCK")


def _stats(strangers: set[int]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for pid in _pids():
        if pid not in strangers:
            text = _read(PROC / str(pid) / "stat")
            if text:
                # The name stands in brackets and may hold anything, brackets too.
                found[pid] = text[text.rindex(b")") + 2 :].split()
    return found


def _pids() -> list[int]:
    try:
        # A list of names is a third of the cost of a list of paths, ten times a second.
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208
    except FileNotFoundError:
        return []


def _below(root: int, parents: dict[int, int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found, todo = {root}, [root]
    while todo:
        new = [pid for pid in children.get(todo.pop(), []) if pid not in found]
        found.update(new)
        todo.extend(new)
    return found


def _private_bytes(pid: int) -> int:
    """Anonymous and shared memory and page tables; not file pages, which are the input array and code.

    Page tables grow with every touched address, also where all addresses show the same page of zeros.
    """
    names = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"VmPTE:")
    return sum(_kib(_read(PROC / str(pid) / "status"), names)) * 1024


def _rollup(pid: int) -> tuple[int, int]:
    text = _read(PROC / str(pid) / "smaps_rollup")
    if b"Pss_Anon:" not in text:
        # A process may forbid us to look, and old kernels do not tell: it pays for shared pages in full.
        return _private_bytes(pid), 0
    page_tables = _kib(_read(PROC / str(pid) / "status"), (b"VmPTE:",))
    return (
        sum([*_kib(text, (b"Pss_Anon:", b"SwapPss:")), *page_tables]) * 1024,
        sum(_kib(text, (b"Pss_Shmem:",))) * 1024,
    )


def _buffer_bytes(pid: int) -> int:
    """Return what the buffers of open sockets and pipes hold at most; no process's own memory shows it."""
    folder = PROC / str(pid) / "fd"
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError:
        return 0
    if len(names) <= FEW_FILES:
        return 0
    return sum(_most_buffered(folder / name) for name in names)


def _most_buffered(descriptor: Path) -> int:
    try:
        kind, _, _ = os.fsencode(descriptor.readlink()).partition(b"[")
    except OSError:
        return 0
    return BUFFER_BYTES.get(kind, 0)


def _use_of(folder: str) -> _Scratch:
    """Return what a memory file system takes, empty files included: each holds kernel memory."""
    usage = os.statvfs(folder)
    files = usage.f_files - usage.f_ffree
    used_bytes = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
    return _Scratch(memory_bytes=used_bytes + files * INODE_BYTES, files=files)


def _kib(text: bytes, names: Iterable[bytes]) -> list[int]:
    lines = (line.split() for line in text.splitlines())
    wanted = set(names)
    return [int(words[1]) for words in lines if words and words[0] in wanted]


def _read(path: Path) -> bytes:
    """Read a file of /proc; empty when the process is gone or hides it."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
