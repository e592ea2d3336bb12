"""`podium doctor`: what this machine has and lacks for running entries safely, in plain words."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring import environment
from scoring.cli.ending import EXIT_FAULT, EXIT_OK
from scoring.cli.screen import Screen
from scoring.errors import Fault
from scoring.sandbox import landlock, syscalls
from scoring.sandbox.bubblewrap import can_disable_user_namespaces
from scoring.sandbox.family import Family
from scoring.sandbox.trial import trial_failure

OLDEST_BUBBLEWRAP: Final = (0, 6)
TOLERATED_CLOCK_S: Final = 5.0
ENTRY_PACKAGES: Final = (*environment.DECISIVE, "onnx")
"""What else differs from env.txt changes no score, and onnx decides which graphs are read."""


@dataclass(frozen=True)
class Condition:
    """One check: whether it passed, what was found, and what to do if it failed."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def doctor() -> int:
    """Print what each look at this machine found; return the exit code."""
    conditions = examine()
    Screen(quiet=False).show_conditions(conditions)
    return EXIT_OK if all(condition.ok for condition in conditions) else EXIT_FAULT


def examine() -> tuple[Condition, ...]:
    """Look at everything; the trial of the sandbox runs a real process in it."""
    return (
        _operating_system(),
        _bubblewrap(),
        _user_namespaces(),
        _libseccomp(),
        _own_user(),
        _landlock(),
        _process_files(),
        _memory_watcher(),
        _sandbox(),
        *_clock(),
        *_packages(),
    )


def _operating_system() -> Condition:
    found = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return Condition(
        "operating system",
        sys.platform == "linux",
        found,
        "The sandbox needs Linux. On other systems, use --trust for your own entries, or a Linux container.",
    )


def _bubblewrap() -> Condition:
    remedy = "Install bubblewrap 0.6 or newer: `apt install bubblewrap` or `dnf install bubblewrap`."
    program = shutil.which("bwrap")
    if program is None:
        return Condition("bubblewrap", ok=False, found="not installed", remedy=remedy)
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    return Condition("bubblewrap", version >= OLDEST_BUBBLEWRAP, told or "unknown version", remedy)


def _user_namespaces() -> Condition:
    name = "user namespaces"
    if os.name != "posix" or os.geteuid() == 0:
        return Condition(name, ok=True, found="not needed: running as root")
    try:
        most = int(Path("/proc/sys/user/max_user_namespaces").read_text())
    except (OSError, ValueError):
        most = 0
    switch = Path("/proc/sys/kernel/unprivileged_userns_clone")
    allowed = most > 0 and (not switch.exists() or switch.read_text().strip() == "1")
    return Condition(
        name,
        allowed,
        f"at most {most}" if allowed else "switched off for ordinary users",
        "Allow them (`sysctl user.max_user_namespaces=10000`, on Debian also "
        "`sysctl kernel.unprivileged_userns_clone=1`), or run the worker as root in a container.",
    )


def _libseccomp() -> Condition:
    remedy = "Install libseccomp (`apt install libseccomp2`) and the Python package pyseccomp."
    try:
        size = len(syscalls.program())
    # pyseccomp raises RuntimeError when it finds no library.
    except (ImportError, OSError, RuntimeError) as exc:
        return Condition("system call filter", ok=False, found=f"not available: {exc}", remedy=remedy)
    return Condition("system call filter", ok=True, found=f"{size // 8} instructions")


def _own_user() -> Condition:
    """Say as whom entries run; as root each run gets a user id that nobody else has."""
    name = "user of its own"
    if os.name == "posix" and os.geteuid() == 0:
        return Condition(name, ok=True, found="running as root: each run gets an unused user id")
    try:
        disabled = can_disable_user_namespaces()
    except Fault:
        disabled = False
    found = "running as an ordinary user: entries run as that user inside a user namespace"
    more = "" if disabled else "; this bubblewrap cannot forbid nested ones, but the system call filter does"
    return Condition(name, ok=True, found=found + more)


def _landlock() -> Condition:
    """Tell of Landlock; a machine without it runs entries all the same."""
    version = landlock.version() if sys.platform == "linux" else 0
    without = "not available: entries can read where their files lie on this machine"
    return Condition("Landlock", ok=True, found=f"version {version}" if version else without)


def _process_files() -> Condition:
    return Condition(
        "/proc",
        Path("/proc/self/stat").exists(),
        "mounted" if Path("/proc/self/stat").exists() else "not mounted",
        "Mount it: Podium reads memory, CPU time and the end of processes there.",
    )


def _memory_watcher() -> Condition:
    sample = Family(os.getpid(), None).sample()
    return Condition(
        "memory watcher",
        sample.memory_bytes > 0,
        f"this process uses {sample.memory_bytes / 2**20:.0f} MiB",
        "Use a kernel that shows RssAnon in /proc/PID/status (Linux 4.5 or newer).",
    )


def _sandbox() -> Condition:
    why = trial_failure("bubblewrap")
    return Condition(
        "sandbox",
        not why,
        why or "a test program ran and ended",
        "In a container, allow namespaces (docker: `--privileged`, or `--cap-add SYS_ADMIN "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined`). On Ubuntu 24.04, "
        "allow bwrap user namespaces in AppArmor.",
    )


def _clock() -> Iterator[Condition]:
    """Compare this machine's clock with that of the database it is to work for, if the environment names one."""
    if "DATABASE_URL" not in os.environ:
        return
    program = [sys.executable, "-m", "scoring.worker.clock"]
    told = subprocess.run(program, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        yield Condition(
            "database", ok=False, found="does not answer", remedy="Check DATABASE_URL, and what it names."
        )
        return
    ahead_s = float(told.stdout)
    found = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} the database's"
    remedy = "Let chrony or systemd-timesyncd set it. Podium goes by the database's; S3 and TLS do not."
    yield Condition("clock", abs(ahead_s) <= TOLERATED_CLOCK_S, found, remedy)


def _packages() -> Iterator[Condition]:
    """Compare what is installed with env.txt, which participants read."""
    pinned = environment.pins()
    if pinned is None:
        yield Condition(
            "packages", ok=False, found="env.txt is missing", remedy="Restore it from Podium's repository."
        )
        return
    for name in ENTRY_PACKAGES:
        yield _package(name, pinned.get(name))
    yield from map(_environment, environment.known())


def _environment(name: str) -> Condition:
    """Tell of an environment of its own; a machine without it serves the tracks that do not name it."""
    why, home = environment.why_not_here(name), environment.home_of(name)
    ok = not why or not home.exists()
    if why and ok:
        found = f"not installed: entries of tracks that name it cannot run here; `podium environment install {name}`"
    else:
        found = why or f"{len(environment.pins(name) or {})} packages in {home}"
    return Condition(f"environment {name}", ok, found, f"Run `podium environment install {name}`.")


def _package(name: str, pinned: str | None) -> Condition:
    installed = environment.installed(name)
    if installed is None:
        return Condition(name, ok=False, found="not installed", remedy="Run `make setup`.")
    same = pinned is not None and environment.release(installed) == environment.release(pinned)
    found = installed if same else f"{installed} installed, {pinned or 'nothing'} in env.txt"
    return Condition(name, same, found, "Run `make setup`: participants build for the versions in env.txt.")
